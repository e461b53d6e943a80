//! CONNACK: the server's answer to CONNECT (section 3.2).

use alloc::vec::Vec;

use crate::{
    Direction, EncodeError, Found, PacketType, Properties, PropertyOwner, ReasonCode, Version,
    gate::Gate, plain, property, reader::Reader, rule::rule, write,
};

const OWNER: PropertyOwner = PropertyOwner::Packet(PacketType::Connack);

/// CONNACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connack<'a> {
    /// Session Present; unknown to 3.1.
    pub session_present: bool,
    /// Connect Reason Code; before 5.0 the [Connect Return Code](crate::connect_return_code).
    pub reason_code: ReasonCode,
    /// Properties; none before 5.0.
    pub properties: Properties<'a>,
}

impl<'a> Connack<'a> {
    pub(crate) fn read<G: Gate>(reader: &mut Reader<'a, G>) -> Result<Self, G::Stop> {
        let version = reader.version;
        let offset = reader.offset();
        let flags = reader.byte("session_present")?;
        if flags > 1 && version != Version::V3_1 {
            let rule = rule!(
                version,
                "v3.1/V31-3.2-1",
                "v3.1.1/U311-3.2.2.1-1",
                "v5.0/MQTT-3.2.2-1"
            );
            let expected = "bit 0 of a byte whose other bits are 0";
            reader.malformed(
                rule,
                offset,
                "session_present",
                expected,
                Found::Byte(flags),
            )?;
        }
        let offset = reader.offset();
        let reason_code = ReasonCode(reader.byte("reason")?);
        if !reason_code.is_allowed_in(PacketType::Connack, reader.direction, version) {
            let rule = rule!(
                version,
                "v3.1/V31-3.2-2",
                "v3.1.1/MQTT-3.2.2-6",
                "v5.0/MQTT-3.2.2-8"
            );
            let expected = "a code that CONNACK may carry";
            reader.protocol_error(rule, offset, "reason", expected, Found::Byte(reason_code.0))?;
        }
        let properties = property::read(reader, OWNER)?;
        reader.finish()?;
        Ok(Self {
            session_present: flags & 1 != 0 && version != Version::V3_1,
            reason_code,
            properties,
        })
    }

    /// Whether it is sound at a glance.
    pub(crate) fn is_plain(&self, version: Version) -> bool {
        self.reason_code
            .is_allowed_in(PacketType::Connack, Direction::ToClient, version)
            && plain::is_list(self.properties, OWNER, version)
    }

    pub(crate) fn length(&self, version: Version) -> Result<usize, EncodeError> {
        Ok(2 + write::properties_length(self.properties, version)?)
    }

    pub(crate) fn write(&self, version: Version, out: &mut Vec<u8>) {
        let session_present = self.session_present && version != Version::V3_1;
        out.push(u8::from(session_present));
        out.push(self.reason_code.0);
        write::properties(self.properties, version, out);
    }
}
