//! [`Tally`]: how many cases ended with which verdict.

use std::ops::{AddAssign, Index};

use runner::Totals;
use runner::event::Verdict;

/// A verdict without its reason, in the order in which reports count them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Every expectation held.
    Pass,
    /// A MUST did not hold.
    Fail,
    /// A SHOULD did not hold.
    Warn,
    /// Held, and the target chose something worth telling.
    Note,
    /// Not applicable to this target.
    Skip,
    /// A prerequisite or the control twin failed.
    Untested,
    /// Failed, as the baseline says it would.
    Known,
    /// Listed in the baseline, and passed.
    Fixed,
    /// The target died or stopped serving.
    Crashed,
}

impl Kind {
    /// Every kind, in the order of their columns.
    pub const ALL: [Self; 9] = [
        Self::Pass,
        Self::Fail,
        Self::Warn,
        Self::Note,
        Self::Skip,
        Self::Untested,
        Self::Known,
        Self::Fixed,
        Self::Crashed,
    ];

    /// The kind of a verdict.
    pub const fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Fail => Self::Fail,
            Verdict::Warn => Self::Warn,
            Verdict::Note => Self::Note,
            Verdict::Skip { .. } => Self::Skip,
            Verdict::Untested { .. } => Self::Untested,
            Verdict::Known { .. } => Self::Known,
            Verdict::Fixed => Self::Fixed,
            Verdict::Crashed { .. } => Self::Crashed,
        }
    }

    /// The word for it, in tables and in machine-readable reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Warn => "warn",
            Self::Note => "note",
            Self::Skip => "skip",
            Self::Untested => "untested",
            Self::Known => "known",
            Self::Fixed => "fixed",
            Self::Crashed => "crashed",
        }
    }
}

/// Why a verdict is what it is, where it says so itself rather than through findings.
pub(crate) fn reason(verdict: &Verdict) -> Option<&str> {
    match verdict {
        Verdict::Skip { reason }
        | Verdict::Untested { reason }
        | Verdict::Known { reason }
        | Verdict::Crashed { reason } => Some(reason),
        Verdict::Pass | Verdict::Fail | Verdict::Warn | Verdict::Note | Verdict::Fixed => None,
    }
}

/// How many cases ended with which verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally([usize; Kind::ALL.len()]);

impl Tally {
    /// Counts one case.
    pub fn count(&mut self, kind: Kind) {
        self.0[kind as usize] += 1;
    }

    /// How many cases were counted.
    pub fn cases(&self) -> usize {
        self.0.iter().sum()
    }
}

impl From<&Totals> for Tally {
    fn from(totals: &Totals) -> Self {
        Self(Kind::ALL.map(|kind| match kind {
            Kind::Pass => totals.passed,
            Kind::Fail => totals.failed,
            Kind::Warn => totals.warned,
            Kind::Note => totals.noted,
            Kind::Skip => totals.skipped,
            Kind::Untested => totals.untested,
            Kind::Known => totals.known,
            Kind::Fixed => totals.fixed,
            Kind::Crashed => totals.crashed,
        }))
    }
}

impl Index<Kind> for Tally {
    type Output = usize;

    fn index(&self, kind: Kind) -> &usize {
        &self.0[kind as usize]
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        for (mine, its) in self.0.iter_mut().zip(other.0) {
            *mine += its;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_counter_of_its_own() {
        let mut tally = Tally::default();
        for (times, kind) in Kind::ALL.into_iter().enumerate() {
            for _ in 0..times {
                tally.count(kind);
            }
        }
        for (times, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(tally[kind], times, "{}", kind.name());
        }
        assert_eq!(tally.cases(), (0..9).sum::<usize>());
    }
}
