//! DISCONNECT: the last packet of its sender (section 3.14).

use crate::{Properties, ReasonCode};

/// DISCONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Disconnect<'a> {
    /// Disconnect Reason Code; normal disconnection before 5.0 and where a short form leaves it out.
    pub reason_code: ReasonCode,
    /// Properties; none before 5.0.
    pub properties: Properties<'a>,
}
