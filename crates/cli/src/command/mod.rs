//! The commands, one a file.

mod broker;
mod check;
mod clauses;
mod decode;
mod fmt;
mod fuzz;
mod list;
mod probe;
mod prove;
mod replay;
mod report;
mod run;
mod shell;
mod supervise;

use std::num::NonZeroUsize;

use clap::Subcommand;

use crate::failure::Failure;

/// What the program can do; each command tells more where its arguments are.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Box<run::Run>),
    #[command(visible_alias = "merge")]
    Report(report::Again),
    List(list::List),
    Clauses(clauses::Clauses),
    Check(check::Check),
    Fmt(fmt::Format),
    /// Write the JSON Schema of scenarios, for editors, to standard output.
    Schema,
    Decode(decode::Decode),
    Probe(probe::Probe),
    Prove(prove::Prove),
    Fuzz(Box<fuzz::Fuzz>),
    Broker(Box<broker::Serve>),
    Completions(shell::Completions),
    #[command(hide = true)]
    Supervise(supervise::Supervise),
    /// Write the manual page to standard output.
    #[command(hide = true)]
    Man,
}

impl Command {
    /// Does it, and returns the exit status.
    pub(crate) fn execute(&self) -> Result<u8, Failure> {
        match self {
            Self::Run(run) => run.execute(),
            Self::Report(again) => again.execute(),
            Self::List(list) => list.execute(),
            Self::Clauses(clauses) => clauses.execute(),
            Self::Check(check) => check.execute(),
            Self::Fmt(format) => format.execute(),
            Self::Schema => shell::schema(),
            Self::Decode(decode) => decode.execute(),
            Self::Probe(probe) => probe.execute(),
            Self::Prove(prove) => prove.execute(),
            Self::Fuzz(fuzz) => fuzz.execute(),
            Self::Broker(serve) => serve.execute(),
            Self::Supervise(supervise) => supervise.execute(),
            Self::Completions(completions) => completions.execute(),
            Self::Man => shell::manual(),
        }
    }
}

/// How many things are done at once, from 1 on.
fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .map_err(|_| "it must be a whole number from 1 on".into())
}
