//! AUTH: a step of an enhanced authentication (section 3.15). 5.0 only.

use alloc::vec::Vec;

use super::acknowledgement::read_reason_code;
use crate::{
    EncodeError, Found, PacketType, Properties, PropertyOwner, ReasonCode, Version, gate::Gate,
    property, reader::Reader, rule::rule_of_5_0, write,
};

/// AUTH.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Auth<'a> {
    /// Authenticate Reason Code.
    pub reason_code: ReasonCode,
    /// Properties. Without an Authentication Method among them AUTH is a Protocol Error.
    pub properties: Properties<'a>,
}

impl<'a> Auth<'a> {
    pub(crate) fn read<G: Gate>(reader: &mut Reader<'a, G>) -> Result<Self, G::Stop> {
        let mut packet = Self::default();
        let start = reader.offset();
        let rule = rule_of_5_0!("v5.0/MQTT-3.15.2-1");
        if reader.is_at_end() {
            // Section 3.15.2.1 lets success stand for itself, although 3.15.2.2.2 wants a method in every AUTH.
            if !ReasonCode::SUCCESS.is_allowed_in(
                PacketType::Auth,
                reader.direction,
                reader.version,
            ) {
                let expected = "a Reason Code that the packet may carry this way";
                reader.protocol_error(
                    rule,
                    start,
                    "reason",
                    expected,
                    Found::Named("success by its absence"),
                )?;
            }
            return Ok(packet);
        }
        packet.reason_code = read_reason_code(reader, PacketType::Auth, rule)?;
        let properties_offset = reader.offset();
        packet.properties = property::read(reader, PropertyOwner::Packet(PacketType::Auth))?;
        if packet.properties.authentication_method().is_none() {
            let rule = rule_of_5_0!("v5.0/U50-3.15.2.2.2-1");
            reader.protocol_error(
                rule,
                properties_offset,
                "authentication_method",
                "there",
                Found::Nothing,
            )?;
        }
        reader.finish()?;
        Ok(packet)
    }

    /// Never sound at a glance: it is rare, and its rules are many.
    #[expect(clippy::unused_self, reason = "other packets look at themselves")]
    pub(crate) const fn is_plain(&self, _: Version) -> bool {
        false
    }

    pub(crate) fn length(&self, version: Version) -> Result<usize, EncodeError> {
        if *self == Self::default() {
            return Ok(0);
        }
        Ok(1 + write::properties_length(self.properties, version)?)
    }

    pub(crate) fn write(&self, version: Version, out: &mut Vec<u8>) {
        if *self == Self::default() {
            return;
        }
        out.push(self.reason_code.0);
        write::properties(self.properties, version, out);
    }
}
