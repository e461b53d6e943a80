//! Which of the cases in play killed the target.

use std::time::{Duration, Instant};

use crate::event::{CaseReport, Entry, Happening, Verdict};

/// A case that came to its end, and when it began.
pub(crate) struct Played {
    pub(crate) report: CaseReport,
    pub(crate) began: Instant,
}

/// The most likely culprit.
///
/// Of the cases whose link the target ended, it is the one that had just sent something, best something forbidden,
/// last of all. When the target fell silent instead, it is the one that has waited longest for an answer.
pub(crate) fn accuse<'a>(
    suspects: impl IntoIterator<Item = &'a Played, IntoIter: Clone>,
) -> Option<usize> {
    let of_killing = |(index, played)| Some((killing(played)?, index));
    let of_silencing = |(index, played)| Some((silencing(played)?, index));
    let suspects = suspects.into_iter().enumerate();
    let killer = suspects.clone().filter_map(of_killing).max();
    killer.map(|(_, index)| index).or_else(|| {
        let silencer = suspects.filter_map(of_silencing).min();
        silencer.map(|(_, index)| index)
    })
}

/// Whether the last bytes before the target ended a link were forbidden, and when they were sent.
fn killing(played: &Played) -> Option<(bool, Instant)> {
    let trace = &played.report.trace;
    let end = trace
        .iter()
        .position(|entry| matches!(entry.what, Happening::TargetEnded(_)))?;
    last_sent(&trace[..end]).map(|(forbidden, at)| (forbidden, played.began + at))
}

/// When the last bytes were sent, in a case that waited for an answer in vain.
fn silencing(played: &Played) -> Option<Instant> {
    let waited = matches!(
        played.report.verdict,
        Verdict::Fail | Verdict::Untested { .. }
    );
    let (_, at) = last_sent(&played.report.trace).filter(|_| waited)?;
    Some(played.began + at)
}

fn last_sent(trace: &[Entry]) -> Option<(bool, Duration)> {
    trace.iter().rev().find_map(|entry| match &entry.what {
        Happening::Sent { forbidden, .. } => Some((*forbidden, entry.at)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use codec::Version;
    use scenario::Source;

    use super::*;
    use crate::event::CaseInfo;

    fn entry(at: u64, what: Happening) -> Entry {
        Entry {
            at: Duration::from_millis(at),
            client: "a".into(),
            what,
        }
    }

    fn sent(at: u64, forbidden: bool) -> Entry {
        let notation = "PINGREQ".into();
        entry(
            at,
            Happening::Sent {
                notation,
                bytes: vec![0xC0, 0],
                forbidden,
            },
        )
    }

    fn ended(at: u64) -> Entry {
        entry(at, Happening::TargetEnded("closed"))
    }

    fn played(began: Instant, trace: Vec<Entry>) -> Played {
        judged(Verdict::Pass, began, trace)
    }

    fn judged(verdict: Verdict, began: Instant, trace: Vec<Entry>) -> Played {
        let case = Arc::new(CaseInfo {
            name: "a/b@v5.0/tcp".into(),
            chapter: "a".into(),
            title: String::new(),
            source: Arc::new(Source {
                name: String::new(),
                text: String::new(),
            }),
            version: Version::V5_0,
            clauses: Vec::new(),
        });
        let report = CaseReport {
            case,
            verdict,
            findings: Vec::new(),
            notes: Vec::new(),
            trace,
            elapsed: Duration::ZERO,
            consulted: Vec::new(),
            breaches: Vec::new(),
        };
        Played { report, began }
    }

    #[test]
    fn the_case_that_spoke_last_before_the_end_is_accused() {
        let now = Instant::now();
        let early = played(now, vec![sent(1, false), ended(50)]);
        let late = played(
            now + Duration::from_millis(40),
            vec![sent(5, false), ended(10)],
        );
        let elsewhere = played(now, vec![sent(49, false)]);
        assert_eq!(accuse(&[early, late, elsewhere]), Some(1));
    }

    #[test]
    fn what_was_forbidden_is_accused_first() {
        let now = Instant::now();
        let forbidden = played(now, vec![sent(1, true), ended(50)]);
        let late = played(now, vec![sent(45, false), ended(50)]);
        assert_eq!(accuse(&[forbidden, late]), Some(0));
    }

    #[test]
    fn of_a_silent_target_who_waited_longest_is_accused() {
        let now = Instant::now();
        let long = judged(Verdict::Fail, now, vec![sent(10, false)]);
        let longer = judged(Verdict::Fail, now, vec![sent(2, false)]);
        let answered = played(now, vec![sent(1, false)]);
        assert_eq!(accuse(&[long, longer, answered]), Some(1));
    }

    #[test]
    fn nobody_is_accused_without_evidence() {
        assert_eq!(
            accuse(&[played(Instant::now(), vec![sent(1, false)])]),
            None
        );
        assert_eq!(accuse(&[]), None);
    }
}
