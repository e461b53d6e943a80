//! What a target owes once everything is settled: answers, closes, messages.

use super::link::{Kind, Stage};
use super::rule::{self, Rule};
use super::session::{Due, OPEN, State};
use super::{Missing, Oracle, Tick};
use codec::PacketType;

/// Messages in flight that the reference broker has at most, whatever the client allows.
const IN_FLIGHT: usize = 1_000;

impl Oracle {
    pub(super) fn settle(&mut self) {
        let (tick, now) = (self.tick, self.now);
        let exact = self.is_exact();
        // Sessions without their client end by and by.
        for session in &mut self.sessions {
            if exact && !session.gone && session.ends.is_some_and(|ends| ends <= now) {
                session.gone = true;
                session.due.clear();
            }
        }
        let mut all = true;
        for at in self.judged..self.publications.len() {
            let publication = &mut self.publications[at];
            if publication.handled != OPEN {
                continue;
            }
            if publication.due > now {
                all = false;
                continue;
            }
            publication.handled = tick;
            if exact && publication.sure {
                self.falls_due(at);
            }
            if all {
                self.judged = at + 1;
            }
        }
        if exact {
            for client in 0..self.links.len() {
                let link = self.links[client].as_ref();
                if link.is_some_and(|link| link.open && !link.half_closed) {
                    self.judge_link(client);
                    self.judge_messages(client);
                }
            }
        }
    }

    /// Works out to whom a message must go.
    fn falls_due(&mut self, at: usize) {
        let publication = self.publications[at];
        let topic = self.texts.get(publication.topic);
        for session in &mut self.sessions {
            if session.gone || session.unsure {
                continue;
            }
            let (mut granted, mut highest) = (None, 0);
            for subscription in &session.subscriptions {
                let local =
                    || self.texts.get(publication.client_id) == self.texts.get(session.client_id);
                if subscription.share.is_none()
                    && subscription.may_see(publication.sent, publication.handled)
                    && subscription.matches(&self.texts, topic)
                    && !(subscription.no_local && local())
                {
                    highest = highest.max(subscription.qos);
                    if subscription.surely_sees(publication.sent, publication.handled) {
                        granted = granted.max(Some(subscription.qos));
                    }
                }
            }
            let Some(granted) = granted else { continue };
            let surely = granted.min(publication.qos);
            let came = session
                .copies
                .iter()
                .any(|copies| copies.publication == at && copies.forwarded > 0);
            let link = self
                .links
                .iter()
                .flatten()
                .find(|link| Some(link.serial) == session.link);
            let awake = link.is_some_and(|link| {
                link.open && !link.stalled && !link.left && link.connected <= publication.sent
            });
            if came || surely == 0 && !awake || publication.expiry.is_some() {
                continue;
            }
            session.due.push(Due {
                publication: at,
                // At the QoS of a subscription that may be in force besides, it may wait its turn.
                qos: highest.min(publication.qos),
                retained: false,
                will: publication.will,
            });
        }
    }

    /// Works out which retained messages a new subscription must bring.
    pub(super) fn retained_falls_due(&mut self, own: usize, subscription: usize) {
        if !self.is_exact() {
            return;
        }
        let session = &mut self.sessions[own];
        let subscription = session.subscriptions[subscription];
        if subscription.share.is_some()
            || subscription.retain_handling == 2
            || subscription.retain_handling == 1 && subscription.replaces
        {
            return;
        }
        // The latest retained message of each topic.
        let mut current: Vec<(usize, Tick)> = Vec::new();
        for (at, publication) in self.publications.iter().enumerate() {
            let topic = self.texts.get(publication.topic);
            if !publication.retain
                || publication.handled >= subscription.from
                || !subscription.matches(&self.texts, topic)
            {
                continue;
            }
            let when = if publication.will {
                publication.handled
            } else {
                publication.sent
            };
            match current
                .iter_mut()
                .find(|(known, _)| self.texts.get(self.publications[*known].topic) == topic)
            {
                Some(known) if known.1 <= when => *known = (at, when),
                Some(_) => {}
                None => current.push((at, when)),
            }
        }
        for (at, _) in current {
            let publication = &self.publications[at];
            let topic = self.texts.get(publication.topic);
            let empty = self.texts.get(publication.payload).is_empty();
            let doubtful = self
                .publications
                .iter()
                .any(|other| other.retain && !other.sure && self.texts.get(other.topic) == topic);
            if empty || doubtful || publication.expiry.is_some() {
                continue;
            }
            session.due.push(Due {
                publication: at,
                qos: publication.qos.min(subscription.qos),
                retained: true,
                will: publication.will,
            });
        }
    }

