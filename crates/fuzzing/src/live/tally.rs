//! [`Tally`]: what a campaign has done so far.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clauses::ClauseId;

use super::perform::Performance;

/// What a campaign has done so far.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// How long it has taken.
    pub elapsed: Duration,
    /// How much of that passed while scripts were performed, and neither findings looked into nor the target left alone.
    pub performing: Duration,
    /// Scripts that were performed.
    pub scripts: u64,
    /// Sessions that the target began anew for them.
    pub sessions: u64,
    /// Packets sent, and bytes that were meant to be some.
    pub sent: u64,
    /// Packets received, each of them decoded strictly.
    pub received: u64,
    /// Kinds of answer that were told apart.
    pub kinds: usize,
    /// Scripts that are kept since they brought news.
    pub kept: usize,
    /// The clauses that were broken on purpose.
    pub exercised: BTreeSet<ClauseId>,
    /// Findings, each class once.
    pub findings: usize,
    /// How often a finding of a class that is known came again.
    pub repeated: u64,
    /// What was seen and could not be made to happen again: how often, by its class.
    pub unconfirmed: BTreeMap<String, u64>,
    /// Classes of finding that were seen, and not looked into before the end.
    pub left: usize,
    /// How often the target died or stopped serving.
    pub crashes: u64,
}

impl Tally {
    pub(super) fn take(&mut self, performance: &Performance) {
        self.scripts += 1;
        self.sessions += performance.sessions;
        self.sent += performance.sent;
        self.received += performance.received;
        self.exercised.extend(
            performance
                .answers
                .iter()
                .filter_map(|answer| answer.sent.violation),
        );
    }

    /// Something of this class was seen, and not again.
    pub(super) fn only_once(&mut self, class: String) {
        *self.unconfirmed.entry(class).or_default() += 1;
    }

    /// Packets in both directions, per second of performing.
    pub fn packets_per_second(&self) -> u64 {
        self.per_second(self.sent + self.received)
    }

    /// New sessions per second of performing.
    pub fn sessions_per_second(&self) -> u64 {
        self.per_second(self.sessions)
    }

    fn per_second(&self, count: u64) -> u64 {
        let milliseconds = self.performing.as_millis().max(1);
        let per_second = u128::from(count) * 1000 / milliseconds;
        u64::try_from(per_second).unwrap_or(u64::MAX)
    }
}
