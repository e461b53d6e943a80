//! PUBREL: the sender of a QoS 2 message will not repeat it (section 3.6).

use crate::{Properties, ReasonCode};

/// PUBREL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pubrel<'a> {
    /// The Packet Identifier of the PUBLISH.
    pub packet_id: u16,
    /// PUBREL Reason Code; success before 5.0 and where a short form leaves it out.
    pub reason_code: ReasonCode,
    /// Properties; none before 5.0.
    pub properties: Properties<'a>,
}
