//! What the target rightly sends, as expectations.

use std::time::Duration;

use codec::draft::Draft;
use codec::{Direction, Frame, MAXIMUM_PACKET_SIZE, Packet, PacketType, Split, Version};

use super::{Client, Expected, Identifier, Line, Writer};
use crate::observe::Observer;
use crate::oracle::Strictness;

impl Writer<'_> {
    pub(super) fn received(&mut self, client: usize, bytes: &[u8], at: Duration) {
        let mut unread = std::mem::take(&mut self.clients[client].unread);
        unread.extend_from_slice(bytes);
        let mut rest = unread.as_slice();
        let version = Version::V5_0;
        while let Ok(Split::Complete { frame, rest: after }) =
            codec::split(rest, version, Direction::ToClient, MAXIMUM_PACKET_SIZE)
        {
            self.oracle.received(client, frame.as_bytes(), at);
            let found = self.oracle.take_findings();
            let class = self.told.finding.class();
            if found.iter().any(|found| found.class() == class) {
                self.expect_better(client, frame);
            } else if found.is_empty() {
                self.expect(client, frame, &AS_IT_CAME);
            } else if !found.iter().any(|found| found.rule == "unsound-packet") {
                // Wrong in another way than the one that is told.
                self.expect(
                    client,
                    frame,
                    &But {
                        without: JUDGED,
                        with: None,
                    },
                );
            }
            rest = after;
        }
        self.clients[client].unread = rest.to_vec();
    }

    /// What a target without the fault sends instead.
    pub(super) fn expect_better(&mut self, client: usize, frame: Frame<'_>) {
        let (without, with): (&[&str], _) = match self.told.finding.rule {
            "dup-on-a-first-sending" => (&[], Some(("dup", "false".to_owned()))),
            "retain-on-a-forwarded-message" => (&["retain"], Some(("retain", "false".to_owned()))),
            "no-retain-on-a-retained-message" => (&["retain"], Some(("retain", "true".to_owned()))),
            "delivered-at-another-qos" if self.is_ahead_of_subscriptions(client, frame) => return,
            "delivered-at-another-qos" => {
                let qos = frame.flags() >> 1 & 0b11;
                (&["qos"], Some(("qos", format!("{{ not: {qos} }}"))))
            }
            "message-expiry-wrong" => match self.expiry(client, frame) {
                Some(expiry) => (&[], Some(("message_expiry", expiry))),
                None => return,
            },
            "delivered-twice" => match self.forwarded_as_retained(client, frame) {
                Some(line) => {
                    let text = &mut self.lines[line].text;
                    *text = text.replace(", retain: true }", ", retain: false }");
                    (&[], None)
                }
                None => return,
            },
            // How many codes there must be is a rule that stands over all scenarios.
            "codes-per-filter" => (&["codes"], None),
            "unsound-packet" => (CHOSEN, None),
            "session-present-without-a-session" | "session-present-on-a-clean-start" => {
                return self.expect_session(client, false);
            }
            "session-lost" => return self.expect_session(client, true),
            _ => return,
        };
        // Where all must come that is due, what is missing is told at the end.
        if self.told.strictness == Strictness::Safety || self.told.finding.rule.starts_with("dup") {
            self.expect(client, frame, &But { without, with });
        }
    }

    /// The Message Expiry Interval of what has come, as it should be: that with which it was published.
    fn expiry(&self, client: usize, frame: Frame<'_>) -> Option<String> {
        let version = self.clients[client].version;
        let packet = codec::decode(frame, version, Direction::ToClient).ok()?;
        let Packet::Publish(publish) = packet else {
            return None;
        };
        let mut published = self.published.iter().rev();
        let published = published.find(|published| published.payload == publish.payload)?;
        Some(match published.expiry? {
            0 => "0".to_owned(),
            expiry => format!("{{ near: {expiry}, by: 1 }}"),
        })
    }

    /// When the message that has come was sent; none where it is a Will, or nobody's.
    fn sent_at(&self, client: usize, frame: Frame<'_>) -> Option<usize> {
        let version = self.clients[client].version;
        let packet = codec::decode(frame, version, Direction::ToClient).ok()?;
        let Packet::Publish(publish) = packet else {
            return None;
        };
        let mut published = self.published.iter().rev();
        let published = published.find(|published| published.payload == publish.payload);
        published?.at
    }

    /// Whether a message has come that was sent before the client subscribed to anything, and not since it was retained:
    /// a target need not bring it at all.
    fn is_ahead_of_subscriptions(&self, client: usize, frame: Frame<'_>) -> bool {
        let subscribes = &self.clients[client].subscribes;
        let retained = frame.flags() & 1 == 1;
        let sent = self.sent_at(client, frame);
        !retained && sent.is_some_and(|sent| subscribes.iter().all(|subscribes| *subscribes > sent))
    }

    /// The line of a message that has come twice with RETAIN and must come twice, first without: it was sent between two
    /// SUBSCRIBE of the client.
    fn forwarded_as_retained(&self, client: usize, frame: Frame<'_>) -> Option<usize> {
        let Client {
            subscribes,
            expected,
            version,
            ..
        } = &self.clients[client];
        let packet = codec::decode(frame, *version, Direction::ToClient).ok()?;
        let Packet::Publish(publish) = packet else {
            return None;
        };
        let sent = self.sent_at(client, frame)?;
        let between = subscribes.iter().any(|subscribes| *subscribes < sent)
            && subscribes.iter().any(|subscribes| *subscribes > sent);
        let mut copies = expected
            .iter()
            .filter(|expected| expected.payload == publish.payload);
        let (Some(first), None) = (copies.next(), copies.next()) else {
            return None;
        };
        (between && publish.retain && first.retain).then_some(first.line)
    }

    /// Whether a message has come as often as it was published: where subscriptions overlap, it is the target's choice to
    /// send it once or for each of them.
    fn is_another_copy(&self, client: usize, packet: &Packet<'_>) -> bool {
        let Packet::Publish(publish) = packet else {
            return false;
        };
        let of = |payload: &&[u8]| *payload == publish.payload;
        let expected = self.clients[client].expected.iter();
        let expected = expected.map(|expected| expected.payload.as_slice());
        let published = self.published.iter().map(|each| each.payload.as_slice());
        self.told.strictness == Strictness::Safety
            && !publish.retain
            && !publish.dup
            && expected.filter(of).count() >= published.filter(of).count()
    }

    /// The client's last CONNECT must be answered with this Session Present.
    pub(super) fn expect_session(&mut self, client: usize, present: bool) {
        let connects = format!("{} connects: ", self.name(client));
        let mut lines = self.lines.iter_mut().rev();
        if let Some(line) = lines.find(|line| line.text.starts_with(&connects))
            && let Some(open) = line.text.strip_suffix(" }")
        {
            line.text = format!("{open}, gets: {{ session_present: {present} }} }}");
        }
    }

    fn expect(&mut self, client: usize, frame: Frame<'_>, but: &But<'_>) {
        let version = self.clients[client].version;
        let direction = Direction::ToClient;
        let Some(packet) = codec::decode_leniently(frame, version, direction, &mut Vec::new())
        else {
            return;
        };
        if self.clients[client].forbidden || self.is_another_copy(client, &packet) {
            return;
        }
        let name = self.name(client);
        let packet_type = packet.packet_type();
        let whole = Draft::from_packet(&packet, version);
        let kept: &[&str] = match packet_type {
            PacketType::Connack if self.clients[client].connected => return,
            PacketType::Disconnect => return,
            PacketType::Connack => &["reason"],
            PacketType::Publish => &["topic", "payload", "qos", "retain"],
            PacketType::Suback => &["id", "codes"],
            PacketType::Pingresp | PacketType::Auth => &[],
            _ => &["id"],
        };
        let mut draft = Draft::new(packet_type, version);
        for field in kept.iter().filter(|field| !but.without.contains(field)) {
            if let Some(value) = whole.get(field) {
                let _ = draft.set(field, value.clone());
            }
        }
        let mut fields = self.fields(&draft);
        if let Some((field, value)) = &but.with {
            let open = fields.strip_suffix(" }").unwrap_or(&fields);
            fields = format!("{open}, {field}: {value} }}");
        }
        let text = if fields == "{}" {
            format!("{name} <- {packet_type}")
        } else {
            format!("{name} <- {packet_type}: {fields}")
        };
        let (mut identifier, mut foreign) = (None, false);
        if let Packet::Publish(publish) = packet {
            let name = self.told.namespace;
            let mut parts = publish.topic.as_bytes().windows(name.len());
            foreign = self.told.strictness == Strictness::Safety
                && !publish.topic.is_empty()
                && !parts.any(|part| part == name);
        }
        if let Packet::Publish(publish) = packet {
            self.clients[client].expected.push(Expected {
                payload: publish.payload.to_vec(),
                retain: publish.retain,
                line: self.lines.len(),
            });
        }
        if let Packet::Publish(publish) = packet
            && let Some(number) = publish.packet_id
        {
            self.clients[client]
                .deliveries
                .push((number, self.lines.len()));
            self.identifiers += 1;
            identifier = Some(Identifier {
                name: format!("id{}", self.identifiers),
                used: false,
            });
        } else if let Packet::Pubrel(_) = packet {
            let text = self.with_identifier(client, &whole, text);
            self.line(text);
            return;
        }
        self.lines.push(Line {
            text,
            identifier,
            foreign,
        });
    }
}

