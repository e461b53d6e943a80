//! What a client publishes: which message it is, and whether the target must take it.

use clauses::clause;
use codec::{Publish, QoS, ReasonCode, Version};

use super::link::{Kind, Link, Stage};
use super::publication::{Publication, forwarded};
use super::rule;
use super::session::{Incoming, OPEN};
use super::text::{Span, Texts};
use super::{NOWHERE, Oracle};

impl Oracle {
    pub(super) fn publish_sent(&mut self, client: usize, version: Version, publish: &Publish<'_>) {
        let tick = self.tick;
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let Some(own) = link.session else { return };
        let topic = Self::topic_sent(link, &mut self.texts, publish);
        let properties = publish.properties;
        let not_text = properties.payload_format_indicator() == Some(1)
            && std::str::from_utf8(publish.payload).is_err();
        link.may_close |= not_text;
        let mut sure = !link.wild
            && link.stage == Stage::Connected
            && properties.message_expiry_interval() != Some(0)
            && !not_text;
        let publisher = link.serial;
        if let Some(packet_id) = publish.packet_id {
            let number = self.publications.len();
            let (known, is_plain) = if topic == NOWHERE {
                (None, false)
            } else {
                self.identified(client, own, publish, packet_id, topic)
            };
            if let Some(Some(link)) = self.links.get_mut(client) {
                link.ask(answer_to(publish.qos), packet_id, 0, tick);
                if let Some(request) = link.requests.last_mut() {
                    request.due &= topic != NOWHERE;
                    if topic != NOWHERE {
                        request.about = known.unwrap_or(number);
                    }
                }
            }
            if known.is_some() {
                return;
            }
            sure &= is_plain;
        }
        if topic == NOWHERE {
            return;
        }
        sure &= !self.texts.get(topic).starts_with(b"$SYS/");
        let payload = self.texts.keep(publish.payload);
        self.publications.push(Publication {
            topic,
            payload,
            qos: publish.qos.value(),
            retain: publish.retain,
            properties: if version.has_properties() {
                forwarded(properties)
            } else {
                0
            },
            expiry: properties.message_expiry_interval(),
            publisher,
            client_id: self.sessions[own].client_id,
            sent: tick,
            handled: OPEN,
            released: OPEN,
            sure,
            refused: false,
            will: false,
            due: self.now,
            recalled: false,
        });
    }

    /// The topic that a PUBLISH names, itself or by its Topic Alias; [`NOWHERE`] where it names none.
    fn topic_sent(link: &mut Link, texts: &mut Texts, publish: &Publish<'_>) -> Span {
        if publish.qos.value() > link.told.maximum_qos {
            link.wrong(
                Some(clause!("v5.0/MQTT-3.2.2-11")),
                "a QoS above Maximum QoS",
            );
        }
        if publish.retain && !link.told.retain {
            link.wrong(
                Some(clause!("v5.0/MQTT-3.2.2-14")),
                "RETAIN where it is not available",
            );
        }
        let mut topic = NOWHERE;
        if !publish.topic.is_empty() {
            topic = texts.keep(publish.topic.as_bytes());
        }
        if let Some(alias) = publish.properties.topic_alias() {
            let known = link
                .aliases_out
                .iter_mut()
                .find(|(known, _)| *known == alias);
            if alias == 0 || alias > link.told.alias_maximum {
                link.wrong(
                    Some(clause!("v5.0/MQTT-3.3.2-9")),
                    "a Topic Alias above the maximum",
                );
            } else if topic == NOWHERE {
                match known {
                    Some((_, known)) => topic = *known,
                    None => link.wrong(None, "a Topic Alias that stands for nothing"),
                }
            } else if let Some((_, known)) = known {
                *known = topic;
            } else {
                link.aliases_out.push((alias, topic));
            }
        }
        topic
    }

    /// Which message a Packet Identifier stands for that is released by PUBREL, if the target has it already; and whether
    /// that is sure.
    fn identified(
        &mut self,
        client: usize,
        own: usize,
        publish: &Publish<'_>,
        packet_id: u16,
        topic: Span,
    ) -> (Option<usize>, bool) {
        let exact = self.is_exact();
        let (mut known, mut sure) = (None, true);
        let Some(Some(link)) = self.links.get_mut(client) else {
            return (known, sure);
        };
        let serial = link.serial;
        let session = &mut self.sessions[own];
        let maximum = usize::from(link.told.receive_maximum);
        let unreleased_here = session.incoming.iter().filter(|i| i.link == serial).count();
        let unreleased = session
            .incoming
            .iter()
            .position(|i| i.packet_id == packet_id);
        if unreleased.is_none() && unreleased_here >= maximum {
            link.wrong(
                Some(clause!("v5.0/MQTT-3.3.4-7")),
                "more than Receive Maximum",
            );
            sure = false;
        } else if unreleased_here + link.unanswered(Kind::Puback) >= maximum {
            // Whether it is one too many depends on how soon the target acknowledges.
            link.may_close = true;
        }
        match (publish.qos.value(), unreleased) {
            (2, Some(at)) => {
                // The same message once more, whatever it looks like, where the first one has arrived.
                let first = &mut session.incoming[at];
                let known_as = &mut self.publications[first.publication];
                let arrived = known_as.handled != OPEN;
                let same = self.texts.get(known_as.topic) == self.texts.get(topic)
                    && self.texts.get(known_as.payload) == publish.payload;
                let two = first.doubtful || !known_as.sure || !exact && !same;
                if two {
                    // An identifier for two messages: no sentence says which of them is meant; or the first need not
                    // have been taken.
                    known_as.sure = false;
                    sure = false;
                } else if first.link == serial || exact || arrived {
                    first.link = serial;
                    known = Some(first.publication);
                } else {
                    sure = false;
                    self.publications[first.publication].sure = false;
                }
            }
            (1, Some(_)) => sure = false,
            (2, None) => {
                session.incoming.push(Incoming {
                    packet_id,
                    publication: self.publications.len(),
                    link: serial,
                    doubtful: false,
                });
            }
            _ => {}
        }
        (known, sure)
    }

    pub(super) fn publication_answered(
        &mut self,
        client: usize,
        kind: Kind,
        packet_id: u16,
        code: ReasonCode,
    ) {
        let taken = self.take_request(client, kind, packet_id);
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let Some(own) = link.session else { return };
        let incoming = &mut self.sessions[own].incoming;
        let open = incoming.iter().position(|i| i.packet_id == packet_id);
        let Some(request) = taken else {
            // Before 5.0 nothing forbids to acknowledge once more.
            if !(kind == Kind::Pubrec && open.is_some() && !link.version.has_properties()) {
                self.is_unasked(client, kind, packet_id, rule::ANSWER_ID);
            }
            return;
        };
        if code.is_error() {
            if let (Kind::Pubrec, Some(at)) = (kind, open) {
                incoming.remove(at);
            }
            if let Some(publication) = self.publications.get_mut(request.about) {
                publication.sure = false;
                publication.refused = true;
            }
        }
    }
}

const fn answer_to(qos: QoS) -> Kind {
    match qos.value() {
        2 => Kind::Pubrec,
        _ => Kind::Puback,
    }
}
