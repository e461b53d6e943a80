//! The commands, one a file.

mod broker;
mod check;
mod clauses;
mod decode;
mod fmt;
mod list;
mod prove;
mod run;
mod shell;

use clap::Subcommand;

use crate::failure::Failure;

/// What the program can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Play scenarios against a broker.
    Run(Box<run::Run>),
    /// List the cases, with their titles and clauses.
    List(list::List),
    /// Look up the register of normative statements, and which scenario covers what.
    Clauses(clauses::Clauses),
    /// Parse and lint scenarios.
    Check(check::Check),
    /// Bring scenarios into their usual form.
    Fmt(fmt::Format),
    /// Write the JSON Schema of scenarios, for editors, to standard output.
    Schema,
    /// Explain the bytes of Control Packets, or say which rule they break.
    Decode(decode::Decode),
    /// Show that the checks can fail, by breaking the rules of the reference broker.
    Prove(prove::Prove),
    /// Serve the reference broker.
    Broker(broker::Serve),
    /// Write a completion script for a shell to standard output.
    Completions(shell::Completions),
    /// Write the manual page to standard output.
    #[command(hide = true)]
    Man,
}

impl Command {
    /// Does it, and returns the exit status.
    pub(crate) fn execute(&self) -> Result<u8, Failure> {
        match self {
            Self::Run(run) => run.execute(),
            Self::List(list) => list.execute(),
            Self::Clauses(clauses) => clauses.execute(),
            Self::Check(check) => check.execute(),
            Self::Fmt(format) => format.execute(),
            Self::Schema => shell::schema(),
            Self::Decode(decode) => decode.execute(),
            Self::Prove(prove) => prove.execute(),
            Self::Broker(serve) => serve.execute(),
            Self::Completions(completions) => completions.execute(),
            Self::Man => shell::manual(),
        }
    }
}
