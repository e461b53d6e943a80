//! PUBCOMP: a QoS 2 delivery is complete (section 3.7).

use crate::{Properties, ReasonCode};

/// PUBCOMP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pubcomp<'a> {
    /// The Packet Identifier of the PUBLISH.
    pub packet_id: u16,
    /// PUBCOMP Reason Code; success before 5.0 and where a short form leaves it out.
    pub reason_code: ReasonCode,
    /// Properties; none before 5.0.
    pub properties: Properties<'a>,
}
