//! What waits to be written to one connection.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Broker;

/// How many bytes may wait before the core is asked to hold messages back and reading pauses.
const CONGESTED: usize = 1 << 20;
/// How few bytes must be left before it goes on.
const DRAINED: usize = CONGESTED / 4;

/// How much memory a buffer keeps once it is written.
const KEPT: usize = 4 << 10;

/// The bytes that wait for one connection's writer. Nothing waits for it: who adds never blocks.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    state: Mutex<State>,
    filled: Notify,
    drained: Notify,
    closed: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    writing: usize,
    congested: bool,
    closed: bool,
}

impl Outbox {
    /// Adds bytes; tells whether that made the connection congested.
    pub(super) fn push(&self, bytes: &[u8]) -> bool {
        let mut state = self.state();
        if state.closed {
            return false;
        }
        state.waiting.extend_from_slice(bytes);
        self.filled.notify_one();
        let crossed = !state.congested && state.waiting.len() + state.writing > CONGESTED;
        state.congested |= crossed;
        crossed
    }

    /// Lets the writer finish what waits and then shut down.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.filled.notify_one();
        self.closed.notify_one();
        self.drained.notify_one();
    }

    /// Exchanges what waits with the written (and so empty) buffer; `None` once closed and empty.
    pub(super) async fn next(&self, written: &mut Vec<u8>) -> Option<()> {
        written.clear();
        written.shrink_to(KEPT);
        loop {
            {
                let mut state = self.state();
                if !state.waiting.is_empty() {
                    std::mem::swap(&mut state.waiting, written);
                    state.writing = written.len();
                    return Some(());
                }
                if state.closed {
                    return None;
                }
            }
            self.filled.notified().await;
        }
    }

    /// Notes that what [`next`](Self::next) gave is written; tells whether that ended a congestion.
    pub(super) fn written(&self) -> bool {
        let mut state = self.state();
        state.writing = 0;
        let crossed = state.congested && state.waiting.len() <= DRAINED;
        if crossed {
            state.congested = false;
            self.drained.notify_one();
        }
        crossed
    }

    /// Waits while the connection is congested.
    pub(super) async fn room(&self) {
        while self.is_congested() {
            self.drained.notified().await;
        }
    }

    /// Waits until the connection has been closed for [`Broker::LINGER`].
    pub(super) async fn overdue(&self) {
        while !self.state().closed {
            self.closed.notified().await;
        }
        // On the heap, since it is the end of the connection.
        Box::pin(tokio::time::sleep(Broker::LINGER)).await;
    }

    fn is_congested(&self) -> bool {
        let state = self.state();
        state.congested && !state.closed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
