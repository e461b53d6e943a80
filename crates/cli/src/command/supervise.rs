//! `mqtt-assay supervise`, hidden: stands between a run and a broker that it launched.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use runner::launch::{Charge, supervise};

use crate::failure::Failure;

/// Start, stop and kill a program as standard input says, and end it when that closes.
#[derive(Debug, Args)]
pub(crate) struct Supervise {
    /// The folder that belongs to the program, and is removed at the end.
    #[arg(long)]
    folder: PathBuf,

    /// How long the program may take to stop before it is killed, in milliseconds.
    #[arg(long)]
    grace_ms: u64,

    /// The program and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

impl Supervise {
    pub(crate) fn execute(&self) -> Result<u8, Failure> {
        supervise(&Charge {
            folder: self.folder.clone(),
            grace: Duration::from_millis(self.grace_ms),
            command: self.command.clone(),
        })?;
        Ok(0)
    }
}
