//! PUBACK: the receiver of a QoS 1 message has taken it over (section 3.4).

use crate::{Properties, ReasonCode};

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