    /// Has the client all its answers, and is its link in the state in which it must be?
    fn judge_link(&mut self, client: usize) {
        let now = self.now;
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let stays: Option<(Rule, &str)> = if link.dismissed {
            Some((
                rule::OPEN_AFTER_DISCONNECT,
                "the link is open after its DISCONNECT",
            ))
        } else if link.stage == Stage::Refused {
            Some((
                rule::OPEN_AFTER_REFUSAL,
                "the link is open after a CONNACK that refuses",
            ))
        } else if link.must_go {
            Some((
                rule::OPEN_AFTER_TAKEOVER,
                "the link is open, and another client has its Client Identifier",
            ))
        } else if link.stage == Stage::Asking && !link.may_close && !link.blind {
            Some((rule::NO_CONNACK, "no CONNACK came"))
        } else if link.stage == Stage::Connected
            && now > link.last_sent
            && link
                .keep_alive()
                .is_some_and(|keep_alive| now > link.last_sent + keep_alive * 3 / 2)
        {
            Some((
                rule::OPEN_AFTER_KEEP_ALIVE,
                "the link is open, and the client was silent for too long",
            ))
        } else {
            None
        };
        if let Some((rule, message)) = stays {
            self.find(client, rule, message.to_owned());
            self.misses(if rule == rule::NO_CONNACK {
                Missing::Answer(PacketType::Connack, 0)
            } else {
                Missing::Close
            });
            return;
        }
        if let Some((clause, what)) = link.must_close {
            let message = format!("the link is open after {what}");
            self.note(client, rule::STAYS_OPEN.name, clause, message);
            self.misses(Missing::Close);
            return;
        }
        if link.wild || link.left || link.stalled || link.asked.maximum_packet_size.is_some() {
            return;
        }
        if let Some(request) = link.requests.iter_mut().find(|request| request.due) {
            request.due = false;
            let (packet_id, kind) = (request.packet_id, request.kind);
            let rule = match kind {
                Kind::Pingresp => rule::NO_PINGRESP,
                Kind::Suback => rule::NO_SUBACK,
                Kind::Unsuback => rule::NO_UNSUBACK,
                Kind::Puback => rule::NO_PUBACK,
                Kind::Pubrec => rule::NO_PUBREC,
                Kind::Pubrel => rule::NO_PUBREL,
                Kind::Pubcomp => rule::NO_PUBCOMP,
            };
            let message = format!("no {kind} came for {packet_id}");
            self.find(client, rule, message);
            self.misses(Missing::Answer(kind.packet_type(), packet_id));
        }
    }

    /// Whether another message looks the same.
    fn is_one_of_several(&self, at: usize) -> bool {
        let text = |at: usize| {
            let publication = &self.publications[at];
            (
                self.texts.get(publication.topic),
                self.texts.get(publication.payload),
            )
        };
        (0..self.publications.len()).any(|other| other != at && text(other) == text(at))
    }

    /// Has the client all its messages, as far as its window lets them through?
    fn judge_messages(&mut self, client: usize) {
        let Some(Some(link)) = self.links.get(client) else {
            return;
        };
        let Some(own) = link.session else { return };
        if link.stage != Stage::Connected
            || link.wild
            || link.left
            || link.dismissed
            || link.stalled
        {
            return;
        }
        if link.asked.maximum_packet_size.is_some() {
            // What does not fit is as good as delivered.
            self.sessions[own].due.clear();
            return;
        }
        let session = &self.sessions[own];
        if session.due.is_empty() && session.deliveries.is_empty() {
            return;
        }
        let serial = link.serial;
        let window = usize::from(link.asked.receive_maximum).min(IN_FLIGHT);
        let session = &mut self.sessions[own];
        let odd = session.deliveries.iter().filter(|d| d.odd).count();
        let full = session.under_way(serial) + odd >= window;
        let lost = session
            .due
            .iter()
            .position(|due| due.qos == 0 && !due.retained || !full);
        // A retained message of QoS 0 waits for nothing, but stands behind others that do.
        if let Some(at) = lost {
            let due = session.due.swap_remove(at);
            let publication = self.publications[due.publication];
            if self.is_one_of_several(due.publication) {
                // Nobody can tell which of them came.
                return;
            }
            let message = format!(
                "{} did not come",
                self.about(publication.topic, publication.payload)
            );
            let rule = match (due.retained, due.will) {
                (true, _) => rule::RETAINED_LOST,
                (false, true) => rule::WILL_LOST,
                (false, false) => rule::LOST,
            };
            self.find(client, rule, message);
            self.misses(Missing::Message {
                topic: self.texts.get(publication.topic).to_vec(),
                payload: self.texts.get(publication.payload).to_vec(),
                qos: due.qos,
                retained: due.retained,
                retain: publication.retain,
            });
            return;
        }
        let session = &mut self.sessions[own];
        let forgotten = session.deliveries.iter_mut().find(|delivery| {
            delivery.link != serial && delivery.state != State::Completed && !delivery.odd
        });
        if let Some(delivery) = forgotten
            && !full
        {
            delivery.odd = true;
            let (packet_id, qos) = (delivery.packet_id, delivery.qos);
            let (topic, payload) = (delivery.topic, delivery.payload);
            let message = format!(
                "{} with Packet Identifier {packet_id} was not acknowledged, and not sent again",
                self.about(topic, payload)
            );
            self.find(client, rule::NOT_SENT_AGAIN, message);
            self.misses(Missing::Message {
                topic: self.texts.get(topic).to_vec(),
                payload: self.texts.get(payload).to_vec(),
                qos,
                retained: false,
                // Nobody knows here what it was published with.
                retain: true,
            });
        }
    }
}
