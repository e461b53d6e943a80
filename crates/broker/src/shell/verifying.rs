//! Passwords are checked on threads of their own: that takes long on purpose, and the other clients are served
//! meanwhile.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use tokio::sync::Notify;
use tokio::task::spawn_blocking;

use super::hub::Hub;
use crate::core::{Claim, ConnectionId, Event};

/// The most threads that check passwords, however many the machine would have.
const MOST: usize = 4;

/// The claims that wait: at most one of each connection, so they are as bounded as those. Who came first is first.
#[derive(Debug, Default)]
pub(super) struct Verifying {
    claims: Mutex<BTreeMap<ConnectionId, Claim>>,
    claimed: Notify,
}

impl Verifying {
    pub(super) fn add(&self, connection: ConnectionId, claim: Claim) {
        self.claims().insert(connection, claim);
        self.claimed.notify_one();
    }

    /// Forgets the claim of a connection that is closed.
    pub(super) fn forget(&self, connection: ConnectionId) {
        self.claims().remove(&connection);
    }

    async fn next(&self) -> (ConnectionId, Claim) {
        loop {
            if let Some(first) = self.claims().pop_first() {
                return first;
            }
            self.claimed.notified().await;
        }
    }

    fn claims(&self) -> MutexGuard<'_, BTreeMap<ConnectionId, Claim>> {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Verifies what the core asks for, until the broker ends: on as many threads as leave one for the broker.
pub(super) fn start(hub: &Arc<Hub>) {
    let threads = available_parallelism().map_or(1, |all| all.get().saturating_sub(1));
    for _ in 0..threads.clamp(1, MOST) {
        tokio::spawn(verify(Arc::clone(hub)));
    }
}

async fn verify(hub: Arc<Hub>) {
    let mut abandoned = hub.abandoned();
    let verifying = async {
        loop {
            let (connection, claim) = hub.verifying().next().await;
            let holds = spawn_blocking(move || claim.holds()).await.unwrap_or(false);
            hub.handle(Event::Verified { connection, holds });
        }
    };
    tokio::select! {
        () = verifying => {}
        _ = abandoned.wait_for(|&abandoned| abandoned) => {}
    }
}
