//! What comes to a client, taken apart into packets: is each sound, and is it an answer to something?

use std::time::Duration;

use codec::{
    Direction, Frame, MAXIMUM_PACKET_SIZE, Packet, PacketType, Properties, PropertyId, Split,
    Version,
};

use super::link::{Kind, Request, Stage};
use super::rule::{self, Rule};
use super::{Oracle, shown};

impl Oracle {
    pub(super) fn client_receives(&mut self, client: usize, bytes: &[u8], at: Duration) {
        self.tick(at);
        let Some(Some(link)) = self.links.get_mut(client) else {
            return;
        };
        let mut unread = std::mem::take(&mut link.unread);
        if unread.is_empty() {
            let taken = self.take_received(client, bytes);
            unread.extend_from_slice(&bytes[taken..]);
        } else {
            unread.extend_from_slice(bytes);
            let taken = self.take_received(client, &unread);
            unread.drain(..taken);
        }
        if let Some(Some(link)) = self.links.get_mut(client) {
            link.unread = unread;
        }
    }

    fn take_received(&mut self, client: usize, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        loop {
            let Some(Some(link)) = self.links.get(client) else {
                return bytes.len();
            };
            match codec::split(rest, link.version, Direction::ToClient, MAXIMUM_PACKET_SIZE) {
                Ok(Split::Complete { frame, rest: after }) => {
                    self.tick += 1;
                    self.packet_received(client, frame);
                    rest = after;
                }
                Ok(Split::Incomplete { .. }) => return bytes.len() - rest.len(),
                Err(violation) => {
                    let message = format!("what it sent cannot be taken apart: {violation}");
                    let rule = rule::NOT_ONE_STREAM.name;
                    self.note(client, rule, Some(violation.clause), message);
                    return bytes.len();
                }
            }
        }
    }

    fn packet_received(&mut self, client: usize, frame: Frame<'_>) {
        let Some(Some(link)) = self.links.get(client) else {
            return;
        };
        let (version, stage) = (link.version, link.stage);
        // No sound CONNECT came before what cannot be taken apart.
        let unknown = link.blind && link.session.is_none();
        let name = frame.packet_type().map_or("a packet", PacketType::name);
        if stage == Stage::Opened && !link.blind {
            self.find(
                client,
                rule::BEFORE_CONNECT,
                format!("{name} came before CONNECT was sent"),
            );
            return;
        }
        if link.dismissed {
            self.find(
                client,
                rule::AFTER_DISCONNECT,
                format!("{name} came behind its DISCONNECT"),
            );
            return;
        }
        if stage == Stage::Refused {
            self.find(
                client,
                rule::AFTER_REFUSAL,
                format!("{name} came behind a CONNACK that refuses"),
            );
            return;
        }
        let size = frame.as_bytes().len();
        if let Some(maximum) = link.asked.maximum_packet_size
            && size > maximum as usize
            && !self.is_foreign_publish(frame, version)
        {
            let message = format!("{name} has {size} bytes, and the client takes {maximum}");
            self.find(client, rule::TOO_LARGE, message);
        }
        if unknown {
            // Nobody knows which version it took the client for.
            let sound = Version::ALL
                .iter()
                .any(|&version| codec::decode(frame, version, Direction::ToClient).is_ok());
            if !sound {
                self.find(
                    client,
                    rule::UNSOUND_PACKET,
                    format!("{name} is sound in no version"),
                );
            }
            let code = frame.as_bytes().get(frame.header_length() + 1);
            if frame.packet_type() == Some(PacketType::Connack) && code == Some(&0) {
                self.lets_in_who_must_not(client);
            }
            return;
        }
        let packet = match codec::decode(frame, version, Direction::ToClient) {
            Ok(packet) => packet,
            // To a version that it does not speak, a target answers as it can.
            Err(_) if stage == Stage::Asking && is_plain_refusal(frame) => {
                if let Some(Some(link)) = self.links.get_mut(client) {
                    link.stage = Stage::Refused;
                }
                return;
            }
            Err(violation) => {
                let message = format!("{name} is unsound: {violation}");
                let rule = rule::UNSOUND_PACKET.name;
                self.note(client, rule, Some(violation.clause), message);
                return;
            }
        };
        if stage == Stage::Asking && !matches!(packet, Packet::Connack(_) | Packet::Auth(_)) {
            let rule = if matches!(packet, Packet::Disconnect(_)) {
                rule::DISCONNECT_BEFORE_CONNACK
            } else {
                rule::FIRST_PACKET
            };
            self.find(client, rule, format!("{name} came before CONNACK"));
        }
        if version.has_properties() {
            self.judge_problem_information(client, &packet);
        }
        self.take(client, &packet);
    }

