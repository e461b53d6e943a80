//! CONNACK: the server's answer to CONNECT (section 3.2).

use crate::{Properties, ReasonCode};

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
