//! AUTH: a step of an enhanced authentication (section 3.15). 5.0 only.

use crate::{Properties, ReasonCode};

/// AUTH.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Auth<'a> {
    /// Authenticate Reason Code.
    pub reason_code: ReasonCode,
    /// Properties. Without an Authentication Method among them AUTH is a Protocol Error.
    pub properties: Properties<'a>,
}
