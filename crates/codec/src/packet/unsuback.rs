//! UNSUBACK: the server's answer to UNSUBSCRIBE (section 3.11).

use alloc::vec::Vec;

use super::{
    acknowledgement::read_packet_id,
    suback::{CodeRules, read_codes},
};
use crate::{
    EncodeError, PacketType, Properties, PropertyOwner, ReasonCodes, Version,
    gate::Gate,
    property,
    reader::Reader,
    rule::{rule, rule_of_5_0},
    write,
};

/// UNSUBACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsuback<'a> {
    /// The Packet Identifier of the UNSUBSCRIBE.
    pub packet_id: u16,
    /// Properties; none before 5.0.
    pub properties: Properties<'a>,
    /// One code for each Topic Filter, in their order; none before 5.0.
    pub codes: ReasonCodes<'a>,
}

impl<'a> Unsuback<'a> {
    pub(crate) fn read<G: Gate>(reader: &mut Reader<'a, G>) -> Result<Self, G::Stop> {
        let packet_id_rule = rule!(
            reader.version,
            "v3.1/V31-2.4-1",
            "v3.1.1/MQTT-2.3.1-7",
            "v5.0/MQTT-2.2.1-6"
        );
        let packet_id = read_packet_id(reader, packet_id_rule)?;
        if !reader.version.has_properties() {
            reader.finish()?;
            return Ok(Self {
                packet_id,
                properties: Properties::EMPTY,
                codes: ReasonCodes::default(),
            });
        }
        let properties = property::read(reader, PropertyOwner::Packet(PacketType::Unsuback))?;
        let rules = CodeRules {
            empty: rule_of_5_0!("v5.0/MQTT-3.11.3-1"),
            unlisted: rule_of_5_0!("v5.0/MQTT-3.11.3-2"),
        };
        let codes = read_codes(reader, PacketType::Unsuback, rules)?;
        Ok(Self {
            packet_id,
            properties,
            codes,
        })
    }

    pub(crate) fn length(&self, version: Version) -> Result<usize, EncodeError> {
        if !version.has_properties() {
            return Ok(2);
        }
        Ok(2 + write::properties_length(self.properties, version)? + self.codes.as_bytes().len())
    }

    pub(crate) fn write(&self, version: Version, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.packet_id.to_be_bytes());
        if version.has_properties() {
            write::properties(self.properties, version, out);
            out.extend_from_slice(self.codes.as_bytes());
        }
    }
}
