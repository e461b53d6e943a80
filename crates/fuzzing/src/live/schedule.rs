//! [`Schedule`]: how the time of a campaign is divided between scripts and findings, so that it ends when it should.
//!
//! Findings are looked into as they come, for at most half of the time. What is left of them at the end gets as long as a
//! single one may take, all together.

use std::time::Duration;

use tokio::time::Instant;

/// How far findings may be ahead of scripts: the first are looked into at once.
const AHEAD: Duration = Duration::from_secs(5);

/// The time of a campaign.
#[derive(Debug)]
pub(super) struct Schedule {
    until: Instant,
    /// How long a finding may take.
    inquiry: Duration,
    performing: Duration,
    inquiring: Duration,
}

impl Schedule {
    /// A campaign of this length begins.
    pub(super) fn new(began: Instant, time: Duration, inquiry: Duration) -> Self {
        Self {
            until: began + time,
            inquiry,
            performing: Duration::ZERO,
            inquiring: Duration::ZERO,
        }
    }

    /// When no more scripts are begun.
    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// Whether no more scripts are begun.
    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Scripts were performed for this long.
    pub(super) fn performed(&mut self, time: Duration) {
        self.performing += time;
    }

    /// Findings were looked into for this long.
    pub(super) fn inquired(&mut self, time: Duration) {
        self.inquiring += time;
    }

    /// For how long scripts were performed.
    pub(super) fn performing(&self) -> Duration {
        self.performing
    }

    /// Whether findings are to be looked into now, when scripts have been performed for this long since
    /// [`Self::performed`]; where not, it is the scripts' turn.
    pub(super) fn inquires(&self, since: Duration) -> bool {
        self.inquiring <= self.performing + since + AHEAD
    }

    /// Until when the next of so many findings may take.
    pub(super) fn due(&self, findings: usize) -> Instant {
        let now = Instant::now();
        let end = self.until + self.inquiry;
        let left = end.saturating_duration_since(now);
        let share = if now >= self.until {
            left / u32::try_from(findings.max(1)).unwrap_or(u32::MAX)
        } else {
            left
        };
        now + share.min(self.inquiry)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn findings_take_half_of_the_time_and_no_more() {
        let mut schedule = Schedule::new(Instant::now(), 60 * SECOND, 40 * SECOND);
        assert!(schedule.inquires(Duration::ZERO), "the first comes at once");
        schedule.inquired(20 * SECOND);
        assert!(!schedule.inquires(14 * SECOND));
        assert!(schedule.inquires(15 * SECOND));
        schedule.performed(15 * SECOND);
        assert!(schedule.inquires(Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn however_many_findings_there_are_it_ends() {
        let began = Instant::now();
        let schedule = Schedule::new(began, 60 * SECOND, 40 * SECOND);
        assert_eq!(schedule.due(9), began + 40 * SECOND);
        advance(59 * SECOND).await;
        assert_eq!(schedule.due(9), began + 99 * SECOND);
        advance(2 * SECOND).await;
        assert!(schedule.is_over());
        // Each takes all that it may, and is the last then.
        for findings in (1..=9).rev() {
            advance(schedule.due(findings) - Instant::now()).await;
        }
        assert_eq!(began.elapsed(), 100 * SECOND);
        assert_eq!(schedule.due(1), Instant::now());
    }
}
