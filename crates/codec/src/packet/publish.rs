//! PUBLISH: an Application Message on its way (section 3.3).

use alloc::vec::Vec;

use crate::{
    Direction, EncodeError, Found, Frame, PacketType, Properties, PropertyOwner, QoS, Text,
    Version, gate::Gate, plain, property, reader::Reader, rule::rule, text_rules, write,
};

const OWNER: PropertyOwner = PropertyOwner::Packet(PacketType::Publish);

/// PUBLISH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publish<'a> {
    /// DUP: this may be a repeated delivery.
    pub dup: bool,
    /// The level of delivery.
    pub qos: QoS,
    /// RETAIN.
    pub retain: bool,
    /// Topic Name; empty in 5.0 where a Topic Alias stands for it.
    pub topic: Text<'a>,
    /// Packet Identifier; there if the QoS is above 0.
    pub packet_id: Option<u16>,
    /// Properties; none before 5.0.
    pub properties: Properties<'a>,
    /// The Application Message itself, neither copied nor looked at.
    pub payload: &'a [u8],
}

impl<'a> Publish<'a> {
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the packet is built where it is returned, not moved there"
    )]
    pub(crate) fn read<G: Gate>(reader: &mut Reader<'a, G>) -> Result<Self, G::Stop> {
        let (dup, qos, retain) = read_flags(reader)?;
        let topic_offset = reader.offset();
        let topic = reader.topic("topic", text_rules::topic_name, |version| {
            rule!(
                version, "v3.1/V31-A-1", "v3.1.1/MQTT-3.3.2-2", "v5.0/MQTT-3.3.2-2",
                also "v3.1/V31-A-1", "v3.1.1/MQTT-4.7.1-1", "v5.0/MQTT-4.7.0-1"
            )
        })?;
        let packet_id = if qos.is_acknowledged() {
            Some(read_packet_id(reader)?)
        } else {
            None
        };
        let properties = property::read(reader, OWNER)?;
        if topic.is_empty() && properties.topic_alias().is_none() {
            refuse_empty_topic(reader, topic_offset)?;
        }
        Ok(Self {
            dup,
            qos,
            retain,
            topic,
            packet_id,
            properties,
            payload: reader.rest(),
        })
    }

    /// The packet in the frame, if it is sound at a glance; with properties only if it is asked for them.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as above")]
    pub(crate) fn glance<const PROPERTIES: bool>(
        frame: Frame<'a>,
        version: Version,
        direction: Direction,
    ) -> Option<Self> {
        let flags = frame.flags();
        let (topic, rest) = plain::binary(frame.body())?;
        if !are_plain_flags(flags) || !is_plain_topic(topic) {
            return None;
        }
        let qos = QoS::from_bits(flags >> 1);
        let (packet_id, rest) = if qos.is_acknowledged() {
            let (packet_id, rest) = rest.split_first_chunk()?;
            if *packet_id == [0, 0] {
                return None;
            }
            (Some(u16::from_be_bytes(*packet_id)), rest)
        } else {
            (None, rest)
        };
        let (properties, payload) = match rest {
            _ if !version.has_properties() => (Properties::EMPTY, rest),
            [0, payload @ ..] => (Properties::EMPTY, payload),
            _ if PROPERTIES => plain::property_list(rest, OWNER, direction)?,
            _ => return None,
        };
        Some(Self {
            dup: flags & 0b1000 != 0,
            qos,
            retain: flags & 1 != 0,
            topic: Text::new(topic),
            packet_id,
            properties,
            payload,
        })
    }

    /// Whether it is sound at a glance when a server sends it, which may say more than a client.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as above")]
    pub(crate) fn is_plain(&self, version: Version) -> bool {
        are_plain_flags(self.flags())
            && self.packet_id != Some(0)
            && is_plain_topic(self.topic.as_bytes())
            && plain::is_list(self.properties, OWNER, version)
    }

    /// Packet type and flags.
    #[inline]
    pub(crate) fn first_byte(&self) -> u8 {
        PacketType::Publish.value() << 4 | self.flags()
    }

    #[inline]
    fn flags(&self) -> u8 {
        u8::from(self.dup) << 3 | self.qos.value() << 1 | u8::from(self.retain)
    }

    #[inline]
    pub(crate) fn length(&self, version: Version) -> Result<usize, EncodeError> {
        Ok(write::field_length("topic", self.topic.as_bytes())?
            + if self.packet_id.is_some() { 2 } else { 0 }
            + write::properties_length(self.properties, version)?
            + self.payload.len())
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as above")]
    pub(crate) fn write(&self, version: Version, out: &mut Vec<u8>) {
        write::binary(self.topic.as_bytes(), out);
        if let Some(packet_id) = self.packet_id {
            out.extend_from_slice(&packet_id.to_be_bytes());
        }
        write::properties(self.properties, version, out);
        out.extend_from_slice(self.payload);
    }
}

