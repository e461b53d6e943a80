//! `mqtt-assay run`: plays scenarios against a broker.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use runner::event::Event;
use runner::target::Address;
use runner::{At, Interrupt, Part, Repetition};

use crate::failure::{Failure, NO_TARGET};
use crate::filter::Which;
use crate::reports::Reports;
use crate::suite::Suite;
use crate::{baseline, signal};

/// How often cases are played until one fails, unless something else is said.
const ENDLESS: usize = 1000;

/// More rounds than this are a slip of the pen.
const MOST_ROUNDS: usize = 1_000_000;

/// Play scenarios against a broker.
///
/// Without a target they are played on the reference broker that is part of this program, in virtual time; without
/// paths those are played that come with it.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Run {
    /// Files and folders of scenarios; those that come with the program where none is given.
    paths: Vec<PathBuf>,

    /// The broker, such as `mqtt://localhost:1883` or `ws://localhost:8080/mqtt`; `mqtt://user:password@host` where it wants to know who comes.
    #[arg(long, short, value_name = "URL")]
    target: Option<Address>,

    #[command(flatten)]
    which: Which,

    /// Only one of so many parts, such as `2/4`, for CI systems; `mqtt-assay merge` reports their recordings as one run.
    #[arg(long, value_name = "PART", help_heading = "Which cases")]
    partition: Option<Part>,

    /// How many cases are played at once; a good number where it is not given.
    #[arg(long, short, value_name = "N", value_parser = super::jobs)]
    jobs: Option<NonZeroUsize>,

    /// The deviations that are known: only others fail the run, and so do entries that no longer hold.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// A SHOULD that does not hold is a failure, not a warning.
    #[arg(long)]
    strict: bool,

    /// Stretch every time within which the target must answer by this factor, 1 to 100.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    patience: f64,

    /// Stop at the first case that fails.
    #[arg(long)]
    fail_fast: bool,

    /// Play the cases so many times, and name those whose verdicts differ.
    #[arg(long, value_name = "N", value_parser = rounds, help_heading = "Again and again")]
    repeat: Option<usize>,

    /// Play the cases again and again until one fails, 1000 times unless `--repeat` says how often.
    #[arg(long, help_heading = "Again and again")]
    until_failure: bool,

    #[command(flatten)]
    reports: Reports,
}

impl Run {
    pub(crate) fn execute(&self) -> Result<u8, Failure> {
        let baseline = self.baseline.as_deref().map(baseline::load).transpose()?;
        let unread = baseline.as_ref().and_then(baseline::unread);
        let suite = Suite::load(&self.paths)?;
        let plan = self.which.plan(&suite)?;
        let plan = match self.partition {
            Some(part) => plan.part(part),
            None => plan,
        };
        let mut telling = self.reports.open(self.command(), true)?;

        let interrupt = Interrupt::new();
        signal::interrupt_on_ctrl_c(interrupt.clone())
            .map_err(|error| Failure::new(format!("cannot listen for Ctrl-C: {error}")))?;
        let options = runner::Options {
            jobs: self.jobs.map(NonZeroUsize::get),
            patience: self.patience,
            strict: self.strict,
            baseline,
            interrupt,
            ..runner::Options::default()
        };
        let at = self.target.clone().map_or(At::Embedded, At::Address);
        let mut stopped = false;
        let played = runner::repeat(&plan, &at, &options, self.repetition(), &mut |mut event| {
            if self.fail_fast && fails(&event) && !options.interrupt.is_raised() {
                stopped = true;
                options.interrupt.raise();
            }
            match (&mut event, &unread) {
                // To stop at a failure is no interruption: the exit status is that of the failure.
                (Event::RunFinished(summary), _) => summary.interrupted &= !stopped,
                (Event::RunStarted(_), Some(notice)) => {
                    telling.on(event);
                    telling.on(Event::Notice(notice.clone()));
                    return;
                }
                _ => {}
            }
            telling.on(event);
        });
        match played {
            Ok(()) => telling.finish(),
            Err(error) => {
                telling.not_played(&error.to_string());
                Err(Failure::of(&error).status(NO_TARGET))
            }
        }
    }

    fn repetition(&self) -> Repetition {
        let otherwise = if self.until_failure { ENDLESS } else { 1 };
        Repetition {
            rounds: self.repeat.unwrap_or(otherwise),
            until_failure: self.until_failure,
        }
    }

    /// The command that plays a case again, without the case.
    fn command(&self) -> String {
        let mut command = vec!["mqtt-assay run".to_owned()];
        for path in &self.paths {
            command.push(path.display().to_string());
        }
        if let Some(target) = &self.target {
            command.push(format!("--target {target}"));
        }
        command.join(" ")
    }
}

fn fails(event: &Event) -> bool {
    use runner::event::Verdict;
    matches!(event, Event::CaseFinished(report) if matches!(report.verdict, Verdict::Fail | Verdict::Crashed { .. }))
}

fn factor(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(factor) if (1.0..=100.0).contains(&factor) => Ok(factor),
        _ => Err("it must be a number from 1 to 100".into()),
    }
}

fn rounds(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(rounds @ 1..=MOST_ROUNDS) => Ok(rounds),
        _ => Err(format!("it must be a whole number from 1 to {MOST_ROUNDS}")),
    }
}
