//! From a packet to the [`Draft`] that would write it.

use alloc::{vec, vec::Vec};

use super::{Draft, FieldSpec, Kind, Record, Value, fields, property_field};
use crate::{
    Connect, Packet, Properties, PropertyOwner, PropertyValue, ReasonCode, ReasonCodes,
    Subscription, Text, Version, Will,
};

pub(super) fn draft(packet: &Packet<'_>, version: Version) -> Draft {
    let packet_type = packet.packet_type();
    let mut entry = Entry {
        specs: fields(packet_type),
        owner: PropertyOwner::Packet(packet_type),
        version,
        fields: Record::new(),
    };
    match packet {
        Packet::Connect(packet) => entry.connect(packet),
        Packet::Connack(packet) => {
            entry.flag("session_present", packet.session_present);
            entry.reason(packet.reason_code);
            entry.properties(packet.properties);
        }
        Packet::Publish(packet) => {
            entry.flag("dup", packet.dup);
            entry.number("qos", packet.qos.value());
            entry.flag("retain", packet.retain);
            entry.text("topic", packet.topic);
            if let Some(packet_id) = packet.packet_id {
                entry.number("id", packet_id);
            }
            entry.properties(packet.properties);
            entry.binary("payload", packet.payload);
        }
        Packet::Puback(packet) => {
            entry.acknowledgement(packet.packet_id, packet.reason_code, packet.properties);
        }
        Packet::Pubrec(packet) => {
            entry.acknowledgement(packet.packet_id, packet.reason_code, packet.properties);
        }
        Packet::Pubrel(packet) => {
            entry.acknowledgement(packet.packet_id, packet.reason_code, packet.properties);
        }
        Packet::Pubcomp(packet) => {
            entry.acknowledgement(packet.packet_id, packet.reason_code, packet.properties);
        }
        Packet::Subscribe(packet) => {
            entry.number("id", packet.packet_id);
            entry.properties(packet.properties);
            let filters = packet
                .filters
                .iter()
                .map(|subscription| entry.subscription(subscription))
                .collect();
            entry.put("filters", Value::Filters(filters));
        }
        Packet::Suback(packet) => {
            entry.number("id", packet.packet_id);
            entry.properties(packet.properties);
            entry.codes(packet.codes);
        }
        Packet::Unsubscribe(packet) => {
            entry.number("id", packet.packet_id);
            entry.properties(packet.properties);
            let filters = packet
                .filters
                .iter()
                .map(|filter| filter.as_bytes().to_vec())
                .collect();
            entry.put("filters", Value::Texts(filters));
        }
        Packet::Unsuback(packet) => {
            entry.number("id", packet.packet_id);
            entry.properties(packet.properties);
            entry.codes(packet.codes);
        }
        Packet::Pingreq(_) | Packet::Pingresp(_) => {}
        Packet::Disconnect(packet) => {
            entry.reason(packet.reason_code);
            entry.properties(packet.properties);
        }
        Packet::Auth(packet) => {
            entry.reason(packet.reason_code);
            entry.properties(packet.properties);
        }
    }
    Draft {
        packet_type,
        version,
        fields: entry.fields,
        malformations: Vec::new(),
    }
}

/// Fields on their way into a draft: those that the version does not have stay out.
struct Entry {
    specs: &'static [FieldSpec],
    owner: PropertyOwner,
    version: Version,
    fields: Record,
}

impl Entry {
    fn put(&mut self, name: &str, value: Value) {
        let spec = self
            .specs
            .iter()
            .find(|spec| spec.name == name && spec.exists_in(self.version));
        if let Some(spec) = spec {
            self.fields.set(spec, value);
        }
    }

    fn flag(&mut self, name: &str, on: bool) {
        self.put(name, Value::Flag(on));
    }

    fn number(&mut self, name: &str, number: impl Into<u64>) {
        self.put(name, Value::Number(number.into()));
    }

    fn text(&mut self, name: &str, text: Text<'_>) {
        self.put(name, Value::Text(text.as_bytes().to_vec()));
    }

    fn binary(&mut self, name: &str, data: &[u8]) {
        self.put(name, Value::Binary(data.to_vec()));
    }

    fn reason(&mut self, code: ReasonCode) {
        self.number("reason", code.0);
    }

