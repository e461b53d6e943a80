//! UNSUBACK: the server's answer to UNSUBSCRIBE (section 3.11).

use crate::{Properties, ReasonCodes};

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
