//! PUBREC: the receiver of a QoS 2 message has taken it over (section 3.5).

use crate::{Properties, ReasonCode};

/// PUBREC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pubrec<'a> {
    /// The Packet Identifier of the PUBLISH.
    pub packet_id: u16,
    /// PUBREC Reason Code; success before 5.0 and where a short form leaves it out.
    pub reason_code: ReasonCode,
    /// Properties; none before 5.0.
    pub properties: Properties<'a>,
}