    fn codes(&mut self, codes: ReasonCodes<'_>) {
        self.put(
            "codes",
            Value::Numbers(codes.iter().map(|code| code.0.into()).collect()),
        );
    }

    fn acknowledgement(
        &mut self,
        packet_id: u16,
        reason_code: ReasonCode,
        properties: Properties<'_>,
    ) {
        self.number("id", packet_id);
        self.reason(reason_code);
        self.properties(properties);
    }

    fn connect(&mut self, packet: &Connect<'_>) {
        self.text("protocol_name", packet.protocol_name);
        self.number("protocol_version", packet.protocol_version);
        if packet.reserved_flag {
            self.flag("reserved_flag", true);
        }
        self.flag("clean", packet.clean_start);
        self.number("keep_alive", packet.keep_alive);
        self.properties(packet.properties);
        self.text("client_id", packet.client_id);
        if let Some(will) = &packet.will {
            let will = self.will(will);
            self.put("will", Value::Record(will));
        }
        if let Some(user_name) = packet.user_name {
            self.text("user_name", user_name);
        }
        if let Some(password) = packet.password {
            self.binary("password", password);
        }
    }

    fn will(&self, will: &Will<'_>) -> Record {
        let mut entry = self.part("will", PropertyOwner::Will);
        entry.number("qos", will.qos.value());
        entry.flag("retain", will.retain);
        entry.properties(will.properties);
        entry.text("topic", will.topic);
        entry.binary("payload", will.payload);
        entry.fields
    }

    fn subscription(&self, subscription: Subscription<'_>) -> Record {
        let options = subscription.options;
        let mut entry = self.part("filters", self.owner);
        entry.text("filter", subscription.filter);
        entry.number("qos", options.qos().value());
        entry.flag("no_local", options.is_no_local());
        entry.flag("retain_as_published", options.is_retain_as_published());
        entry.number("retain_handling", options.0 >> 4 & 0b11);
        let reserved = if self.version.has_properties() {
            options.reserved()
        } else {
            options.0 >> 2
        };
        if reserved != 0 {
            entry.number("reserved", reserved);
        }
        entry.fields
    }

    /// The empty inside of a field that is a record or a list of records.
    fn part(&self, name: &str, owner: PropertyOwner) -> Self {
        let specs = self
            .specs
            .iter()
            .find(|spec| spec.name == name)
            .map(|spec| spec.kind);
        let specs = match specs {
            Some(Kind::Record(specs) | Kind::Records(specs)) => specs,
            _ => &[],
        };
        Self {
            specs,
            owner,
            version: self.version,
            fields: Record::new(),
        }
    }

    /// Properties in the order of their first occurrence; those that repeat are gathered there.
    fn properties(&mut self, properties: Properties<'_>) {
        for property in properties {
            let Some(spec) = property_field(self.owner, property.id) else {
                continue;
            };
            let value = match (spec.kind, property.value) {
                (Kind::Flag, PropertyValue::Byte(value @ (0 | 1))) => Value::Flag(value == 1),
                (_, PropertyValue::Byte(value)) => Value::Number(value.into()),
                (_, PropertyValue::TwoByteInteger(value)) => Value::Number(value.into()),
                (Kind::Numbers { .. }, PropertyValue::VariableByteInteger(value)) => {
                    if let Some(Value::Numbers(numbers)) = self.fields.get_mut(spec.name) {
                        numbers.push(value.into());
                        continue;
                    }
                    Value::Numbers(vec![value.into()])
                }
                (
                    _,
                    PropertyValue::FourByteInteger(value)
                    | PropertyValue::VariableByteInteger(value),
                ) => Value::Number(value.into()),
                (_, PropertyValue::BinaryData(data)) => Value::Binary(data.to_vec()),
                (_, PropertyValue::Utf8String(text)) => Value::Text(text.as_bytes().to_vec()),
                (_, PropertyValue::Utf8StringPair(name, value)) => {
                    let pair = (name.as_bytes().to_vec(), value.as_bytes().to_vec());
                    if let Some(Value::Pairs(pairs)) = self.fields.get_mut(spec.name) {
                        pairs.push(pair);
                        continue;
                    }
                    Value::Pairs(vec![pair])
                }
            };
            self.fields.set(spec, value);
        }
    }
}
