//! DISCONNECT: the last packet of its sender (section 3.14).

use alloc::vec::Vec;

use super::acknowledgement::read_reason_code;
use crate::{
    Direction, EncodeError, PacketType, Properties, PropertyOwner, ReasonCode, Version, gate::Gate,
    plain, property, reader::Reader, rule::rule_of_5_0, write,
};

/// DISCONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Disconnect<'a> {
    /// Disconnect Reason Code; normal disconnection before 5.0 and where a short form leaves it out.
    pub reason_code: ReasonCode,
    /// Properties; none before 5.0.
    pub properties: Properties<'a>,
}

impl<'a> Disconnect<'a> {
    pub(crate) fn read<G: Gate>(reader: &mut Reader<'a, G>) -> Result<Self, G::Stop> {
        let mut packet = Self::default();
        if reader.version.has_properties() && !reader.is_at_end() {
            let rule = rule_of_5_0!("v5.0/MQTT-3.14.2-1");
            packet.reason_code = read_reason_code(reader, PacketType::Disconnect, rule)?;
            if !reader.is_at_end() {
                packet.properties =
                    property::read(reader, PropertyOwner::Packet(PacketType::Disconnect))?;
            }
        }
        reader.finish()?;
        Ok(packet)
    }

    /// Whether it is sound at a glance, in one direction or the other.
    pub(crate) fn is_plain(&self, version: Version) -> bool {
        let travels = |direction| {
            self.reason_code
                .is_allowed_in(PacketType::Disconnect, direction, version)
        };
        !version.has_properties()
            || Direction::ALL.into_iter().any(travels)
                && plain::is_list(
                    self.properties,
                    PropertyOwner::Packet(PacketType::Disconnect),
                    version,
                )
    }

    pub(crate) fn length(&self, version: Version) -> Result<usize, EncodeError> {
        if !version.has_properties() || *self == Self::default() {
            return Ok(0);
        }
        if self.properties.is_empty() {
            return Ok(1);
        }
        Ok(1 + write::properties_length(self.properties, version)?)
    }

    pub(crate) fn write(&self, version: Version, out: &mut Vec<u8>) {
        if !version.has_properties() || *self == Self::default() {
            return;
        }
        out.push(self.reason_code.0);
        if !self.properties.is_empty() {
            write::properties(self.properties, version, out);
        }
    }
}
