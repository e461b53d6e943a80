//! [`Gate`]: what becomes of a violation. It is all that tells strict decoding from lenient.

use alloc::vec::Vec;
use core::convert::Infallible;

use crate::{Found, ReasonCode, Violation, ViolationKind};

/// Receives violations while a packet is read.
pub(crate) trait Gate {
    /// What ends the reading of a field; nothing does in a lenient one.
    type Stop;
    /// What is told when the reading of a packet was ended.
    type Error;

    /// Takes note of a violation and says whether to read on.
    fn report(&mut self, violation: Violation) -> Result<(), Self::Stop>;

    /// Why the reading was ended.
    fn why(&mut self, stop: Self::Stop) -> Self::Error;
}

/// Stops at the first violation and keeps it.
///
/// The violation stays here rather than travel in every `Result`: so those fit into registers.
#[derive(Default)]
pub(crate) struct Strict {
    violation: Option<Violation>,
}

/// The reading was ended; the gate knows why.
pub(crate) struct Stopped;

impl Gate for Strict {
    type Stop = Stopped;
    type Error = Violation;

    #[cold]
    fn report(&mut self, violation: Violation) -> Result<(), Stopped> {
        self.violation = Some(violation);
        Err(Stopped)
    }

    #[cold]
    fn why(&mut self, Stopped: Stopped) -> Violation {
        // Only `report` makes a `Stopped`, so there is a violation.
        self.violation.take().unwrap_or(UNTOLD)
    }
}

const UNTOLD: Violation = Violation {
    clause: clauses::clause!("v5.0/MQTT-4.13.1-1"),
    also: None,
    offset: 0,
    field: "packet",
    kind: ViolationKind::MalformedPacket,
    reason_code: ReasonCode::MALFORMED_PACKET,
    expected: "sound",
    found: Found::Nothing,
};

/// Collects violations and reads on.
pub(crate) struct Lenient<'v>(pub(crate) &'v mut Vec<Violation>);

impl Gate for Lenient<'_> {
    type Stop = Infallible;
    type Error = Infallible;

    fn report(&mut self, violation: Violation) -> Result<(), Infallible> {
        self.0.push(violation);
        Ok(())
    }

    fn why(&mut self, stop: Infallible) -> Infallible {
        stop
    }
}
