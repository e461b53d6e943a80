//! [`Outcome`]: how a run ended, and the exit status that says so.

use crate::event::{Crash, Event, Verdict};

/// How many cases got which verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// [`Verdict::Pass`].
    pub passed: usize,
    /// [`Verdict::Fail`].
    pub failed: usize,
    /// [`Verdict::Warn`].
    pub warned: usize,
    /// [`Verdict::Note`].
    pub noted: usize,
    /// [`Verdict::Skip`].
    pub skipped: usize,
    /// [`Verdict::Untested`].
    pub untested: usize,
    /// [`Verdict::Known`].
    pub known: usize,
    /// [`Verdict::Fixed`].
    pub fixed: usize,
    /// [`Verdict::Crashed`].
    pub crashed: usize,
}

/// How a run ended.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The verdicts, counted.
    pub totals: Totals,
    /// Whether the user stopped it.
    pub interrupted: bool,
    /// How the target died, if it did.
    pub crash: Option<Crash>,
    /// Baseline entries that fit no case.
    pub stale: Vec<String>,
    /// Cases that were not played because the run ended early.
    pub unplayed: usize,
    /// How many cases had not the same verdict in every round.
    pub flaky: usize,
}

impl Totals {
    /// Counts one more case.
    pub fn count(&mut self, verdict: &Verdict) {
        let counter = match verdict {
            Verdict::Pass => &mut self.passed,
            Verdict::Fail => &mut self.failed,
            Verdict::Warn => &mut self.warned,
            Verdict::Note => &mut self.noted,
            Verdict::Skip { .. } => &mut self.skipped,
            Verdict::Untested { .. } => &mut self.untested,
            Verdict::Known { .. } => &mut self.known,
            Verdict::Fixed => &mut self.fixed,
            Verdict::Crashed { .. } => &mut self.crashed,
        };
        *counter += 1;
    }

    /// All cases that were counted.
    pub fn cases(&self) -> usize {
        self.passed
            + self.failed
            + self.warned
            + self.noted
            + self.skipped
            + self.untested
            + self.known
            + self.fixed
            + self.crashed
    }
}

impl Outcome {
    /// Takes in one event of a run.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::CaseFinished(report) => self.totals.count(&report.verdict),
            Event::TargetCrashed(crash) => self.crash = Some(crash.clone()),
            Event::RunFinished(summary) => {
                self.interrupted = summary.interrupted;
                self.unplayed = summary.unplayed;
                self.stale.clone_from(&summary.stale);
                self.flaky = summary.flaky.len();
            }
            Event::RunStarted(_)
            | Event::CaseStarted(_)
            | Event::Notice(_)
            | Event::RoundFinished(_) => {}
        }
    }

    /// 0: the target conforms. 1: it deviates, its verdicts differ from round to round, or the baseline is out of date. 3: it stopped serving. 130: interrupted.
    ///
    /// What could not be tested is not conforming.
    pub fn exit_status(&self) -> u8 {
        let totals = &self.totals;
        if self.crash.is_some() || totals.crashed > 0 {
            3
        } else if self.interrupted {
            130
        } else {
            let deviations = totals.failed + totals.untested + totals.fixed + self.flaky;
            u8::from(deviations > 0 || !self.stale.is_empty())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(verdict: &Verdict) -> u8 {
        let mut outcome = Outcome::default();
        outcome.totals.count(verdict);
        assert_eq!(outcome.totals.cases(), 1);
        outcome.exit_status()
    }

    #[test]
    fn every_verdict_has_its_exit_status() {
        let reason = String::new;
        assert_eq!(status(&Verdict::Pass), 0);
        assert_eq!(status(&Verdict::Warn), 0);
        assert_eq!(status(&Verdict::Note), 0);
        assert_eq!(status(&Verdict::Skip { reason: reason() }), 0);
        assert_eq!(status(&Verdict::Known { reason: reason() }), 0);
        assert_eq!(status(&Verdict::Fail), 1);
        assert_eq!(status(&Verdict::Fixed), 1);
        assert_eq!(status(&Verdict::Untested { reason: reason() }), 1);
        assert_eq!(status(&Verdict::Crashed { reason: reason() }), 3);
    }

    #[test]
    fn a_stale_baseline_is_told_and_a_crash_weighs_most() {
        let mut outcome = Outcome {
            stale: vec!["baseline.yaml:3 `gone*`".into()],
            ..Outcome::default()
        };
        assert_eq!(outcome.exit_status(), 1);
        outcome.interrupted = true;
        assert_eq!(outcome.exit_status(), 130);
        outcome.crash = Some(Crash {
            case: None,
            seen: "connection refused".into(),
            log_tail: None,
        });
        assert_eq!(outcome.exit_status(), 3);
    }
}
