//! Whether a publication explains what came to a client, and if not, how near it comes.

use codec::{QoS, Version};
use smallvec::{SmallVec, smallvec};

use super::choice::Fit;
use super::publication::Publication;
use super::rule::{self, Rule};
use super::session::{Spoken, Subscription};
use super::text::{Texts, hides, matches};
use super::{Oracle, Tick};

/// What came.
pub(super) struct Arrival<'a> {
    pub(super) topic: &'a [u8],
    pub(super) payload: &'a [u8],
    pub(super) qos: u8,
    pub(super) retain: bool,
    pub(super) properties: u64,
    pub(super) expiry: Option<u32>,
    pub(super) identifiers: Vec<u32>,
    pub(super) version: Version,
}

/// How an arrival is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By a subscription that was there before the message.
    Forwarded,
    /// By a subscription that came after the message was retained.
    Retained,
}

/// Why a publication does not explain an arrival.
#[derive(Debug, Clone, Copy)]
pub(super) struct Misfit {
    /// How much of it fits: what fits best is told.
    pub(super) nearness: u8,
    pub(super) rule: Rule,
    pub(super) why: &'static str,
}

impl Misfit {
    pub(super) const RETAINED_SHARED: Self = Self::new(
        3,
        rule::RETAINED_SHARED,
        "is a retained message, and Shared Subscriptions get none",
    );

    pub(super) const fn new(nearness: u8, rule: Rule, why: &'static str) -> Self {
        Self {
            nearness,
            rule,
            why,
        }
    }

    /// Each publication that explains the arrival has come as often as it may.
    pub(super) fn too_often(qos: u8) -> Self {
        let rule = if qos == QoS::EXACTLY_ONCE.value() {
            rule::TWICE
        } else {
            rule::TWICE_BELOW_QOS_2
        };
        Self::new(8, rule, "came more often than it was published")
    }
}

impl Oracle {
    /// In which ways a publication explains the arrival, the likelier one first. It may have come as often as it may.
    pub(super) fn explains(
        &self,
        own: usize,
        at: usize,
        arrival: &Arrival<'_>,
        texts: &Texts,
    ) -> Result<SmallVec<[Fit; 2]>, Misfit> {
        let publication = &self.publications[at];
        let session = &self.sessions[own];
        if publication.recalled {
            let why = "is a Will whose client was back before its delay had passed";
            return Err(Misfit::new(1, rule::WILL_LOST, why));
        }
        if self.is_exact() && self.now < publication.due && publication.will && publication.sure {
            let why = "is a Will that came before its delay had passed";
            return Err(Misfit::new(1, rule::WILL_LOST, why));
        }
        let local = texts.get(publication.client_id) == texts.get(session.client_id);
        let published_retained = publication.retain && !arrival.payload.is_empty();
        let mut seen = Seen {
            replaced: if published_retained {
                self.replaced(at, texts)
            } else {
                Tick::MAX
            },
            // MQTT 3.1 does not know the dollar.
            dollars: arrival.version != Version::V3_1 || self.is_exact(),
            remembers_no_local: session.spoken == Spoken::V5 || self.is_exact(),
            ..Seen::default()
        };
        for subscription in &session.subscriptions {
            seen.look(subscription, publication, arrival.topic, local, texts);
        }
        let v5 = arrival.version.has_properties();
        // 3.1 only wishes RETAIN to tell which messages were retained.
        let tells = arrival.version != Version::V3_1;
        let may_be_retained = published_retained && seen.retained.count > 0;
        let as_retained = may_be_retained && (arrival.retain || !tells);
        // An earlier connection may have been of a version with Retain As Published.
        let waited = self
            .links
            .iter()
            .flatten()
            .find(|link| Some(link.serial) == session.link)
            .is_none_or(|link| publication.sent < link.connected);
        let may_keep = (v5 || waited) && publication.retain;
        let must_keep = v5 && session.spoken == Spoken::V5 && publication.retain;
        let as_forwarded = seen.forwarded.count > 0
            && match (tells, arrival.retain) {
                (false, _) => true,
                (true, true) => may_keep && seen.forwarded.as_published > 0,
                (true, false) => {
                    !(must_keep && seen.forwarded.as_published == seen.forwarded.count)
                }
            };
        if !as_retained && !as_forwarded {
            return Err(seen.misfit(arrival.retain, published_retained, may_be_retained));
        }
        let came = session
            .copies
            .iter()
            .any(|copies| copies.publication == at && copies.forwarded > 0);
        let due = session
            .due
            .iter()
            .any(|due| due.publication == at && due.retained);
        let retained_first = due || came || !tells && arrival.retain;
        let beside_shared = arrival.retain && published_retained && seen.shared_later;
        let fit = |way: Way| {
            let (by, forwarded) = match way {
                Way::Forwarded => (&seen.forwarded, true),
                Way::Retained => (&seen.retained, false),
            };
            let judged = self.fits(publication, arrival, by, forwarded);
            judged.map(|limit| Fit {
                publication: at,
                way,
                limit,
                beside_shared,
            })
        };
        let judged = match (as_forwarded, as_retained) {
            (true, true) => {
                let (first, second) = if retained_first {
                    (Way::Retained, Way::Forwarded)
                } else {
                    (Way::Forwarded, Way::Retained)
                };
                match (fit(first), fit(second)) {
                    (Ok(first), Ok(second)) => Ok(smallvec![first, second]),
                    (Ok(only), Err(_)) | (Err(_), Ok(only)) => Ok(smallvec![only]),
                    (Err(_), Err(misfit)) => Err(misfit),
                }
            }
            (true, false) => fit(Way::Forwarded).map(|only| smallvec![only]),
            _ => fit(Way::Retained).map(|only| smallvec![only]),
        };
        judged.map_err(|misfit| {
            if beside_shared {
                Misfit::RETAINED_SHARED
            } else {
                misfit
            }
        })
    }

