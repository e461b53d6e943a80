//! `mqtt-assay fmt`: brings scenarios into their usual form.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use report::{Destination, terminal_line};

use crate::failure::{BAD_INPUT, Failure};
use crate::suite::{Complaint, Texts, count, tell};

/// Bring scenarios into their usual form, comments kept.
///
/// Files are rewritten only where that changes them.
#[derive(Debug, Args)]
pub(crate) struct Format {
    /// Files and folders of scenarios.
    #[arg(required = true)]
    paths: Vec<PathBuf>,

    /// Change nothing; name the files that would change, and exit with 1 if there are any.
    #[arg(long)]
    check: bool,
}

impl Format {
    pub(crate) fn execute(&self) -> Result<u8, Failure> {
        let mut changed = 0;
        let mut unreadable = 0;
        let texts = Texts::read(&self.paths)?;
        let mut out = anstream::stdout().lock();
        for source in texts.sources() {
            match scenario::fmt(&source.text) {
                Ok(text) if text == source.text => {}
                Ok(text) => {
                    changed += 1;
                    writeln!(out, "{}", terminal_line(&source.name))?;
                    if !self.check {
                        rewrite(Path::new(&source.name), &text)?;
                    }
                }
                Err(diagnostics) => {
                    unreadable += 1;
                    let complaints: Vec<_> = diagnostics
                        .into_iter()
                        .map(|diagnostic| Complaint {
                            source: Arc::clone(source),
                            diagnostic,
                        })
                        .collect();
                    tell(&complaints);
                }
            }
        }
        let what = if self.check {
            "would change"
        } else {
            "changed"
        };
        anstream::eprintln!("{}: {changed} {what}", count(texts.len(), "scenario"));
        if unreadable > 0 {
            return Err(Failure::told(BAD_INPUT));
        }
        Ok(u8::from(self.check && changed > 0))
    }
}

/// Either all of the new text stands in the file afterwards, or the old one.
fn rewrite(path: &Path, text: &str) -> Result<(), Failure> {
    let destination = Destination::try_out(path).map_err(|error| Failure::of(&error))?;
    destination
        .write(|out| out.write_all(text.as_bytes()))
        .map_err(|error| Failure::of(&error))
}
