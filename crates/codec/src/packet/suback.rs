//! SUBACK: the server's answer to SUBSCRIBE (section 3.9).

use core::fmt;

use alloc::vec::Vec;

use super::listing::{self, Empty, Listing};
use crate::{
    Direction, EncodeError, Found, PacketType, Properties, ReasonCode, Version,
    gate::Gate,
    reader::Reader,
    rule::{Rule, rule},
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
        let rules = Rules {
            packet_id: rule!(
                version,
                "v3.1/V31-2.4-1",
                "v3.1.1/MQTT-2.3.1-7",
                "v5.0/MQTT-2.2.1-6"
            ),
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
        let Listing {
            packet_id,
            properties,
            list,
        } = read_codes(reader, PacketType::Suback, rules)?;
        Ok(Self {
            packet_id,
            properties,
            codes: ReasonCodes::new(list),
        })
    }

    /// Whether it is sound at a glance.
    pub(crate) fn is_plain(&self, version: Version) -> bool {
        are_plain_codes(&self.fields(), PacketType::Suback, version)
    }

    pub(crate) fn length(&self, version: Version) -> Result<usize, EncodeError> {
        self.fields().length(version)
    }

    pub(crate) fn write(&self, version: Version, out: &mut Vec<u8>) {
        self.fields().write(version, out);
    }

    const fn fields(&self) -> Listing<'a> {
        Listing {
            packet_id: self.packet_id,
            properties: self.properties,
            list: self.codes.as_bytes(),
        }
    }
}

/// The rules that a packet with a list of codes can break.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// The rule against a Packet Identifier of 0.
    pub(super) packet_id: Rule,
    /// The rule against an empty list.
    pub(super) empty: Rule,
    /// The rule against codes that the packet must not carry.
    pub(super) unlisted: Rule,
}

/// Reads SUBACK or UNSUBACK.
pub(super) fn read_codes<'a, G: Gate>(
    reader: &mut Reader<'a, G>,
    packet_type: PacketType,
    rules: Rules,
) -> Result<Listing<'a>, G::Stop> {
    let empty = Empty {
        rule: rules.empty,
        field: "codes",
        expected: "one for each Topic Filter",
    };
    // 3.1 has no rule against an empty list of topics, nor against its answer.
    let empty = (reader.version != Version::V3_1).then_some(&empty);
    listing::read(reader, packet_type, rules.packet_id, empty, |reader| {
        let offset = reader.offset();
        let code = ReasonCode(reader.byte("codes")?);
        if !code.is_allowed_in(packet_type, reader.direction, reader.version) {
            let expected = "a code that the packet may carry";
            reader.protocol_error(
                rules.unlisted,
                offset,
                "codes",
                expected,
                Found::Byte(code.0),
            )?;
        }
        Ok(())
    })
}

/// Whether SUBACK or UNSUBACK is sound at a glance.
pub(super) fn are_plain_codes(
    fields: &Listing<'_>,
    packet_type: PacketType,
    version: Version,
) -> bool {
    fields.is_plain(packet_type, version, |codes| {
        let (code, rest) = codes.split_first()?;
        ReasonCode(*code)
            .is_allowed_in(packet_type, Direction::ToClient, version)
            .then_some(rest)
    })
}
