//! `mqtt-assay completions`, `man` and `schema`: what shells, manuals and editors want to know.

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

/// Writes the JSON Schema of scenarios, by which editors complete and check them.
pub(super) fn schema() -> Result<u8, Failure> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &scenario::schema()).map_err(io::Error::from)?;
    io::Write::write_all(&mut out, b"\n")?;
    Ok(0)
}