/// How what is expected differs from what came.
struct But<'a> {
    /// Fields that nothing is said of.
    without: &'a [&'a str],
    /// A field, and what it should be.
    with: Option<(&'a str, String)>,
}

/// The fields of a PUBLISH that the target works out.
const CHOSEN: &[&str] = &["qos", "retain"];

/// The fields in which a packet can be wrong that is expected all the same.
const JUDGED: &[&str] = &["qos", "retain", "codes"];

const AS_IT_CAME: But<'_> = But {
    without: &[],
    with: None,
};

/// Whether a CONNACK that accepts comes first.
pub(super) fn accepts(bytes: &[u8]) -> bool {
    let (version, direction) = (Version::V5_0, Direction::ToClient);
    let split = codec::split(bytes, version, direction, MAXIMUM_PACKET_SIZE);
    matches!(split, Ok(Split::Complete { frame, .. })
        if frame.packet_type() == Some(PacketType::Connack)
            && bytes.get(frame.header_length() + 1) == Some(&0))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clauses::clause;

    use crate::observe::{Observer, Transcript};
    use crate::oracle::{Finding, Strictness};
    use crate::scenario::{Told, render};
    use crate::script::TOKEN;

    const CONNECT: &[u8] = b"\x10\x12\x00\x04MQTT\x04\x02\x00\x00\x00\x06assay0";
    const CONNACK: &[u8] = &[0x20, 2, 0, 0];
    const SUBSCRIBE: &[u8] = b"\x82\x06\x00\x01\x00\x01#\x00";
    const SUBACK: &[u8] = &[0x90, 3, 0, 1, 0];
    const PUBLISH: &[u8] = b"\x30\x09\x00\x06assay0x";

    /// What a client of 3.1.1 that sends and gets these packets, one after the other, tells.
    fn told(exchange: &[(&[u8], &[&[u8]])]) -> String {
        told_of("goes-on-behind-what-is-forbidden", exchange)
    }

    fn told_of(rule: &'static str, exchange: &[(&[u8], &[&[u8]])]) -> String {
        told_from(rule, &[&[(CONNECT, &[CONNACK][..])], exchange].concat())
    }

    fn told_from(rule: &'static str, exchange: &[(&[u8], &[&[u8]])]) -> String {
        let mut transcript = Transcript::default();
        let at = Duration::ZERO;
        transcript.opened(0, at);
        for (sent, received) in exchange {
            transcript.sent(0, sent, at);
            for packet in *received {
                transcript.received(0, packet, at);
            }
        }
        render(&Told {
            transcript: &transcript,
            finding: &Finding {
                rule,
                clause: match rule {
                    "goes-on-behind-what-is-forbidden" => Some(clause!("v3.1.1/MQTT-2.2.2-2")),
                    "delivered-at-another-qos" => Some(clause!("v3.1.1/MQTT-3.8.4-6")),
                    _ => None,
                },
                client: Some(0),
                message: String::new(),
            },
            namespace: *TOKEN,
            strictness: Strictness::Safety,
            transports: &[],
            notes: &[],
        })
    }

    #[test]
    fn behind_what_is_forbidden_nothing_is_expected() {
        // PUBREC with a wrong flag.
        let text = told(&[(&[0x58, 2, 0, 1], &[&[0x62, 2, 0, 1]])]);
        assert!(text.contains("a !> bytes: 58 02 00 01"), "{text}");
        assert!(!text.contains("PUBREL"), "{text}");
    }

    #[test]
    fn a_copy_for_each_subscription_is_the_targets_choice() {
        let text = told(&[(SUBSCRIBE, &[SUBACK]), (PUBLISH, &[PUBLISH, PUBLISH])]);
        assert_eq!(text.matches("a <- PUBLISH").count(), 1, "{text}");
        let text = told(&[
            (SUBSCRIBE, &[SUBACK]),
            (PUBLISH, &[PUBLISH]),
            (PUBLISH, &[PUBLISH]),
        ]);
        assert_eq!(text.matches("a <- PUBLISH").count(), 2, "{text}");
    }

    #[test]
    fn what_is_sent_again_is_no_copy() {
        // The PUBACK never comes, so the message does, once more.
        let first: &[u8] = b"\x32\x0b\x00\x06assay0\x00\x01x";
        let again: &[u8] = b"\x3a\x0b\x00\x06assay0\x00\x01x";
        let text = told(&[(SUBSCRIBE, &[SUBACK]), (PUBLISH, &[first, again])]);
        assert_eq!(text.matches("a <- PUBLISH").count(), 2, "{text}");
    }

    #[test]
    fn what_is_not_complete_is_followed_by_the_end() {
        const PINGRESP: &[u8] = &[0xD0, 0];
        // A PINGREQ that says it has 86 bytes more.
        let text = told_of("answer-to-nothing", &[(&[0xC0, 0x56], &[PINGRESP])]);
        assert!(
            text.contains("a !> bytes: c0 56\n    why: 'the packet is not complete'\n  - a half-closes\n  - a <- closed\n"),
            "{text}"
        );
        assert!(!text.contains("PINGRESP\n"), "{text}");
        // No bytes more make a length of this.
        let text = told(&[(&[0xE0, 0xE7, 0xCA, 0xF1, 0x95, 0xC0, 0], &[])]);
        assert!(
            !text.contains("half-closes") && text.ends_with("a <- closed\n"),
            "{text}"
        );
    }

    #[test]
    fn what_came_before_any_subscription_need_not_come() {
        let at_qos_1: &[u8] = b"\x32\x0b\x00\x06assay0\x00\x01x";
        let late = [(PUBLISH, &[][..]), (SUBSCRIBE, &[SUBACK, at_qos_1])];
        let text = told_of("delivered-at-another-qos", &late);
        assert!(!text.contains("a <- PUBLISH"), "{text}");
        let in_time = [(SUBSCRIBE, &[SUBACK][..]), (PUBLISH, &[at_qos_1])];
        let text = told_of("delivered-at-another-qos", &in_time);
        assert!(text.contains("qos: { not: 1 } }"), "{text}");
    }

    #[test]
    fn a_message_that_is_forwarded_and_retained_comes_with_retain_once() {
        let connect: &[u8] = b"\x10\x13\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x06assay0";
        let as_published: &[u8] = b"\x82\x07\x00\x01\x00\x00\x01#\x18";
        let no_longer: &[u8] = b"\x82\x07\x00\x01\x00\x00\x01#\x10";
        let narrow: &[u8] = b"\x82\x0c\x00\x02\x00\x00\x06assay0\x00";
        let publish: &[u8] = b"\x31\x0a\x00\x06assay0\x00x";
        let suback: &[u8] = &[0x90, 4, 0, 1, 0, 0];
        let text = told_from(
            "delivered-twice",
            &[
                (connect, &[&[0x20, 3, 0, 0, 0]]),
                (as_published, &[suback]),
                (no_longer, &[suback]),
                (publish, &[]),
                (narrow, &[publish, publish, &[0x90, 4, 0, 2, 0, 0]]),
            ],
        );
        let come: Vec<_> = text.match_indices("a <- PUBLISH").collect();
        let [(forwarded, _), (retained, _)] = come[..] else {
            panic!("{text}");
        };
        assert!(
            text[forwarded..retained].contains("retain: false }"),
            "{text}"
        );
        assert!(text[retained..].contains("retain: true }"), "{text}");
    }
}
