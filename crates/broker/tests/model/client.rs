//! A client: what it has received, and what it has to answer.

use std::collections::VecDeque;

use broker::core::ConnectionId;
use codec::{Direction, Packet, Publish, Split, Version};

use crate::session::Received;

/// How a client answers, with the Packet Identifier.
#[derive(Debug)]
pub(crate) enum Answer {
    Puback(u16),
    Pubrec(u16),
    Pubcomp(u16),
}

#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) version: Version,
    /// Whether the last CONNACK has told of a Session.
    pub(crate) session_present: bool,
    /// What it has received because of the last operation.
    pub(crate) received: Vec<Received>,
    /// The answers that nobody has looked at yet.
    pub(crate) answers: VecDeque<String>,
    /// Packet Identifier, QoS and payload of what it has to answer.
    messages: VecDeque<(u16, u8, String)>,
    released: VecDeque<u16>,
    /// The payloads of QoS 2 messages that it has taken over, to tell a PUBREL's.
    payloads: Vec<(u16, String)>,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            connection: None,
            version: Version::V5_0,
            session_present: false,
            received: Vec::new(),
            answers: VecDeque::new(),
            messages: VecDeque::new(),
            released: VecDeque::new(),
            payloads: Vec::new(),
        }
    }
}

impl Client {
    /// It opens a connection; of the last one it remembers its Session State alone.
    pub(crate) fn opens(&mut self, connection: ConnectionId, version: Version) {
        self.connection = Some(connection);
        self.version = version;
        self.messages.clear();
        self.released.clear();
    }

    /// Takes the first answer, which must be this one.
    pub(crate) fn expect(&mut self, answer: &str) {
        assert_eq!(self.answers.pop_front().as_deref(), Some(answer));
    }

    /// What it answers next, if anything.
    pub(crate) fn answers_next(&mut self, pubrel_first: bool) -> Option<Answer> {
        if pubrel_first {
            self.completes().or_else(|| self.takes_over())
        } else {
            self.takes_over().or_else(|| self.completes())
        }
    }

    fn completes(&mut self) -> Option<Answer> {
        let packet_id = self.released.pop_front()?;
        self.payloads.retain(|(id, _)| *id != packet_id);
        Some(Answer::Pubcomp(packet_id))
    }

    fn takes_over(&mut self) -> Option<Answer> {
        let (packet_id, qos, payload) = self.messages.pop_front()?;
        if qos == 1 {
            return Some(Answer::Puback(packet_id));
        }
        self.payloads.push((packet_id, payload));
        Some(Answer::Pubrec(packet_id))
    }

    pub(crate) fn read(&mut self, mut bytes: &[u8]) {
        while let Ok(Split::Complete { frame, rest }) =
            codec::split(bytes, self.version, Direction::ToClient, usize::MAX)
        {
            bytes = rest;
            let packet = codec::decode(frame, self.version, Direction::ToClient);
            self.take(&packet.expect("a sound packet"));
        }
        assert!(bytes.is_empty(), "part of a packet");
    }

    fn take(&mut self, packet: &Packet<'_>) {
        let answer = match packet {
            Packet::Publish(publish) => return self.take_publish(publish),
            Packet::Pubrel(pubrel) => {
                let id = pubrel.packet_id;
                let known = self.payloads.iter().find(|(known, _)| *known == id);
                let (_, payload) = known.expect("a message that was taken over");
                self.received.push(Received::Release {
                    payload: payload.clone(),
                });
                return self.released.push_back(id);
            }
            Packet::Disconnect(_) => return,
            Packet::Connack(connack) => {
                self.session_present = connack.session_present;
                if !connack.session_present {
                    self.payloads.clear();
                }
                "CONNACK".to_owned()
            }
            Packet::Suback(suback) => {
                let codes: Vec<_> = suback.codes.iter().map(|code| code.0).collect();
                format!("SUBACK {} {codes:?}", suback.packet_id)
            }
            Packet::Unsuback(unsuback) => format!("UNSUBACK {}", unsuback.packet_id),
            Packet::Puback(puback) => format!("PUBACK {}", puback.packet_id),
            Packet::Pubrec(pubrec) => format!("PUBREC {}", pubrec.packet_id),
            Packet::Pubcomp(pubcomp) => format!("PUBCOMP {}", pubcomp.packet_id),
            other => panic!("unexpected {other:?}"),
        };
        self.answers.push_back(answer);
    }

    fn take_publish(&mut self, publish: &Publish<'_>) {
        let payload = String::from_utf8_lossy(publish.payload).into_owned();
        let qos = publish.qos.value();
        if let Some(packet_id) = publish.packet_id {
            let in_use = self.messages.iter().any(|(id, ..)| *id == packet_id)
                || self.released.contains(&packet_id);
            assert!(!in_use, "Packet Identifier {packet_id} is in use");
            self.messages.push_back((packet_id, qos, payload.clone()));
        }
        let mut identifiers: Vec<_> = publish.properties.subscription_identifiers().collect();
        identifiers.sort_unstable();
        self.received.push(Received::Message {
            topic: String::from_utf8_lossy(publish.topic.as_bytes()).into_owned(),
            payload,
            qos,
            retain: publish.retain,
            dup: publish.dup,
            expiry: publish.properties.message_expiry_interval(),
            identifiers,
        });
    }
}
