//! [`Wake`]: keeps a target awake while scripts are performed one at a time.
//!
//! Some targets look at new connections only when something else has woken them: Mosquitto serves its WebSocket
//! listener so, every 100 ms where nobody else is busy. In a campaign there is always somebody else. A finding that is
//! made to happen again should meet the target as it was when the finding was made, and not wait for it at each step.

use std::time::Duration;

use runner::Sign;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::witnesses::Witnesses;

/// How long the target is left in peace between two packets.
const REST: Duration = Duration::from_millis(1);
/// How long until somebody calls again whom the target has thrown out, or did not let in.
const AGAIN: Duration = Duration::from_millis(100);

/// Somebody who is busy at the target until this is dropped.
pub(super) struct Wake {
    _caller: JoinSet<()>,
}

impl Wake {
    /// Has somebody connect and send PINGREQ after PINGREQ.
    pub(super) fn begin(mut witnesses: Witnesses) -> Self {
        let mut caller = JoinSet::new();
        caller.spawn_local(async move {
            loop {
                if let Ok(mut witness) = witnesses.call().await {
                    while witness.look().await == Sign::Served {
                        sleep(REST).await;
                    }
                }
                sleep(AGAIN).await;
            }
        });
        Self { _caller: caller }
    }
}
