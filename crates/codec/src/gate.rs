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

/// Stops at the first violation.
pub(crate) struct Strict;

impl Gate for Strict {
    type Stop = Violation;

    #[inline]
    fn report(&mut self, violation: Violation) -> Result<(), Violation> {
        Err(violation)
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
