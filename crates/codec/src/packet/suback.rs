//! SUBACK: the server's answer to SUBSCRIBE (section 3.9).

use core::fmt;

use alloc::vec::Vec;

use super::acknowledgement::read_packet_id;
use crate::{
    EncodeError, Found, PacketType, Properties, PropertyOwner, ReasonCode, Version,
    gate::Gate,
    property,
    reader::Reader,
    rule::{Rule, rule},
    write,
};

/// SUBACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suback<'a> {
    /// The Packet Identifier of the SUBSCRIBE.
    pub packet_id: u16,
    /// Properties; none before 5.0.
    pub properties: Properties<'a>,
    /// One code for each Topic Filter, in their order.
    pub codes: ReasonCodes<'a>,
}

/// The Payload of SUBACK and UNSUBACK: one code a byte.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct ReasonCodes<'a>(&'a [u8]);

impl<'a> ReasonCodes<'a> {
    /// The codes that `bytes` are.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes as they stand on the wire.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Walks them in their order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = ReasonCode> + Clone + 'a {
        self.0.iter().copied().map(ReasonCode)
    }
}

impl fmt::Debug for ReasonCodes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> Suback<'a> {
    pub(crate) fn read<G: Gate>(reader: &mut Reader<'a, G>) -> Result<Self, G::Stop> {
        let version = reader.version;
        let packet_id_rule = rule!(
            version,
            "v3.1/V31-2.4-1",
            "v3.1.1/MQTT-2.3.1-7",
            "v5.0/MQTT-2.2.1-6"
        );
        let packet_id = read_packet_id(reader, packet_id_rule)?;
        let properties = property::read(reader, PropertyOwner::Packet(PacketType::Suback))?;
        let rules = CodeRules {
            empty: rule!(
                version,
                "v3.1.1/MQTT-3.8.4-5",
                "v3.1.1/MQTT-3.8.4-5",
                "v5.0/MQTT-3.8.4-6"
            ),
            unlisted: rule!(
                version,
                "v3.1/V31-3.9-1",
                "v3.1.1/MQTT-3.9.3-2",
                "v5.0/MQTT-3.9.3-2"
            ),
        };
        let codes = read_codes(reader, PacketType::Suback, rules)?;
        Ok(Self {
            packet_id,
            properties,
            codes,
        })
    }

    pub(crate) fn length(&self, version: Version) -> Result<usize, EncodeError> {
        Ok(2 + write::properties_length(self.properties, version)? + self.codes.as_bytes().len())
    }

    pub(crate) fn write(&self, version: Version, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.packet_id.to_be_bytes());
        write::properties(self.properties, version, out);
        out.extend_from_slice(self.codes.as_bytes());
    }
}

/// The rules that a list of codes can break.
#[derive(Clone, Copy)]
pub(super) struct CodeRules {
    /// The rule against an empty one.
    pub(super) empty: Rule,
    /// The rule against codes that the packet must not carry.
    pub(super) unlisted: Rule,
}

/// Reads the codes up to the end of the packet.
pub(super) fn read_codes<'a, G: Gate>(
    reader: &mut Reader<'a, G>,
    packet_type: PacketType,
    rules: CodeRules,
) -> Result<ReasonCodes<'a>, G::Stop> {
    let (version, direction) = (reader.version, reader.direction);
    let start = reader.offset();
    let codes = ReasonCodes::new(reader.rest());
    if codes.as_bytes().is_empty() {
        reader.protocol_error(
            rules.empty,
            start,
            "codes",
            "one for each Topic Filter",
            Found::Nothing,
        )?;
    }
    for (offset, code) in (start..).zip(codes.iter()) {
        if !code.is_allowed_in(packet_type, direction, version) {
            let expected = "a code that the packet may carry";
            reader.protocol_error(
                rules.unlisted,
                offset,
                "codes",
                expected,
                Found::Byte(code.0),
            )?;
        }
    }
    Ok(codes)
}