    /// Whether all that the arrival carries is what the publication and the subscriptions make of it; tells how often it
    /// may come.
    fn fits(
        &self,
        publication: &Publication,
        arrival: &Arrival<'_>,
        by: &By,
        forwarded: bool,
    ) -> Result<u16, Misfit> {
        let exact = self.is_exact();
        let v5 = arrival.version.has_properties();
        let lowest = by.lowest.min(publication.qos);
        if arrival.qos < lowest || arrival.qos > by.highest.min(publication.qos) {
            let why = "came at a QoS that is not the lower of those published and granted";
            return Err(Misfit::new(4, rule::QOS, why));
        }
        if v5 && arrival.properties != publication.properties {
            let why = "came with other properties than it was published with";
            return Err(Misfit::new(5, rule::PROPERTIES, why));
        }
        if v5 && !self.expires_as_published(publication, arrival) {
            let why = "came with a Message Expiry Interval that is not what is left of it";
            return Err(Misfit::new(6, rule::EXPIRY, why));
        }
        let known = |identifier: &u32| by.identifiers.contains(identifier);
        if !arrival.identifiers.iter().all(known) {
            let why = "came with a Subscription Identifier of no subscription that matches";
            return Err(Misfit::new(7, rule::SUBSCRIPTION_ID, why));
        }
        if v5 && arrival.identifiers.is_empty() && by.identifiers.len() == usize::from(by.count) {
            let why = "came without the Subscription Identifier";
            return Err(Misfit::new(7, rule::NO_SUBSCRIPTION_ID, why));
        }
        Ok(if !exact && arrival.qos == QoS::AT_LEAST_ONCE.value() {
            u16::MAX
        } else if exact && forwarded {
            by.shared + u16::from(by.count > by.shared)
        } else {
            by.count
        })
    }

    /// When another message of the topic was surely retained in its place.
    fn replaced(&self, at: usize, texts: &Texts) -> Tick {
        let earlier = &self.publications[at];
        let topic = texts.get(earlier.topic);
        let later = self.publications.iter().filter(|later| {
            later.retain
                && later.sure
                && earlier.handled < later.sent
                && texts.get(later.topic) == topic
        });
        later.map(|later| later.handled).min().unwrap_or(Tick::MAX)
    }

    fn expires_as_published(&self, publication: &Publication, arrival: &Arrival<'_>) -> bool {
        match (publication.expiry, arrival.expiry) {
            (None, None) => true,
            (Some(published), Some(left)) if self.is_exact() => {
                let waited = self.now.saturating_sub(publication.due).as_secs();
                let expected = u64::from(published).saturating_sub(waited);
                u64::from(left).abs_diff(expected) <= 1
            }
            (Some(published), Some(left)) => left <= published,
            _ => false,
        }
    }
}

