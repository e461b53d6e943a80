//! What the clients of a trial share: where the broker is, what has happened, and what went wrong.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// Something takes longer than anything here should.
const TOO_LONG: Duration = Duration::from_mins(2);

#[derive(Default)]
pub(crate) struct Trial {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Where the broker is, while it runs, and which one it is.
    broker: Option<SocketAddr>,
    generation: usize,
    acknowledged: usize,
    /// The last message of each publisher that was retained and acknowledged.
    retained: BTreeMap<usize, usize>,
    subscribed: usize,
    /// Publishers finish what they have begun, and begin nothing.
    finishing: bool,
    faults: Vec<String>,
}

impl Trial {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    fn wait<T>(&self, mut until: impl FnMut(&State) -> Option<T>) -> T {
        let mut state = self.state();
        loop {
            if let Some(found) = until(&state) {
                return found;
            }
            let (next, waited) = self.changed.wait_timeout(state, TOO_LONG).unwrap();
            assert!(!waited.timed_out(), "nothing happens any more");
            state = next;
        }
    }

    pub(crate) fn broker_is_at(&self, address: Option<SocketAddr>) {
        self.change(|state| {
            state.broker = address;
            state.generation += usize::from(address.is_some());
        });
    }

    /// Waits for a broker that this client has not met; none once the trial has failed.
    pub(crate) fn next_broker(&self, met: &mut usize) -> Option<SocketAddr> {
        self.wait(|state| {
            if !state.faults.is_empty() {
                return Some(None);
            }
            let address = state.broker.filter(|_| state.generation > *met)?;
            *met = state.generation;
            Some(Some(address))
        })
    }

    /// Waits for so many further acknowledgements; tells whether they came.
    pub(crate) fn wait_for_acknowledged(&self, more: usize) -> bool {
        let enough = self.state().acknowledged + more;
        self.wait(|state| (state.acknowledged >= enough || !state.faults.is_empty()).then_some(()));
        self.faults().is_empty()
    }

    pub(crate) fn acknowledged(&self, retained: Option<(usize, usize)>) {
        self.change(|state| {
            state.acknowledged += 1;
            state.retained.extend(retained);
        });
    }

    pub(crate) fn retained(&self) -> BTreeMap<usize, usize> {
        self.state().retained.clone()
    }

    pub(crate) fn subscribed(&self) {
        self.change(|state| state.subscribed += 1);
    }

    pub(crate) fn wait_for_subscribers(&self, count: usize) {
        self.wait(|state| (state.subscribed >= count || !state.faults.is_empty()).then_some(()));
    }

    pub(crate) fn finish(&self) {
        self.change(|state| state.finishing = true);
    }

    pub(crate) fn is_finishing(&self) -> bool {
        self.state().finishing
    }

    pub(crate) fn fault(&self, fault: String) {
        self.change(|state| state.faults.push(fault));
    }

    pub(crate) fn faults(&self) -> Vec<String> {
        self.state().faults.clone()
    }

    /// A broker that is killed breaks connections; anything else that goes wrong with one is a fault.
    pub(crate) fn judge(&self, who: &str, error: &io::Error) {
        let killed = matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::BrokenPipe
        );
        if !killed {
            self.fault(format!("{who}: {error}"));
        }
    }
}
