//! The store of `mqtt-assay broker --data`: opened, or why not.

use std::io::ErrorKind;
use std::path::Path;

use broker::store::{CommitError, OpenError};
use broker::{Broker, Config, Store};

use crate::failure::{Failure, NO_TARGET};

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

/// The store cannot be written any more, and the broker has ended with that.
pub(super) fn failed(error: &CommitError) -> Failure {
    let failure = Failure::new(error.to_string()).status(NO_TARGET);
    let failure = failure
        .note("whatever was acknowledged before is kept, and nothing was acknowledged that is not");
    if is_full(error.kind()) {
        failure.help("make room for the file, and start the broker again")
    } else {
        failure
            .help("mend the disk, or restore the directory elsewhere, and start the broker again")
    }
}

/// Whether the system has no room for more.
fn is_full(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
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
        OpenError::File { source, .. } if is_full(source.kind()) => {
            failure.help("make room for the file, or choose another directory with `--data`")
        }
        _ => failure.help("choose a directory that you may write to"),
    }
}
