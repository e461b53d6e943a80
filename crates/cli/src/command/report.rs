//! `mqtt-assay report`: reports recorded runs again, several as one.

use std::path::PathBuf;

use clap::Args;
use report::{Recording, Unreadable, merge};

use crate::failure::{Failure, NO_TARGET};
use crate::reports::Reports;

/// Report a recorded run again; the recordings of several parts are reported as one run.
///
/// Takes what `mqtt-assay run --record FILE` wrote. The exit status is that of the run; parts that are missing leave it
/// unfinished.
#[derive(Debug, Args)]
pub(crate) struct Again {
    /// Recordings of one run: a whole, the parts of `--partition`, or runs of different cases.
    #[arg(required = true, value_name = "FILE")]
    recordings: Vec<PathBuf>,

    #[command(flatten)]
    reports: Reports,
}

impl Again {
    pub(crate) fn execute(&self) -> Result<u8, Failure> {
        let mut recordings = Vec::new();
        for path in &self.recordings {
            recordings.push(Recording::read(path).map_err(|error| refusal(&error))?);
        }
        let commands: Vec<&str> = recordings
            .iter()
            .map(|recording| &*recording.command)
            .collect();
        let mut telling = self.reports.open(together(&commands), false)?;
        for event in merge(recordings).map_err(|error| refusal(&error))? {
            telling.on(event);
        }
        telling.finish()
    }
}

fn refusal(error: &Unreadable) -> Failure {
    let failure = Failure::of(error);
    match error {
        Unreadable::NotPlayed { .. } => failure.status(NO_TARGET),
        _ => failure,
    }
}

/// The command that plays a case of any of them again.
fn together(commands: &[&str]) -> String {
    let first = commands.first().copied().unwrap_or("mqtt-assay run");
    first.to_owned()
}
