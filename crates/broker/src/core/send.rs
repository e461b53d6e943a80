//! From packets to bytes: what a client is sent, and what must not be on the wire (sections 2.1, 3.1.2.11).

use codec::{
    Auth, Connack, Disconnect, Packet, PacketType, Properties, PropertiesBuf, PropertyId, Puback,
    Pubcomp, Pubrec, Pubrel, ReasonCode, Suback, Unsuback,
};

use super::{Action, ConnectionId, Core, Refusal};
use crate::rules::{Rule, Rules, rule};

impl Core {
    /// Sends a packet; tells whether it went out, rather than being larger than the client takes.
    pub(super) fn send(&mut self, id: ConnectionId, packet: &Packet<'_>) -> bool {
        let Some(connection) = self.connections.get(&id) else {
            return false;
        };
        let rules = &connection.rules;
        let maximum = connection.maximum_packet_size;
        let mut bytes = take_begun(&mut self.actions, &mut self.spare, id);
        let start = bytes.len();
        let mut sent = encode(rules, packet, &mut bytes);
        if maximum.is_some_and(|maximum| bytes.len() - start > maximum as usize)
            && rules.keeps(rule!("v5.0/MQTT-3.1.2-24"))
        {
            bytes.truncate(start);
            sent = false;
        }
        push(&mut self.actions, id, bytes);
        sent
    }

    /// Sends a packet that may explain itself. Rather than make it too large, the explanation is left out; a
    /// packet that is too large without it as well cannot be sent, and its connection is of no further use.
    pub(super) fn send_explained(&mut self, id: ConnectionId, packet: &Packet<'_>) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        let rules = &connection.rules;
        let mut bytes = take_begun(&mut self.actions, &mut self.spare, id);
        let start = bytes.len();
        let encoded = encode(rules, packet, &mut bytes);
        let Some(maximum) = connection.maximum_packet_size.filter(|_| encoded) else {
            push(&mut self.actions, id, bytes);
            return;
        };
        if rules.breaks(explanation_rule(packet.packet_type())) {
            let brief = bytes.split_off(start);
            let wordy = explained_beyond(properties(packet), maximum);
            let wordy = with_properties(*packet, wordy.as_properties());
            if !encode(rules, &wordy, &mut bytes) {
                bytes.extend(brief);
            }
            push(&mut self.actions, id, bytes);
            return;
        }
        let fits = bytes.len() - start <= maximum as usize;
        if !fits {
            bytes.truncate(start);
        }
        push(&mut self.actions, id, bytes);
        if fits {
            return;
        }
        let bare: PropertiesBuf = properties(packet)
            .iter()
            .filter(|property| !is_explanation(property.id))
            .collect();
        if !self.send(id, &with_properties(*packet, bare.as_properties())) {
            let clause = clauses::clause!("v5.0/MQTT-3.1.2-24");
            let refusal = Refusal::new(clause, ReasonCode::PACKET_TOO_LARGE)
                .because("what has to be answered is larger than the client's Maximum Packet Size");
            self.close(id, Some(refusal));
        }
    }

    /// The Reason String and User Properties of an answer, as far as the client wants any.
    pub(super) fn explanation(
        &self,
        id: ConnectionId,
        packet_type: PacketType,
        refusal: Option<Refusal>,
    ) -> PropertiesBuf {
        let mut properties = PropertiesBuf::new();
        let Some(connection) = self.connections.get(&id) else {
            return properties;
        };
        let rules = &connection.rules;
        if !rules.is_v5() {
            return properties;
        }
        let unwanted = !connection.problem_information
            && !matches!(packet_type, PacketType::Connack | PacketType::Disconnect);
        if unwanted {
            if rules.breaks(rule!("v5.0/MQTT-3.1.2-29")) {
                properties.utf8_string(PropertyId::ReasonString, "unwanted");
            }
            return properties;
        }
        if let Some(refusal) = refusal
            && self.config.answers.reason_strings
        {
            properties.utf8_string(PropertyId::ReasonString, refusal.to_string().as_str());
        }
        for (name, value) in &self.config.answers.user_properties {
            properties.user_property(name.as_str(), value.as_str());
        }
        properties
    }
}

/// The bytes that go to this connection already, if nothing else has happened since, to be [sent](push) with more of them.
fn take_begun(actions: &mut Vec<Action>, spare: &mut Vec<u8>, id: ConnectionId) -> Vec<u8> {
    let goes_there = |action: &mut Action| matches!(action, Action::Send { connection, .. } if *connection == id);
    if let Some(Action::Send { bytes, .. }) = actions.pop_if(goes_there) {
        return bytes;
    }
    if spare.capacity() == 0 {
        return Vec::with_capacity(MOST);
    }
    std::mem::take(spare)
}

fn push(actions: &mut Vec<Action>, connection: ConnectionId, bytes: Vec<u8>) {
    if !bytes.is_empty() {
        actions.push(Action::Send { connection, bytes });
    }
}

/// Most packets have no more bytes than this, whose buffer then need not grow.
const MOST: usize = 64;

/// The longest text that a property can have.
const MOST_TEXT: usize = 65_535;

