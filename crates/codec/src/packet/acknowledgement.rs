//! What PUBACK, PUBREC, PUBREL and PUBCOMP have in common: a Packet Identifier, and forms of different length.

use alloc::vec::Vec;

use crate::{
    EncodeError, Found, PacketType, Properties, PropertyOwner, ReasonCode, Version, gate::Gate,
    property, reader::Reader, rule::Rule, write,
};

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
    /// The bytes behind the Packet Identifier that the shortest form needs: none, a code, or all.
    fn needs(&self, version: Version) -> Needs {
        if !version.has_properties() {
            Needs::Nothing
        } else if !self.properties.is_empty() {
            Needs::Properties
        } else if self.reason_code == ReasonCode::SUCCESS {
            Needs::Nothing
        } else {
            Needs::ReasonCode
        }
    }

    pub(super) fn length(&self, version: Version) -> Result<usize, EncodeError> {
        Ok(match self.needs(version) {
            Needs::Nothing => 2,
            Needs::ReasonCode => 3,
            Needs::Properties => 3 + write::properties_length(self.properties, version)?,
        })
    }

    pub(super) fn write(&self, version: Version, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.packet_id.to_be_bytes());
        let needs = self.needs(version);
        if needs >= Needs::ReasonCode {
            out.push(self.reason_code.0);
        }
        if needs >= Needs::Properties {
            write::properties(self.properties, version, out);
        }
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Needs {
    Nothing,
    ReasonCode,
    Properties,
}