/// The subscriptions of a client that an arrival may come from.
#[derive(Default)]
struct Seen {
    /// Whether a wildcard in front keeps topics with a dollar out.
    dollars: bool,
    /// Whether No Local surely lasts: a version that does not know it may have forgotten it.
    remembers_no_local: bool,
    matching: u16,
    /// Those that the topic's dollar keeps out.
    hidden: u16,
    /// Those with No Local, where the message is the client's own.
    own: u16,
    /// Those that want no retained messages.
    not_wanted: u16,
    /// When the message was retained no longer.
    replaced: Tick,
    /// Those that were asked for after that.
    too_late: u16,
    /// Whether there is a Shared Subscription that would bring it as a retained message, if it brought any.
    shared_later: bool,
    forwarded: By,
    retained: By,
}

/// What the subscriptions have in common that explain an arrival in one way.
struct By {
    count: u16,
    shared: u16,
    /// Those with Retain As Published.
    as_published: u16,
    /// The Subscription Identifiers of those that have one.
    identifiers: Vec<u32>,
    lowest: u8,
    highest: u8,
}

impl Default for By {
    fn default() -> Self {
        Self {
            count: 0,
            shared: 0,
            as_published: 0,
            identifiers: Vec::new(),
            lowest: 2,
            highest: 0,
        }
    }
}

impl By {
    fn add(&mut self, subscription: &Subscription) {
        self.count += 1;
        self.shared += u16::from(subscription.share.is_some());
        self.as_published += u16::from(subscription.retain_as_published);
        self.identifiers.extend(subscription.identifier);
        // What was not yet granted may have been granted less.
        let granted = subscription.sure_from != Tick::MAX;
        let lowest = if granted { subscription.qos } else { 0 };
        self.lowest = self.lowest.min(lowest);
        self.highest = self.highest.max(subscription.qos);
    }
}

impl Seen {
    fn look(
        &mut self,
        subscription: &Subscription,
        publication: &Publication,
        topic: &[u8],
        local: bool,
        texts: &Texts,
    ) {
        let filter = texts.get(subscription.filter);
        if subscription.refused || !matches(filter, topic) {
            return;
        }
        if self.dollars && hides(filter, topic) {
            self.hidden += 1;
            return;
        }
        self.matching += 1;
        // What one client of a Shared Subscription leaves behind may go to another.
        let until = if subscription.share.is_some() {
            Tick::MAX
        } else {
            publication.handled
        };
        if subscription.may_see(publication.sent, until) {
            if subscription.no_local && local && self.remembers_no_local {
                self.own += 1;
            } else {
                self.forwarded.add(subscription);
            }
        }
        if publication.sent <= subscription.sure_from {
            if subscription.share.is_some() {
                self.shared_later = true;
            } else if subscription.retain_handling == 2 {
                self.not_wanted += 1;
            } else if self.replaced < subscription.from {
                self.too_late += 1;
            } else {
                self.retained.add(subscription);
            }
        }
    }

    /// Why none of them explains the arrival.
    fn misfit(&self, retain: bool, published_retained: bool, may_be_retained: bool) -> Misfit {
        let forwarded = self.forwarded.count > 0;
        if self.matching == 0 && self.hidden > 0 {
            let why = "begins with a dollar, and a Topic Filter with a wildcard in front does not match it";
            Misfit::new(2, rule::DOLLAR, why)
        } else if self.matching == 0 {
            let why = "matches no subscription of the client";
            Misfit::new(1, rule::NOT_SUBSCRIBED, why)
        } else if retain && published_retained && self.shared_later {
            Misfit::RETAINED_SHARED
        } else if retain && forwarded {
            let why = "came with RETAIN, and was forwarded";
            Misfit::new(3, rule::RETAIN_SET, why)
        } else if !retain && (may_be_retained || forwarded) {
            Misfit::new(3, rule::RETAIN_CLEAR, "came without RETAIN")
        } else if published_retained && self.too_late > 0 {
            Misfit::new(2, rule::RETAINED_OLD, "was retained no longer")
        } else if published_retained && self.not_wanted > 0 {
            let why = "is a retained message, which the client did not want";
            Misfit::new(2, rule::RETAIN_HANDLING, why)
        } else if self.own > 0 {
            let why = "was published by the client itself, and its subscription has No Local";
            Misfit::new(2, rule::NO_LOCAL, why)
        } else {
            let why = "was published when the subscription was over, or before it began";
            Misfit::new(2, rule::UNSUBSCRIBED, why)
        }
    }
}
