//! The log: what the broker says to standard error while it serves.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::failure::Failure;

/// Begins to log what the filter lets through.
pub(super) fn begin(filter: &str) -> Result<(), Failure> {
    let filter = EnvFilter::builder().parse(filter).map_err(|error| {
        Failure::new(format!("`{filter}` is no log level: {error}"))
            .help("write off, error, warn, info, debug or trace")
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .init();
    Ok(())
}
