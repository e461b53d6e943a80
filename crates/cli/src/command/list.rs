//! `mqtt-assay list`: the cases, with their titles and clauses.

use std::io::Write;
use std::path::PathBuf;

use anstyle::Style;
use clap::Args;
use report::terminal_line;
use serde::Serialize;

use crate::failure::Failure;
use crate::filter::Which;
use crate::suite::{Suite, count};

/// List the cases, with their titles and clauses.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Files and folders of scenarios; those that come with the program where none is given.
    paths: Vec<PathBuf>,

    #[command(flatten)]
    which: Which,

    /// As JSON: a list of `{ name, file, title, version, clauses }`.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    file: &'a str,
    title: &'a str,
    version: &'static str,
    clauses: Vec<&'static str>,
}

impl List {
    pub(crate) fn execute(&self) -> Result<u8, Failure> {
        let suite = Suite::load(&self.paths)?;
        let plan = self.which.plan(&suite)?;
        let cases: Vec<Listed<'_>> = plan
            .cases()
            .iter()
            .map(|case| Listed {
                name: &case.name,
                file: &case.scenario.source.name,
                title: &case.scenario.title.value,
                version: case.version.name(),
                clauses: case.clauses.iter().map(|id| id.name()).collect(),
            })
            .collect();
        let mut out = anstream::stdout().lock();
        if self.json {
            serde_json::to_writer_pretty(&mut out, &cases).map_err(std::io::Error::from)?;
            writeln!(out)?;
            return Ok(0);
        }
        let bold = Style::new().bold();
        let mut files = 0;
        let mut file = "";
        for case in &cases {
            if case.file != file {
                if files > 0 {
                    writeln!(out)?;
                }
                writeln!(
                    out,
                    "{bold}{}{bold:#}: {}",
                    terminal_line(case.file),
                    terminal_line(case.title)
                )?;
                file = case.file;
                files += 1;
            }
            writeln!(
                out,
                "  {}  {}",
                terminal_line(case.name),
                case.clauses.join(", ")
            )?;
        }
        writeln!(
            out,
            "\n{} of {}",
            count(cases.len(), "case"),
            count(files, "scenario")
        )?;
        Ok(0)
    }
}
