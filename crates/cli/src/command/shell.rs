//! `mqtt-assay completions` and `mqtt-assay man`: what a shell and a manual want to know.

use std::io;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::Cli;
use crate::failure::Failure;

/// Write a completion script for a shell to standard output.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    pub(crate) fn execute(&self) -> Result<u8, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "mqtt-assay", &mut script);
        io::Write::write_all(&mut io::stdout(), &script)?;
        Ok(0)
    }
}

/// Writes the manual page.
pub(super) fn manual() -> Result<u8, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    io::Write::write_all(&mut io::stdout(), &page)?;
    Ok(0)
}
