//! UNSUBACK: the server's answer to UNSUBSCRIBE (section 3.11).

use alloc::vec::Vec;

use super::{
    acknowledgement::read_packet_id,
    listing::Listing,
    suback::{Rules, are_plain_codes, read_codes},
};
use crate::{
    EncodeError, PacketType, Properties, ReasonCodes, Version,
    gate::Gate,
    reader::Reader,
    rule::{rule, rule_of_5_0},
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
        let rules = Rules {
            packet_id: rule!(
                reader.version,
                "v3.1/V31-2.4-1",
                "v3.1.1/MQTT-2.3.1-7",
                "v5.0/MQTT-2.2.1-6"
            ),
            empty: rule_of_5_0!("v5.0/MQTT-3.11.3-1"),
            unlisted: rule_of_5_0!("v5.0/MQTT-3.11.3-2"),
        };
        let Listing {
            packet_id,
            properties,
            list,
        } = if reader.version.has_properties() {
            read_codes(reader, PacketType::Unsuback, rules)?
        } else {
            let packet_id = read_packet_id(reader, rules.packet_id)?;
            reader.finish()?;
            Listing::identified_by(packet_id)
        };
        Ok(Self {
            packet_id,
            properties,
            codes: ReasonCodes::new(list),
        })
    }

    /// Whether it is sound at a glance.
    pub(crate) fn is_plain(&self, version: Version) -> bool {
        if version.has_properties() {
            are_plain_codes(&self.fields(version), PacketType::Unsuback, version)
        } else {
            self.packet_id != 0
        }
    }

    pub(crate) fn length(&self, version: Version) -> Result<usize, EncodeError> {
        self.fields(version).length(version)
    }

    pub(crate) fn write(&self, version: Version, out: &mut Vec<u8>) {
        self.fields(version).write(version, out);
    }

    /// Before 5.0 it has no list.
    const fn fields(&self, version: Version) -> Listing<'a> {
        if !version.has_properties() {
            return Listing::identified_by(self.packet_id);
        }
        Listing {
            packet_id: self.packet_id,
            properties: self.properties,
            list: self.codes.as_bytes(),
        }
    }
}
