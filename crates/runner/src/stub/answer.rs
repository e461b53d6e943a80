//! What a stub answers: sound acknowledgements, whatever it was sent.

use codec::{
    Connack, Connect, Direction, Frame, MAXIMUM_PACKET_SIZE, Packet, PacketType, Pingresp,
    Properties, PropertiesBuf, PropertyId, Puback, Pubcomp, Pubrec, Pubrel, ReasonCode,
    ReasonCodes, Split, Suback, Unsuback, Version,
};

/// The answers on one connection.
pub(super) struct Answers {
    answered: fn(PacketType) -> bool,
    version: Version,
    unread: Vec<u8>,
}

impl Answers {
    pub(super) fn none() -> Self {
        Self::to_some(|_| false)
    }

    pub(super) fn to_connect_only() -> Self {
        Self::to_some(|packet_type| packet_type == PacketType::Connect)
    }

    pub(super) fn to_everything() -> Self {
        Self::to_some(|_| true)
    }

    fn to_some(answered: fn(PacketType) -> bool) -> Self {
        Self {
            answered,
            version: Version::V3_1_1,
            unread: Vec::new(),
        }
    }

    /// The answers to what has arrived.
    pub(super) fn to(&mut self, arrived: &[u8]) -> Vec<u8> {
        self.unread.extend_from_slice(arrived);
        let unread = std::mem::take(&mut self.unread);
        let mut rest = unread.as_slice();
        let mut out = Vec::new();
        loop {
            match codec::split(rest, self.version, Direction::ToServer, MAXIMUM_PACKET_SIZE) {
                Ok(Split::Complete {
                    frame,
                    rest: behind,
                }) => {
                    self.answer(frame, &mut out);
                    rest = behind;
                }
                Ok(Split::Incomplete { .. }) => {
                    self.unread = rest.to_vec();
                    return out;
                }
                // What cannot be framed is overlooked, as everything else is.
                Err(_) => return out,
            }
        }
    }

    fn answer(&mut self, frame: Frame<'_>, out: &mut Vec<u8>) {
        if !frame.packet_type().is_some_and(self.answered) {
            return;
        }
        if frame.packet_type() == Some(PacketType::Connect) {
            let connect = codec::decode_connect_leniently(frame, &mut Vec::new());
            self.version = connect.map_or(Version::V3_1_1, |(version, _)| version);
            self.welcome(connect.map(|(_, connect)| connect), out);
            return;
        }
        let packet =
            codec::decode_leniently(frame, self.version, Direction::ToServer, &mut Vec::new());
        if let Some(packet) = packet {
            self.acknowledge(&packet, out);
        }
    }

    fn welcome(&self, connect: Option<Connect<'_>>, out: &mut Vec<u8>) {
        let mut properties = PropertiesBuf::new();
        if let Some(connect) = connect.filter(|_| self.version.has_properties()) {
            if connect.client_id.is_empty() {
                properties.utf8_string(PropertyId::AssignedClientIdentifier, "assigned");
            }
            if let Some(method) = connect.properties.authentication_method() {
                properties.utf8_string(PropertyId::AuthenticationMethod, method);
            }
        }
        self.send(
            &Packet::Connack(Connack {
                session_present: false,
                reason_code: ReasonCode::SUCCESS,
                properties: properties.as_properties(),
            }),
            out,
        );
    }

    fn acknowledge(&self, packet: &Packet<'_>, out: &mut Vec<u8>) {
        let reason_code = ReasonCode::SUCCESS;
        let properties = Properties::EMPTY;
        match packet {
            Packet::Publish(publish) => {
                let Some(packet_id) = publish.packet_id else {
                    return;
                };
                let answer = if publish.qos == codec::QoS::AT_LEAST_ONCE {
                    Packet::Puback(Puback {
                        packet_id,
                        reason_code,
                        properties,
                    })
                } else {
                    Packet::Pubrec(Pubrec {
                        packet_id,
                        reason_code,
                        properties,
                    })
                };
                self.send(&answer, out);
            }
            Packet::Pubrec(Pubrec { packet_id, .. }) => self.send(
                &Packet::Pubrel(Pubrel {
                    packet_id: *packet_id,
                    reason_code,
                    properties,
                }),
                out,
            ),
            Packet::Pubrel(Pubrel { packet_id, .. }) => self.send(
                &Packet::Pubcomp(Pubcomp {
                    packet_id: *packet_id,
                    reason_code,
                    properties,
                }),
                out,
            ),
            Packet::Subscribe(subscribe) => {
                let codes: Vec<u8> = subscribe
                    .filters
                    .iter()
                    .map(|subscription| subscription.options.qos().value().min(2))
                    .collect();
                let answer = Suback {
                    packet_id: subscribe.packet_id,
                    properties,
                    codes: ReasonCodes::new(&codes),
                };
                self.send(&Packet::Suback(answer), out);
            }
            Packet::Unsubscribe(unsubscribe) => {
                let codes = if self.version.has_properties() {
                    vec![0; unsubscribe.filters.iter().count()]
                } else {
                    Vec::new()
                };
                let answer = Unsuback {
                    packet_id: unsubscribe.packet_id,
                    properties,
                    codes: ReasonCodes::new(&codes),
                };
                self.send(&Packet::Unsuback(answer), out);
            }
            Packet::Pingreq(_) => self.send(&Packet::Pingresp(Pingresp), out),
            _ => {}
        }
    }

    fn send(&self, packet: &Packet<'_>, out: &mut Vec<u8>) {
        // Packet ids are those of the peer, so an answer to id 0 is not sound and goes out all the same.
        let length = out.len();
        if codec::encode_as_is(packet, self.version, out).is_err() {
            out.truncate(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01c";

    #[test]
    fn a_yes_man_acknowledges_what_it_should_refuse() {
        let mut answers = Answers::to_everything();
        assert_eq!(answers.to(CONNECT), b"\x20\x02\x00\x00");
        // PUBLISH with a wildcard in its topic.
        assert_eq!(
            answers.to(b"\x32\x05\x00\x01#\x00\x07"),
            b"\x40\x02\x00\x07"
        );
        // Half a PINGREQ, then the rest.
        assert_eq!(answers.to(b"\xc0"), b"");
        assert_eq!(answers.to(b"\x00"), b"\xd0\x00");
    }

    #[test]
    fn the_others_say_less() {
        let mut answers = Answers::to_connect_only();
        assert_eq!(answers.to(CONNECT), b"\x20\x02\x00\x00");
        assert_eq!(answers.to(b"\xc0\x00"), b"");
        assert_eq!(Answers::none().to(CONNECT), b"");
    }
}