    /// Whether it brings a message of others, which does not come again when the same is done again.
    fn is_foreign_publish(&self, frame: Frame<'_>, version: Version) -> bool {
        let packet = codec::decode(frame, version, Direction::ToClient);
        matches!(packet, Ok(Packet::Publish(publish)) if self.is_foreign(publish.topic.as_bytes()))
    }

    fn take(&mut self, client: usize, packet: &Packet<'_>) {
        match packet {
            Packet::Connack(connack) => self.connack(client, connack),
            Packet::Publish(publish) => self.publish_received(client, publish),
            Packet::Puback(packet) => {
                self.publication_answered(
                    client,
                    Kind::Puback,
                    packet.packet_id,
                    packet.reason_code,
                );
            }
            Packet::Pubrec(packet) => {
                self.publication_answered(
                    client,
                    Kind::Pubrec,
                    packet.packet_id,
                    packet.reason_code,
                );
            }
            Packet::Pubrel(packet) => self.pubrel(client, packet.packet_id),
            Packet::Pubcomp(packet) => {
                self.answer(client, Kind::Pubcomp, packet.packet_id, rule::ANSWER_ID);
            }
            Packet::Suback(suback) => self.suback(client, suback.packet_id, suback.codes),
            Packet::Unsuback(packet) => self.unsuback(client, packet.packet_id, packet.codes),
            Packet::Pingresp(_) => {
                self.answer(client, Kind::Pingresp, 0, rule::UNASKED_ANSWER);
            }
            Packet::Disconnect(disconnect) => self.dismissed(client, disconnect.reason_code),
            Packet::Auth(_) => {
                let with_method = self.links[client].as_mut().is_some_and(|link| {
                    link.proofs = link.proofs.saturating_sub(1);
                    link.asked.authentication
                });
                if !with_method {
                    self.find(
                        client,
                        rule::UNASKED_AUTH,
                        "AUTH came without a method in CONNECT".into(),
                    );
                }
            }
            Packet::Connect(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::Pingreq(_) => {}
        }
    }

    fn judge_problem_information(&mut self, client: usize, packet: &Packet<'_>) {
        let unwanted = self.links[client]
            .as_ref()
            .is_some_and(|link| !link.asked.problem_information);
        if !unwanted {
            return;
        }
        let properties = match packet {
            Packet::Puback(packet) => packet.properties,
            Packet::Pubrec(packet) => packet.properties,
            Packet::Pubrel(packet) => packet.properties,
            Packet::Pubcomp(packet) => packet.properties,
            Packet::Suback(packet) => packet.properties,
            Packet::Unsuback(packet) => packet.properties,
            Packet::Auth(packet) => packet.properties,
            _ => Properties::EMPTY,
        };
        if properties.contains(PropertyId::ReasonString)
            || properties.contains(PropertyId::UserProperty)
        {
            let name = packet.packet_type();
            let message = format!("{name} explains itself to a client that does not want it");
            self.find(client, rule::PROBLEM_INFORMATION, message);
        }
    }

    /// Takes the request that this answers, if there is one.
    pub(super) fn answer(
        &mut self,
        client: usize,
        kind: Kind,
        packet_id: u16,
        rule: Rule,
    ) -> Option<Request> {
        let request = self.take_request(client, kind, packet_id);
        if request.is_none() {
            self.is_unasked(client, kind, packet_id, rule);
        }
        request
    }

    /// An answer came that nothing asked for.
    pub(super) fn is_unasked(&mut self, client: usize, kind: Kind, packet_id: u16, rule: Rule) {
        if self.answers_the_unreadable(client, kind, packet_id) {
            return;
        }
        let message = if kind == Kind::Pingresp {
            "PINGRESP came, and no PINGREQ waits for it".to_owned()
        } else {
            format!(
                "{kind} has Packet Identifier {packet_id}, which nothing that was sent waits for"
            )
        };
        self.find(client, rule, message);
    }

    /// Tells which topic it was about.
    pub(super) fn about(&self, topic: super::Span, payload: super::Span) -> String {
        let topic = shown(self.texts.get(topic));
        let payload = shown(self.texts.get(payload));
        format!("`{payload}` on `{topic}`")
    }
}

/// CONNACK as 3.1.1 has it, with an error.
fn is_plain_refusal(frame: Frame<'_>) -> bool {
    matches!(frame.as_bytes(), [0x20, 2, 0, code] if *code > 0)
}
