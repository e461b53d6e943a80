//! A Session as its client knows it: subscriptions, what is under way, what is still to come.

use std::time::Duration;

use smallvec::SmallVec;

use super::Tick;
use super::choice::Choice;
use super::link::Kind;
use super::text::{Span, Texts, hides, matches};

/// What is not over yet.
pub(super) const OPEN: Tick = Tick::MAX;

/// A Session, from a CONNECT that began it.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Session {
    pub(super) client_id: Span,
    /// Whether the target may or may not have it: nobody has seen its CONNACK, or it forgot.
    pub(super) unsure: bool,
    /// Its CONNECT got no CONNACK: the Session that was there before may be this one.
    pub(super) unanswered: bool,
    /// The Session that the same Client Identifier had before.
    pub(super) previous: Option<usize>,
    /// When CONNACK was seen, or may have been sent; 0 before.
    pub(super) begun: Tick,
    /// It has ended, or is known under another number.
    pub(super) gone: bool,
    /// Whether a connection before this one may have left something that its client has not seen.
    pub(super) resumed: bool,
    pub(super) spoken: Spoken,
    /// The link that is attached to it, by number.
    pub(super) link: Option<u32>,
    /// When it ends without its client; none while its client is connected.
    pub(super) ends: Option<Duration>,
    pub(super) subscriptions: Vec<Subscription>,
    /// Messages to the client with a Packet Identifier.
    pub(super) deliveries: Vec<Delivery>,
    /// QoS 2 messages from the client that it has not released: identifier and publication.
    pub(super) incoming: SmallVec<[Incoming; 1]>,
    /// How often each publication came: its number and the copies, apart by whether they were retained.
    pub(super) copies: SmallVec<[Copies; 1]>,
    /// Arrivals that may have been something else.
    pub(super) choices: Vec<Choice>,
    /// Messages that must come still.
    pub(super) due: Vec<Due>,
    /// The last message of each stream, to see that the order is kept.
    pub(super) last: SmallVec<[Last; 1]>,
}

/// What its client has spoken since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Spoken {
    /// 3.1 or 3.1.1.
    #[default]
    Earlier,
    /// 5.0.
    V5,
    /// Now this and now that: what one of them knows nothing of may be lost.
    Both,
}

/// A subscription, for as long as it may have been in force.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Subscription {
    /// The Topic Filter as it was requested.
    pub(super) requested: Span,
    /// The Topic Filter without `$share` and Share Name.
    pub(super) filter: Span,
    pub(super) share: Option<Span>,
    pub(super) qos: u8,
    pub(super) no_local: bool,
    pub(super) retain_as_published: bool,
    /// Retain Handling: 0, 1 or 2.
    pub(super) retain_handling: u8,
    pub(super) identifier: Option<u32>,
    /// Whether it takes the place of one with the same Topic Filter.
    pub(super) replaces: bool,
    /// When SUBSCRIBE was sent.
    pub(super) from: Tick,
    /// When SUBACK was seen; before, it may not be in force.
    pub(super) sure_from: Tick,
    /// When the UNSUBACK was seen, or what else ended it.
    pub(super) until: Tick,
    /// When UNSUBSCRIBE was sent, or a SUBSCRIBE that replaces it: from then on it may be over.
    pub(super) sure_until: Tick,
    /// What answer will end it.
    pub(super) ends_with: Option<(Kind, u16)>,
    pub(super) refused: bool,
}

impl Subscription {
    /// Whether it brings messages of the topic.
    pub(super) fn matches(&self, texts: &Texts, topic: &[u8]) -> bool {
        let filter = texts.get(self.filter);
        matches(filter, topic) && !hides(filter, topic)
    }

    /// Whether it may have been in force some time between these.
    pub(super) fn may_see(&self, from: Tick, until: Tick) -> bool {
        !self.refused && self.from <= until && from <= self.until
    }

    /// Whether it was in force all the time between these.
    pub(super) fn surely_sees(&self, from: Tick, until: Tick) -> bool {
        !self.refused && self.sure_from <= from && until <= self.sure_until
    }
}

/// A message with a Packet Identifier on its way to the client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delivery {
    pub(super) packet_id: u16,
    pub(super) qos: u8,
    pub(super) topic: Span,
    pub(super) payload: Span,
    pub(super) state: State,
    /// Whether its topic is somebody else's: it comes the next time only if that one publishes it again.
    pub(super) foreign: bool,
    /// The link on which its PUBLISH came last.
    pub(super) link: u32,
    /// When the state began.
    pub(super) since: Tick,
    /// The client has answered what it was not asked: nobody knows where the exchange stands.
    pub(super) odd: bool,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// PUBLISH has come.
    Published,
    /// QoS 2: PUBREC was sent.
    Received,
    /// QoS 2: PUBREL has come.
    Released,
    /// The last acknowledgement was sent.
    Completed,
}

/// A QoS 2 message from the client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Incoming {
    pub(super) packet_id: u16,
    pub(super) publication: usize,
    pub(super) link: u32,
    /// The target may have forgotten it, with the Session.
    pub(super) doubtful: bool,
}

/// How often a publication came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Copies {
    pub(super) publication: usize,
    pub(super) forwarded: u16,
    pub(super) retained: u16,
}

/// A message that must come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) publication: usize,
    pub(super) qos: u8,
    pub(super) retained: bool,
    pub(super) will: bool,
}

/// The last message of a stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Last {
    pub(super) publisher: u32,
    pub(super) topic: Span,
    pub(super) published_qos: u8,
    pub(super) qos: u8,
    pub(super) publication: usize,
}

impl Session {
    /// Whether it has not ended yet.
    pub(super) fn lasts(&self, now: Duration) -> bool {
        !self.gone && self.ends.is_none_or(|ends| ends > now)
    }

    pub(super) fn delivery(&mut self, packet_id: u16) -> Option<&mut Delivery> {
        self.deliveries
            .iter_mut()
            .find(|delivery| delivery.packet_id == packet_id)
    }

    pub(super) fn copies(&mut self, publication: usize) -> &mut Copies {
        let known = self
            .copies
            .iter()
            .position(|copies| copies.publication == publication);
        let at = known.unwrap_or_else(|| {
            self.copies.push(Copies {
                publication,
                forwarded: 0,
                retained: 0,
            });
            self.copies.len() - 1
        });
        &mut self.copies[at]
    }

    /// How many messages with a Packet Identifier are under way on this link, those of others aside.
    pub(super) fn under_way(&self, link: u32) -> usize {
        self.deliveries
            .iter()
            .filter(|delivery| {
                delivery.link == link
                    && delivery.state != State::Completed
                    && !delivery.odd
                    && !delivery.foreign
            })
            .count()
    }

    /// Goes on with what an earlier object of the same Session knew.
    pub(super) fn absorb(&mut self, earlier: &mut Self, sure: bool) {
        let own = std::mem::take(&mut self.subscriptions);
        self.subscriptions = std::mem::take(&mut earlier.subscriptions);
        self.subscriptions.extend(own);
        self.deliveries.append(&mut earlier.deliveries);
        self.incoming.append(&mut earlier.incoming);
        self.copies.append(&mut earlier.copies);
        self.choices.append(&mut earlier.choices);
        self.last.append(&mut earlier.last);
        if sure {
            self.due.append(&mut earlier.due);
        } else {
            for subscription in &mut self.subscriptions {
                subscription.sure_until = 0;
            }
            for incoming in &mut self.incoming {
                incoming.doubtful = true;
            }
        }
        if earlier.spoken != self.spoken {
            self.spoken = Spoken::Both;
        }
        self.resumed = true;
    }
}
