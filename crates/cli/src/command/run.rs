//! `mqtt-assay run`: plays scenarios against a broker.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use runner::event::Event;
use runner::{At, Interrupt, Part, Repetition};

use super::replay::{Form, replay};
use crate::failure::{Failure, NO_TARGET};
use crate::filter::Which;
use crate::project::Project;
use crate::reports::Reports;
use crate::suite::Suite;
use crate::target::Aim;
use crate::ways::Ways;
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

    #[command(flatten)]
    aim: Aim,

    /// Settings for all of this; the nearest `mqtt-assay.yaml` upwards from the working directory where none is given.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Look for no `mqtt-assay.yaml`.
    #[arg(long, conflicts_with = "config")]
    no_config: bool,

    #[command(flatten)]
    which: Which,

    #[command(flatten)]
    ways: Ways,

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
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    patience: Option<f64>,

    /// Stop at the first case that fails.
    #[arg(long)]
    fail_fast: bool,

    /// Play the cases so many times, and name those whose verdicts differ.
    #[arg(long, value_name = "N", value_parser = rounds, help_heading = "Again and again")]
    repeat: Option<usize>,

    /// Play the cases again and again until one fails, 1000 times unless `--repeat` says how often.
    #[arg(long, help_heading = "Again and again")]
    until_failure: bool,

    /// Play this one case, and write its exchange down as a scenario that plays and as a script for bash in raw bytes.
    #[arg(
        long,
        value_name = "CASE",
        help_heading = "Again and again",
        conflicts_with_all = ["filter", "repeat", "until_failure", "partition", "junit", "json", "html", "record", "write_baseline"]
    )]
    replay: Option<String>,

    /// Write the exchange down in one of its two forms, such as into a file.
    #[arg(
        long = "as",
        value_name = "FORM",
        requires = "replay",
        help_heading = "Again and again"
    )]
    form: Option<Form>,

    #[command(flatten)]
    reports: Reports,
}

impl Run {
    pub(crate) fn execute(&self) -> Result<u8, Failure> {
        let project = self.project()?;
        let at = match &project.target {
            Some(target) if !self.aim.is_some() => {
                self.aim.trust.must_be_absent()?;
                target.at()?
            }
            _ => self.aim.at()?,
        };
        let baseline = self.baseline.as_deref().or(project.baseline.as_deref());
        let baseline = baseline.or_else(|| baseline_of(&at));
        let baseline = baseline.map(baseline::load).transpose()?;
        let unread = baseline.as_ref().and_then(baseline::unread);
        let paths = if self.paths.is_empty() {
            &project.scenarios
        } else {
            &self.paths
        };
        let suite = Suite::load(paths)?;
        let which = match &self.replay {
            Some(case) => self.which.clone().and(case),
            None => self.which.clone(),
        };
        // Scenarios of one's own are of no edition.
        let edition = project.edition.filter(|_| suite.whole);
        let which = which.or(&project.filters, &project.versions, edition);
        let plan = which.plan_in(&suite, self.ways.axes())?;
        let plan = match self.partition {
            Some(part) => plan.part(part),
            None => plan,
        };
        let interrupt = Interrupt::new();
        signal::interrupt_on_ctrl_c(interrupt.clone())
            .map_err(|error| Failure::new(format!("cannot listen for Ctrl-C: {error}")))?;
        let options = runner::Options {
            jobs: self.jobs.map(NonZeroUsize::get).or(project.jobs),
            patience: self.patience.or(project.patience).unwrap_or(1.0),
            strict: self.strict || project.strict,
            baseline,
            interrupt,
            ..runner::Options::default()
        };
        if self.replay.is_some() {
            return replay(&plan, &at, &options, self.form);
        }
        let mut telling = self
            .reports
            .or(&project.reports)
            .open(self.command(), true)?;
        if let Some(file) = &project.file
            && !self.reports.quiet
        {
            anstream::println!("Settings: {}", report::terminal_line(file));
        }
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

    /// The settings of the file that is given or found.
    fn project(&self) -> Result<Project, Failure> {
        match &self.config {
            Some(file) => Project::load(file, self.aim.is_some()),
            None if self.no_config => Ok(Project::default()),
            None => Project::find(self.aim.is_some()),
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
        command.extend(self.aim.words());
        command.extend(self.ways.words());
        if let Some(edition) = self.which.edition() {
            command.push(format!("--edition {edition}"));
        }
        command.join(" ")
    }
}

/// The baseline that the profile of a broker names.
fn baseline_of(at: &At) -> Option<&Path> {
    match at {
        At::Profile(profile) => profile.baseline.as_deref(),
        _ => None,
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
