//! [`Traffic`]: what the networks between clients and target have to carry, and how late that makes an answer.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use tokio::time::Instant;

use crate::link::Conditions;

/// What the networks of a case have to carry.
#[derive(Debug)]
pub(super) struct Traffic {
    /// The network of each connection that has one.
    networks: RefCell<Vec<Conditions>>,
    /// When everything has arrived at the latest, if the target passes on at once what is sent to it.
    settled: Cell<Instant>,
}

impl Traffic {
    pub(super) fn new() -> Self {
        Self {
            networks: RefCell::default(),
            settled: Cell::new(Instant::now()),
        }
    }

    /// A connection is opened through this network.
    pub(super) fn joins(&self, conditions: Option<Conditions>) {
        self.networks.borrow_mut().extend(conditions);
    }

    /// So many bytes are sent, which the target may pass on to every client.
    pub(super) fn carries(&self, bytes: usize) {
        let networks = self.networks.borrow();
        if networks.is_empty() {
            return;
        }
        let once: Duration = networks
            .iter()
            .map(|network| network.longest(bytes).saturating_sub(network.latency))
            .sum();
        // To the target and from it.
        self.settled
            .set(self.settled.get().max(Instant::now()) + 2 * once);
    }

    /// How much later than on no network an answer may come, from now on.
    pub(super) fn lateness(&self) -> Duration {
        let networks = self.networks.borrow();
        let round_trips = networks.iter().map(Conditions::round_trips).max();
        let opening = networks
            .iter()
            .filter_map(|network| network.loss.map(|loss| loss.reopened))
            .max();
        round_trips.map_or(Duration::ZERO, |round_trips| {
            let under_way = self.settled.get().saturating_duration_since(Instant::now());
            round_trips + under_way + opening.unwrap_or_default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::LinkKind;

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_be_as_late_as_what_is_under_way_before_it() {
        let traffic = Traffic::new();
        traffic.carries(5_000);
        assert_eq!(traffic.lateness(), Duration::ZERO);
        traffic.joins(LinkKind::SecondGeneration.conditions());
        assert_eq!(traffic.lateness(), Duration::from_millis(2_100));
        traffic.carries(5_000);
        assert_eq!(traffic.lateness(), Duration::from_millis(4_100));
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(traffic.lateness(), Duration::from_millis(2_100));
    }
}
