//! The binary `mqtt-assay`: arguments to calls.
//!
//! Each command has a file of its own in `command`, which holds its arguments and turns them into calls of the crates
//! below. What goes wrong comes back as a [`failure::Failure`], which says what, why and what to do, and carries the exit
//! status.

mod baseline;
mod command;
mod edition;
mod failure;
mod filter;
mod profile_text;
mod project;
mod reports;
mod signal;
mod suite;
mod target;
mod terminal;
mod trust;
mod ways;

use std::process::ExitCode;

use clap::Parser;

use command::Command;

/// How conformant is an MQTT broker?
///
/// Plays exchanges of MQTT packets, written as scenarios, against a broker, and says which sentence of the
/// specification each deviation breaks. Without a target it plays them on its own reference broker.
#[derive(Debug, Parser)]
#[command(
    name = "mqtt-assay",
    version,
    max_term_width = 100,
    arg_required_else_help = true
)]
#[command(after_help = "\
Exit status: 0 conforms, 1 deviations or a stale baseline, 2 bad arguments or scenario,
3 target not reachable or crashed, 130 interrupted.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    match Cli::parse().command.execute() {
        Ok(status) => ExitCode::from(status),
        Err(failure) => failure.tell(),
    }
}
