//! Which of the cases in play killed the target.

use std::time::{Duration, Instant};

use crate::event::{CaseReport, Happening};

/// A case that came to its end, and when it began.
pub(crate) struct Played {
    pub(crate) report: Box<CaseReport>,
    pub(crate) began: Instant,
}

/// The most likely culprit: of the cases whose link the target ended, the one that had just sent something, best
/// something forbidden, last of all.
pub(crate) fn accuse(suspects: &[Played]) -> Option<usize> {
    suspects
        .iter()
        .enumerate()
        .filter_map(|(index, played)| Some((index, evidence(played)?)))
        .max_by_key(|(_, evidence)| *evidence)
        .map(|(index, _)| index)
}

/// Whether the last bytes before the target's end were forbidden, and when they were sent.
fn evidence(played: &Played) -> Option<(bool, Instant)> {
    let trace = &played.report.trace;
    let end = trace
        .iter()
        .position(|entry| matches!(entry.what, Happening::TargetEnded(_)))?;
    let (at, forbidden): (Duration, bool) = trace[..end].iter().rev().find_map(|entry| match &entry.what {
        Happening::Sent { forbidden, .. } => Some((entry.at, *forbidden)),
        _ => None,
    })?;
    Some((forbidden, played.began + at))
}
