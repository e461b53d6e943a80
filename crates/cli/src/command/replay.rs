//! `mqtt-assay run --replay CASE`: plays one case and writes its exchange down, for playing it again.

use std::io::Write;

use clap::ValueEnum;
use report::{replay_as_scenario, replay_in_shell};
use runner::event::{CaseReport, Event};
use runner::link::Transport;
use runner::{At, Outcome, Plan};

use crate::failure::{Failure, NO_TARGET};
use crate::suite::count;

/// How an exchange is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// As a scenario.
    Scenario,
    /// As a script for bash, in raw bytes.
    Shell,
}

/// So many cases are named where one was meant.
const NAMED: usize = 5;

/// Where a script connects to that was made on a broker which is gone when it is run.
const ANYWHERE: (&str, u16) = ("localhost", 1883);

/// Plays the one case of the plan and writes its exchange down, in one form or in both.
///
/// # Errors
///
/// The plan has more than one case, or the target cannot be reached.
pub(crate) fn replay(
    plan: &Plan,
    at: &At,
    options: &runner::Options,
    form: Option<Form>,
) -> Result<u8, Failure> {
    let [case] = plan.cases() else {
        let names = plan
            .cases()
            .iter()
            .take(NAMED)
            .map(|case| case.name.as_str());
        let names: Vec<&str> = names.collect();
        return Err(Failure::new(format!(
            "{} fit, and one can be replayed",
            count(plan.len(), "case")
        ))
        .note(format!("the first are {}", names.join(", ")))
        .help("write the whole name of the case, or choose with `--versions`"));
    };
    let mut outcome = Outcome::default();
    let mut played: Option<Box<CaseReport>> = None;
    runner::run(plan, at, options, &mut |event| {
        outcome.take(&event);
        if let Event::CaseFinished(report) = event {
            played = Some(report);
        }
    })
    .map_err(|error| Failure::of(&error).status(NO_TARGET))?;
    let Some(report) = played else {
        return Ok(outcome.exit_status());
    };
    if report.trace.is_empty() {
        return Err(
            Failure::new(format!("nothing was exchanged in {}", case.name))
                .note(reason(&report))
                .help("`mqtt-assay run -v` tells more of it"),
        );
    }
    let mut out = anstream::stdout().lock();
    if form != Some(Form::Shell) {
        write!(
            out,
            "{}",
            replay_as_scenario(&report, &case.requires, case.scenario.alone)
        )?;
    }
    if form.is_none() {
        writeln!(out, "\n# The same in a shell, in raw bytes:")?;
    }
    if form != Some(Form::Scenario) {
        let (host, port) = address(at).unwrap_or(ANYWHERE);
        write!(out, "{}", replay_in_shell(&report, host, port))?;
    }
    Ok(outcome.exit_status())
}

/// Where a script reaches the broker in plain TCP, if it is running somewhere.
fn address(at: &At) -> Option<(&str, u16)> {
    let endpoints = match at {
        At::Address(endpoints) => endpoints,
        At::Profile(profile) => &profile.configurations.first()?.endpoints,
        At::Embedded | At::Stub(_) | At::Launch(_) => return None,
    };
    let address = endpoints.of(Transport::Tcp)?;
    Some((&address.host, address.port))
}

fn reason(report: &CaseReport) -> String {
    use runner::event::Verdict;
    match &report.verdict {
        Verdict::Skip { reason } | Verdict::Untested { reason } | Verdict::Crashed { reason } => {
            reason.clone()
        }
        _ => "it ended before a connection was opened".to_owned(),
    }
}
