//! The store of `mqtt-assay broker --data`: opened, or why not.

use std::path::Path;

use broker::store::OpenError;
use broker::{Broker, Config, Store};

use crate::failure::Failure;

/// Opens the store in this directory.
pub(super) fn open(directory: &Path) -> Result<Store, Failure> {
    Store::open(directory).map_err(|error| refused(&error))
}

/// Starts the broker, in memory or on its store.
pub(super) fn start(config: Config, store: Option<Store>) -> Result<Broker, Failure> {
    let started = match store {
        None => Broker::start(config),
        Some(store) => Broker::start_on(config, store),
    };
    started.map_err(|error| Failure::of(&error))
}

fn refused(error: &OpenError) -> Failure {
    let failure = Failure::new(error.to_string());
    match error {
        OpenError::Foreign(_) => failure
            .note("a store has its directory to itself")
            .help("choose an empty directory, or one that does not exist yet"),
        OpenError::InUse(_) => {
            failure.help("end the other broker, or choose another directory with `--data`")
        }
        OpenError::NotAStore(_) => {
            failure.help("choose another directory with `--data`; the file was left as it is")
        }
        OpenError::Later { .. } => failure
            .note("a later version of this program has written it")
            .help("use that version, or choose another directory with `--data`"),
        OpenError::Damaged { .. } => failure
            .note("the broker does not start from a store that has lost part of what it held")
            .help(
                "restore it from a copy, or choose another directory with `--data` to begin anew",
            ),
        _ => failure.help("choose a directory that you may write to"),
    }
}