/// Whether the flags are those of QoS 0 without DUP, or of QoS 1 or 2.
#[inline]
const fn are_plain_flags(flags: u8) -> bool {
    matches!(flags, 0b0000..=0b0101 | 0b1010..=0b1101)
}

/// Whether the Topic Name needs no Topic Alias in its stead, and no second look.
#[inline]
fn is_plain_topic(topic: &[u8]) -> bool {
    !topic.is_empty() && plain::is_topic(topic)
}

#[inline]
fn read_flags<G: Gate>(reader: &mut Reader<'_, G>) -> Result<(bool, QoS, bool), G::Stop> {
    let flags = reader.flags;
    let (dup, qos, retain) = (
        flags & 0b1000 != 0,
        QoS::from_bits(flags >> 1),
        flags & 1 != 0,
    );
    if !qos.is_valid() {
        let rule = rule!(
            reader.version, "v3.1.1/MQTT-3.3.1-4", "v3.1.1/MQTT-3.3.1-4", "v5.0/MQTT-3.3.1-4",
            also "v3.1.1/MQTT-3.3.1-4", "v3.1.1/MQTT-3.3.1-4", "v5.0/U50-3.3.1.2-1"
        );
        reader.malformed(rule, 0, "qos", "0, 1 or 2", Found::Number(3))?;
    }
    if dup && !qos.is_acknowledged() && reader.version != Version::V3_1 {
        let rule = rule!(
            reader.version,
            "v3.1/V31-2.1-1",
            "v3.1.1/MQTT-3.3.1-2",
            "v5.0/MQTT-3.3.1-2"
        );
        reader.protocol_error(rule, 0, "dup", "0 at QoS 0", Found::Number(1))?;
    }
    Ok((dup, qos, retain))
}

#[inline]
fn read_packet_id<G: Gate>(reader: &mut Reader<'_, G>) -> Result<u16, G::Stop> {
    let offset = reader.offset();
    let packet_id = reader.two_byte_integer("id")?;
    if packet_id == 0 {
        let rule = match reader.direction {
            Direction::ToServer => {
                rule!(
                    reader.version,
                    "v3.1/V31-2.4-1",
                    "v3.1.1/MQTT-2.3.1-1",
                    "v5.0/MQTT-2.2.1-3"
                )
            }
            Direction::ToClient => {
                rule!(
                    reader.version,
                    "v3.1/V31-2.4-1",
                    "v3.1.1/MQTT-2.3.1-1",
                    "v5.0/MQTT-2.2.1-4"
                )
            }
        };
        reader.protocol_error(rule, offset, "id", "above 0", Found::Number(0))?;
    }
    Ok(packet_id)
}

#[cold]
fn refuse_empty_topic<G: Gate>(reader: &mut Reader<'_, G>, offset: usize) -> Result<(), G::Stop> {
    let rule = rule!(
        reader.version, "v3.1.1/MQTT-4.7.3-1", "v3.1.1/MQTT-4.7.3-1", "v5.0/U50-3.3.2.1-1",
        also "v3.1.1/MQTT-4.7.3-1", "v3.1.1/MQTT-4.7.3-1", "v5.0/MQTT-4.7.3-1"
    );
    let expected = if reader.version.has_properties() {
        "at least one character, or replaced by a Topic Alias"
    } else {
        "at least one character"
    };
    reader.protocol_error(rule, offset, "topic", expected, Found::Nothing)
}
