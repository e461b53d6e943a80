//! [`Gate`]: what becomes of a violation. It is all that tells strict decoding from lenient.

use alloc::vec::Vec;
use core::convert::Infallible;

use crate::Violation;

/// Receives violations while a packet is read.
pub(crate) trait Gate {
    /// What ends the reading; nothing does in a lenient one.
    type Stop;

    /// Takes note of a violation and says whether to read on.
    fn report(&mut self, violation: Violation) -> Result<(), Self::Stop>;
}

/// Stops at the first violation and keeps it.
///
/// The violation stays here rather than travel in every `Result`: so those fit into registers.
#[derive(Default)]
pub(crate) struct Strict {
    violation: Option<Violation>,
}

impl Strict {
    /// The violation at which the reading stopped; `otherwise` tells what to blame if none was reported.
    #[cold]
    pub(crate) fn into_violation(self, otherwise: impl FnOnce() -> Violation) -> Violation {
        self.violation.unwrap_or_else(otherwise)
    }
}

/// The reading ended; the gate knows why.
pub(crate) struct Stopped;

impl Gate for Strict {
    type Stop = Stopped;

    #[cold]
    fn report(&mut self, violation: Violation) -> Result<(), Stopped> {
        self.violation = Some(violation);
        Err(Stopped)
    }
}

/// Collects violations and reads on.
pub(crate) struct Lenient<'v>(pub(crate) &'v mut Vec<Violation>);

impl Gate for Lenient<'_> {
    type Stop = Infallible;

    fn report(&mut self, violation: Violation) -> Result<(), Infallible> {
        self.0.push(violation);
        Ok(())
    }
}
