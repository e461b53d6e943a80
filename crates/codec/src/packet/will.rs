//! The Will Message inside CONNECT (sections 3.1.2.5 and 3.1.3.2).

use alloc::vec::Vec;

use super::connect::{WILL_RETAIN, expect_field};
use crate::{
    EncodeError, Found, Properties, PropertyOwner, QoS, Text, Version, gate::Gate, plain, property,
    reader::Reader, rule::rule, text_rules, write,
};

/// The Will Message inside CONNECT (section 3.1.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Will<'a> {
    /// Will QoS.
    pub qos: QoS,
    /// Will Retain.
    pub retain: bool,
    /// Will Properties; none before 5.0.
    pub properties: Properties<'a>,
    /// Will Topic.
    pub topic: Text<'a>,
    /// Will Payload; Will Message before 5.0.
    pub payload: &'a [u8],
}

impl<'a> Will<'a> {
    pub(super) fn read<G: Gate>(reader: &mut Reader<'a, G>, flags: u8) -> Result<Self, G::Stop> {
        let version = reader.version;
        let present = rule!(
            version,
            "v3.1.1/MQTT-3.1.2-9",
            "v3.1.1/MQTT-3.1.2-9",
            "v5.0/MQTT-3.1.2-9"
        );
        if version.has_properties() {
            expect_field(reader, present, "will")?;
        }
        let properties = property::read(reader, PropertyOwner::Will)?;
        expect_field(reader, present, "will.topic")?;
        let topic = read_will_topic(reader)?;
        expect_field(reader, present, "will.payload")?;
        let payload = read_will_payload(reader)?;
        Ok(Self {
            qos: QoS::from_bits(flags >> 3),
            retain: flags & WILL_RETAIN != 0,
            properties,
            topic,
            payload,
        })
    }

    /// Whether it is sound at a glance, from 3.1.1 on.
    pub(super) fn is_plain(&self, version: Version) -> bool {
        self.qos.is_valid()
            && !self.topic.is_empty()
            && plain::is_topic(self.topic.as_bytes())
            && plain::is_list(self.properties, PropertyOwner::Will, version)
    }

    pub(super) fn length(&self, version: Version) -> Result<usize, EncodeError> {
        Ok(write::properties_length(self.properties, version)?
            + write::field_length("will.topic", self.topic.as_bytes())?
            + write::field_length("will.payload", self.payload)?)
    }

    pub(super) fn write(&self, version: Version, out: &mut Vec<u8>) {
        write::properties(self.properties, version, out);
        write::binary(self.topic.as_bytes(), out);
        write::binary(self.payload, out);
    }
}

fn read_will_topic<'a, G: Gate>(reader: &mut Reader<'a, G>) -> Result<Text<'a>, G::Stop> {
    let version = reader.version;
    let offset = reader.offset();
    let topic = reader.topic("will.topic", text_rules::will_topic, |version| {
        rule!(
            version,
            "v3.1/V31-A-1",
            "v3.1.1/MQTT-4.7.1-1",
            "v5.0/MQTT-4.7.0-1"
        )
    })?;
    if topic.is_empty() {
        let rule = rule!(
            version,
            "v3.1.1/MQTT-4.7.3-1",
            "v3.1.1/MQTT-4.7.3-1",
            "v5.0/MQTT-4.7.3-1"
        );
        reader.protocol_error(
            rule,
            offset,
            "will.topic",
            "at least one character",
            Found::Nothing,
        )?;
    }
    Ok(topic)
}

/// Data since 3.1.1; in 3.1 a text of ASCII characters.
fn read_will_payload<'a, G: Gate>(reader: &mut Reader<'a, G>) -> Result<&'a [u8], G::Stop> {
    let payload = reader.binary("will.payload")?;
    if reader.version == Version::V3_1
        && let Some(place) = payload.iter().position(|byte| !byte.is_ascii())
    {
        let rule = rule!(
            Version::V3_1,
            "v3.1/V31-3.1-3",
            "v3.1.1/MQTT-4.8.0-1",
            "v5.0/MQTT-4.13.1-1"
        );
        let offset = reader.offset() - payload.len() + place;
        let found = payload
            .get(place)
            .map_or(Found::Nothing, |byte| Found::Byte(*byte));
        reader.malformed(rule, offset, "will.payload", "ASCII characters", found)?;
    }
    Ok(payload)
}
