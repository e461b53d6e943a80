//! Plays the cases on a broker over the network: many at once on one thread, each on a configuration that has what it
//! requires.
//!
//! - [`Site`] is what there is to play on: one or several configurations of a broker, running somewhere or launched.
//! - `station` is one of them, admitted and watched by a witness; `seats` tells which case goes where.
//! - `hall` plays the cases, waiting ones first, some alone; `burial` says what happens when the target dies.

mod burial;
mod hall;
mod seats;
mod site;
mod station;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::runtime;
use tokio::task::LocalSet;

pub(crate) use site::{Site, Source};
pub(crate) use station::{Asker, Station};

use crate::admission::AdmissionError;
use crate::ledger::Ledger;
use crate::plan::Plan;
use crate::run::Options;
use hall::Hall;
use seats::Seats;

/// How many file descriptors this process asks for; some systems begin with far fewer.
const FILE_DESCRIPTORS: u64 = 1024;

/// Plays all cases of the plan.
pub(crate) fn run(
    plan: &Plan,
    site: &Site,
    options: &Options,
    ledger: &mut Ledger<'_>,
) -> Result<(), AdmissionError> {
    // Without more, the connections have to do with what there is.
    let _ = rlimit::increase_nofile_limit(FILE_DESCRIPTORS);
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(AdmissionError::Runtime)?;
    runtime.block_on(LocalSet::new().run_until(async {
        let nonce = nonce();
        site.must_have(&plan.transports())?;
        let infos = plan.infos(site.transport());
        let asker = Arc::new(Asker::new(plan, nonce, options));
        let seating = Seats::find(plan, site, &asker);
        let seats = tokio::select! {
            seats = seating => seats?,
            () = options.interrupt.raised() => {
                ledger.open(&site.name, &infos);
                return Ok(());
            }
        };
        ledger.open(&site.name, &infos);
        Hall::new(site, options, nonce, asker, ledger)
            .play_all(plan, infos, seats)
            .await;
        Ok(())
    }))
}

/// What tells this run's topics from those of an earlier one.
fn nonce() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let mixed = now.as_nanos() ^ (u128::from(std::process::id()) << 40);
    u64::try_from(mixed & u128::from(u64::MAX)).unwrap_or_default()
}
