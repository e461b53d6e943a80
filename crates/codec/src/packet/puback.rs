//! PUBACK: the receiver of a QoS 1 message has taken it over (section 3.4).

use alloc::vec::Vec;

use super::acknowledgement::{self, Acknowledgement};
use crate::{
    EncodeError, PacketType, Properties, ReasonCode, Version,
    gate::Gate,
    reader::Reader,
    rule::{rule, rule_of_5_0},
};

/// PUBACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Puback<'a> {
    /// The Packet Identifier of the PUBLISH.
    pub packet_id: u16,
    /// PUBACK Reason Code; success before 5.0 and where a short form leaves it out.
    pub reason_code: ReasonCode,
    /// Properties; none before 5.0.
    pub properties: Properties<'a>,
}

impl<'a> Puback<'a> {
    #[inline]
    pub(crate) fn read<G: Gate>(reader: &mut Reader<'a, G>) -> Result<Self, G::Stop> {
        let packet_id_rule = rule!(
            reader.version,
            "v3.1/V31-2.4-1",
            "v3.1.1/MQTT-2.3.1-6",
            "v5.0/MQTT-2.2.1-5"
        );
        let reason_code_rule = rule_of_5_0!("v5.0/MQTT-3.4.2-1");
        let Acknowledgement {
            packet_id,
            reason_code,
            properties,
        } = acknowledgement::read(reader, PacketType::Puback, packet_id_rule, reason_code_rule)?;
        Ok(Self {
            packet_id,
            reason_code,
            properties,
        })
    }

    pub(crate) fn length(&self, version: Version) -> Result<usize, EncodeError> {
        self.fields().length(version)
    }

    pub(crate) fn write(&self, version: Version, out: &mut Vec<u8>) {
        self.fields().write(version, out);
    }

    const fn fields(&self) -> Acknowledgement<'a> {
        let Self {
            packet_id,
            reason_code,
            properties,
        } = *self;
        Acknowledgement {
            packet_id,
            reason_code,
            properties,
        }
    }
}
