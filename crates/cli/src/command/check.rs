//! `mqtt-assay check`: parses and lints scenarios.

use std::path::PathBuf;

use clap::Args;

use crate::failure::{BAD_INPUT, Failure};
use crate::suite::{Texts, count, tell};

/// Parse and lint scenarios.
///
/// Shows everything that is wrong with each file, with its place and what to do. Exit status 2 when a file cannot be
/// played.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Files and folders of scenarios; those that come with the program where none is given.
    paths: Vec<PathBuf>,

    /// Exit with 2 on warnings too.
    #[arg(long)]
    deny_warnings: bool,
}

impl Check {
    pub(crate) fn execute(&self) -> Result<u8, Failure> {
        let texts = Texts::read(&self.paths)?;
        let files = texts.len();
        let (_, complaints) = texts.parse();
        tell(&complaints);
        let errors = complaints
            .iter()
            .filter(|complaint| complaint.is_error())
            .count();
        let warnings = complaints.len() - errors;
        let found = match (errors, warnings) {
            (0, 0) => "nothing to complain about".to_owned(),
            (0, _) => count(warnings, "warning"),
            (_, 0) => count(errors, "error"),
            _ => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
        };
        anstream::eprintln!("{}: {found}", count(files, "scenario"));
        let failed = errors > 0 || (self.deny_warnings && warnings > 0);
        Ok(if failed { BAD_INPUT } else { 0 })
    }
}