/// Appends the packet's bytes; tells whether a packet can hold it.
fn encode(rules: &Rules, packet: &Packet<'_>, bytes: &mut Vec<u8>) -> bool {
    let start = bytes.len();
    if codec::encode_as_is(packet, rules.version(), bytes).is_err() {
        return false;
    }
    let packet_type = packet.packet_type();
    if packet_type != PacketType::Publish
        && rules.breaks(rule!(
            "v3.1/V31-2.6-1",
            "v3.1.1/MQTT-2.2.2-1",
            "v5.0/MQTT-2.1.3-1"
        ))
    {
        bytes[start] ^= 0b1000;
    }
    if packet_type == PacketType::Connack
        && rules.breaks(rule!("v3.1.1/U311-3.2.2.1-1", "v5.0/MQTT-3.2.2-1"))
        && let Some(flags) = bytes.get_mut(start + 2)
    {
        *flags |= 0b10;
    }
    if packet_type != PacketType::Pingresp
        && rules.breaks(rule!("v5.0/MQTT-1.5.5-1"))
        && let Some(last) = bytes[start + 1..].iter().position(|byte| byte & 0x80 == 0)
        && last < 3
    {
        bytes[start + 1 + last] |= 0x80;
        bytes.insert(start + 2 + last, 0);
    }
    true
}

fn is_explanation(property: PropertyId) -> bool {
    matches!(
        property,
        PropertyId::ReasonString | PropertyId::UserProperty
    )
}

/// The properties of an answer.
fn properties<'a>(packet: &Packet<'a>) -> Properties<'a> {
    match packet {
        Packet::Connack(packet) => packet.properties,
        Packet::Puback(packet) => packet.properties,
        Packet::Pubrec(packet) => packet.properties,
        Packet::Pubrel(packet) => packet.properties,
        Packet::Pubcomp(packet) => packet.properties,
        Packet::Suback(packet) => packet.properties,
        Packet::Unsuback(packet) => packet.properties,
        Packet::Disconnect(packet) => packet.properties,
        Packet::Auth(packet) => packet.properties,
        _ => Properties::EMPTY,
    }
}

/// An answer with other properties.
fn with_properties<'a>(packet: Packet<'a>, properties: Properties<'a>) -> Packet<'a> {
    match packet {
        Packet::Connack(packet) => Packet::Connack(Connack {
            properties,
            ..packet
        }),
        Packet::Puback(packet) => Packet::Puback(Puback {
            properties,
            ..packet
        }),
        Packet::Pubrec(packet) => Packet::Pubrec(Pubrec {
            properties,
            ..packet
        }),
        Packet::Pubrel(packet) => Packet::Pubrel(Pubrel {
            properties,
            ..packet
        }),
        Packet::Pubcomp(packet) => Packet::Pubcomp(Pubcomp {
            properties,
            ..packet
        }),
        Packet::Suback(packet) => Packet::Suback(Suback {
            properties,
            ..packet
        }),
        Packet::Unsuback(packet) => Packet::Unsuback(Unsuback {
            properties,
            ..packet
        }),
        Packet::Disconnect(packet) => Packet::Disconnect(Disconnect {
            properties,
            ..packet
        }),
        Packet::Auth(packet) => Packet::Auth(Auth {
            properties,
            ..packet
        }),
        other => other,
    }
}

/// What a broker makes of an explanation that does not care how much the client takes.
fn explained_beyond(properties: Properties<'_>, maximum: u32) -> PropertiesBuf {
    let mut wordy: PropertiesBuf = properties.iter().collect();
    let length = usize::try_from(maximum).map_or(MOST_TEXT, |maximum| maximum.min(MOST_TEXT));
    wordy.user_property("explanation", "x".repeat(length).as_str());
    wordy
}

/// The rules by which a Reason String and User Properties give way to the client's Maximum Packet Size.
fn explanation_rule(packet_type: PacketType) -> Rule {
    match packet_type {
        PacketType::Connack => rule!("v5.0/MQTT-3.2.2-19", "v5.0/MQTT-3.2.2-20"),
        PacketType::Puback => rule!("v5.0/MQTT-3.4.2-2", "v5.0/MQTT-3.4.2-3"),
        PacketType::Pubrec => rule!("v5.0/MQTT-3.5.2-2", "v5.0/MQTT-3.5.2-3"),
        PacketType::Pubrel => rule!("v5.0/MQTT-3.6.2-2", "v5.0/MQTT-3.6.2-3"),
        PacketType::Pubcomp => rule!("v5.0/MQTT-3.7.2-2", "v5.0/MQTT-3.7.2-3"),
        PacketType::Suback => rule!("v5.0/MQTT-3.9.2-1", "v5.0/MQTT-3.9.2-2"),
        PacketType::Unsuback => rule!("v5.0/MQTT-3.11.2-1", "v5.0/MQTT-3.11.2-2"),
        PacketType::Disconnect => rule!("v5.0/MQTT-3.14.2-3", "v5.0/MQTT-3.14.2-4"),
        PacketType::Auth => rule!("v5.0/MQTT-3.15.2-2", "v5.0/MQTT-3.15.2-3"),
        _ => rule!("v5.0/MQTT-3.1.2-24"),
    }
}
