//! What PUBACK, PUBREC, PUBREL and PUBCOMP have in common, which is all but their names and rules:
//! a Packet Identifier, and behind it what the shortest form needs.

use alloc::vec::Vec;

use crate::{
    Direction, EncodeError, Found, PacketType, Properties, PropertyOwner, ReasonCode, Version,
    gate::Gate, plain, property, reader::Reader, rule::Rule, write,
};

/// Defines one of them: its type, and the rules for its Packet Identifier and its Reason Code.
macro_rules! acknowledgement {
    (
        $(#[$doc:meta])*
        $packet:ident,
        packet_id: [$v3_1:literal, $v3_1_1:literal, $v5_0:literal],
        reason_code: $reason_code:literal,
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $packet<'a> {
            /// The Packet Identifier of the PUBLISH.
            pub packet_id: u16,
            /// The packet's Reason Code; success before 5.0 and where a short form leaves it out.
            pub reason_code: $crate::ReasonCode,
            /// Properties; none before 5.0.
            pub properties: $crate::Properties<'a>,
        }

        impl<'a> $packet<'a> {
            const TYPE: $crate::PacketType = $crate::PacketType::$packet;

            /// The form of two bytes: a Packet Identifier above 0.
            #[inline]
            pub(crate) const fn short(packet_id: u16) -> Self {
                let (reason_code, properties) =
                    ($crate::ReasonCode::SUCCESS, $crate::Properties::EMPTY);
                Self { packet_id, reason_code, properties }
            }

            #[inline]
            pub(crate) fn read<G: $crate::gate::Gate>(
                reader: &mut $crate::reader::Reader<'a, G>,
            ) -> Result<Self, G::Stop> {
                let packet_id_rule = $crate::rule::rule!(reader.version, $v3_1, $v3_1_1, $v5_0);
                let reason_code_rule = $crate::rule::rule_of_5_0!($reason_code);
                let $crate::packet::acknowledgement::Acknowledgement {
                    packet_id,
                    reason_code,
                    properties,
                } = $crate::packet::acknowledgement::read(
                    reader,
                    Self::TYPE,
                    packet_id_rule,
                    reason_code_rule,
                )?;
                Ok(Self { packet_id, reason_code, properties })
            }

            /// Whether it is sound at a glance.
            #[inline]
            pub(crate) fn is_plain(&self, version: $crate::Version) -> bool {
                self.fields().is_plain(Self::TYPE, version)
            }

            /// Whether its shortest form is a Packet Identifier alone.
            #[inline]
            pub(crate) fn is_short(&self, version: $crate::Version) -> bool {
                self.fields().is_short(version)
            }

            pub(crate) fn length(
                &self,
                version: $crate::Version,
            ) -> Result<usize, $crate::EncodeError> {
                self.fields().length(version)
            }

            pub(crate) fn write(&self, version: $crate::Version, out: &mut alloc::vec::Vec<u8>) {
                self.fields().write(version, out);
            }

            const fn fields(&self) -> $crate::packet::acknowledgement::Acknowledgement<'a> {
                let Self { packet_id, reason_code, properties } = *self;
                $crate::packet::acknowledgement::Acknowledgement {
                    packet_id,
                    reason_code,
                    properties,
                }
            }
        }
    };
}

pub(super) use acknowledgement;

/// The fields of any of them.
pub(super) struct Acknowledgement<'a> {
    pub(super) packet_id: u16,
    pub(super) reason_code: ReasonCode,
    pub(super) properties: Properties<'a>,
}

/// Reads any of the forms: 5.0 leaves out empty properties below a Remaining Length of 4, and
/// success with them at 2.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "the packet is built where it is returned, not moved there"
)]
pub(super) fn read<'a, G: Gate>(
    reader: &mut Reader<'a, G>,
    packet_type: PacketType,
    packet_id_rule: Rule,
    reason_code_rule: Rule,
) -> Result<Acknowledgement<'a>, G::Stop> {
    let packet_id = read_packet_id(reader, packet_id_rule)?;
    let mut reason_code = ReasonCode::SUCCESS;
    let mut properties = Properties::EMPTY;
    if reader.version.has_properties() && !reader.is_at_end() {
        reason_code = read_reason_code(reader, packet_type, reason_code_rule)?;
        if !reader.is_at_end() {
            properties = property::read(reader, PropertyOwner::Packet(packet_type))?;
        }
    }
    reader.finish()?;
    Ok(Acknowledgement {
        packet_id,
        reason_code,
        properties,
    })
}

/// Reads a Packet Identifier, which is never 0.
#[inline]
pub(super) fn read_packet_id<G: Gate>(
    reader: &mut Reader<'_, G>,
    rule: Rule,
) -> Result<u16, G::Stop> {
    let offset = reader.offset();
    let packet_id = reader.two_byte_integer("id")?;
    if packet_id == 0 {
        reader.protocol_error(rule, offset, "id", "above 0", Found::Number(0))?;
    }
    Ok(packet_id)
}

/// Reads the Reason Code of a packet that has one.
#[inline]
pub(super) fn read_reason_code<G: Gate>(
    reader: &mut Reader<'_, G>,
    packet_type: PacketType,
    rule: Rule,
) -> Result<ReasonCode, G::Stop> {
    let offset = reader.offset();
    let reason_code = ReasonCode(reader.byte("reason")?);
    if !reason_code.is_allowed_in(packet_type, reader.direction, reader.version) {
        let expected = "a Reason Code that the packet may carry this way";
        reader.protocol_error(rule, offset, "reason", expected, Found::Byte(reason_code.0))?;
    }
    Ok(reason_code)
}

impl Acknowledgement<'_> {
    /// Servers may send every code that clients may, so it is their direction that counts.
    #[inline]
    pub(super) fn is_plain(&self, packet_type: PacketType, version: Version) -> bool {
        let direction = Direction::ToClient;
        self.packet_id != 0
            && (!version.has_properties()
                || self
                    .reason_code
                    .is_allowed_in(packet_type, direction, version)
                    && plain::is_list(self.properties, PropertyOwner::Packet(packet_type), version))
    }

    #[inline]
    pub(super) fn is_short(&self, version: Version) -> bool {
        !version.has_properties()
            || self.properties.is_empty() && self.reason_code == ReasonCode::SUCCESS
    }

    pub(super) fn length(&self, version: Version) -> Result<usize, EncodeError> {
        Ok(if self.is_short(version) {
            2
        } else if self.properties.is_empty() {
            3
        } else {
            3 + write::properties_length(self.properties, version)?
        })
    }

    pub(super) fn write(&self, version: Version, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.packet_id.to_be_bytes());
        if !self.is_short(version) {
            out.push(self.reason_code.0);
            if !self.properties.is_empty() {
                write::properties(self.properties, version, out);
            }
        }
    }
}
