//! `mqtt-assay run`: plays scenarios against a broker.

use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::SystemTime;

use clap::{ArgAction, Args};
use report::{Console, Destination, Detail, Html, Json, Junit, Listener};
use runner::event::Event;
use runner::target::Address;
use runner::{At, Baseline, Interrupt, Plan};

use crate::failure::{Failure, NO_TARGET};
use crate::filter::Which;
use crate::suite::Suite;
use crate::{signal, terminal};

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

    /// How many cases are played at once; a good number where it is not given.
    #[arg(long, short, value_name = "N", value_parser = super::jobs)]
    jobs: Option<NonZeroUsize>,

    /// Write a JUnit report, for CI systems.
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    junit: Option<PathBuf>,

    /// Write a JSON report, with every packet of every case.
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    json: Option<PathBuf>,

    /// Write an HTML report, one file to open in a browser.
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    html: Option<PathBuf>,

    /// The deviations that are known: only others fail the run, and so do entries that no longer hold.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// A SHOULD that does not hold is a failure, not a warning.
    #[arg(long)]
    strict: bool,

    /// Stretch every time within which the target must answer by this factor, 1 to 100.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    patience: f64,

    /// Show the exchange of every case, and the whole of it.
    #[arg(long, help_heading = "Reports")]
    trace: bool,

    /// Stop at the first case that fails.
    #[arg(long)]
    fail_fast: bool,

    /// One line per case, every reason with its cases, and what the target chose.
    #[arg(long, short, action = ArgAction::SetTrue, conflicts_with = "quiet", help_heading = "Reports")]
    verbose: bool,

    /// One line per deviation, and the totals.
    #[arg(long, short, help_heading = "Reports")]
    quiet: bool,
}

/// The reports that are written to files.
struct Files(Vec<ReportFile>);

struct ReportFile {
    report: Report,
    /// The path as it was given.
    path: String,
    destination: Destination,
}

enum Report {
    Junit(Junit),
    Json(Json),
    Html(Html),
}

impl Run {
    pub(crate) fn execute(&self) -> Result<u8, Failure> {
        let mut files = Files::try_out(self)?;
        let baseline = self.baseline.as_deref().map(Baseline::load).transpose();
        let baseline = baseline.map_err(|error| Failure::of(&error))?;
        let suite = Suite::load(&self.paths)?;
        let plan = self.which.plan(&suite)?;

        let interrupt = Interrupt::new();
        signal::interrupt_on_ctrl_c(interrupt.clone())
            .map_err(|error| Failure::new(format!("cannot listen for Ctrl-C: {error}")))?;
        let options = runner::Options {
            jobs: self.jobs.map(NonZeroUsize::get),
            patience: self.patience,
            strict: self.strict,
            baseline,
            interrupt: interrupt.clone(),
            ..runner::Options::default()
        };
        let mut console = Console::new(anstream::AutoStream::auto(io::stdout()), self.console());
        let played = self.play(&plan, &options, &mut console, &mut files);
        let (written, outcome) = files.write();
        if played.is_ok() {
            console.written(&written);
        }
        let status = played?;
        outcome?;
        Ok(status)
    }

    fn play(
        &self,
        plan: &Plan,
        options: &runner::Options,
        console: &mut impl Listener,
        files: &mut Files,
    ) -> Result<u8, Failure> {
        let at = self.target.clone().map_or(At::Embedded, At::Address);
        let mut stopped = false;
        let outcome = runner::run(plan, &at, options, &mut |mut event| {
            if self.fail_fast && fails(&event) && !options.interrupt.is_raised() {
                stopped = true;
                options.interrupt.raise();
            }
            if let Event::RunFinished(summary) = &mut event {
                summary.interrupted &= !stopped;
            }
            console.on(&event);
            files.on(&event);
        });
        match outcome {
            Ok(mut outcome) => {
                // To stop at a failure is no interruption: the exit status is that of the failure.
                outcome.interrupted &= !stopped;
                Ok(outcome.exit_status())
            }
            Err(error) => {
                files.not_played(&error.to_string());
                Err(Failure::of(&error).status(NO_TARGET))
            }
        }
    }

    fn console(&self) -> report::Options {
        let mut replay = vec!["mqtt-assay run".to_owned()];
        for path in &self.paths {
            replay.push(path.display().to_string());
        }
        if let Some(target) = &self.target {
            replay.push(format!("--target {target}"));
        }
        report::Options {
            detail: match (self.quiet, self.verbose) {
                (true, _) => Detail::Quiet,
                (_, true) => Detail::Verbose,
                (false, false) => Detail::Normal,
            },
            trace: self.trace,
            width: terminal::width(),
            progress: !self.quiet && terminal::shows_progress(),
            replay: replay.join(" "),
        }
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

impl Files {
    /// Makes sure that every report has somewhere to go, before anything is played.
    fn try_out(run: &Run) -> Result<Self, Failure> {
        let wanted = [
            (&run.junit, Report::Junit(Junit::new(SystemTime::now()))),
            (&run.json, Report::Json(Json::new())),
            (&run.html, Report::Html(Html::new())),
        ];
        let mut files: Vec<ReportFile> = Vec::new();
        for (path, report) in wanted {
            let Some(path) = path else { continue };
            let destination = Destination::try_out(path)
                .map_err(|error| Failure::of(&error).note("nothing was played"))?;
            let path = path.display().to_string();
            if files
                .iter()
                .any(|other| other.destination.is_same_file(&destination))
            {
                return Err(Failure::new(format!("two reports go to `{path}`"))
                    .note("the second would overwrite the first; nothing was played")
                    .help("give each report a file of its own"));
            }
            files.push(ReportFile {
                report,
                path,
                destination,
            });
        }
        Ok(Self(files))
    }

    fn on(&mut self, event: &Event) {
        for ReportFile { report, .. } in &mut self.0 {
            match report {
                Report::Junit(junit) => junit.on(event),
                Report::Json(json) => json.on(event),
                Report::Html(html) => html.on(event),
            }
        }
    }

    /// A run that could not begin is told in the reports too, or CI would read those of an earlier one.
    fn not_played(&mut self, why: &str) {
        for ReportFile { report, .. } in &mut self.0 {
            match report {
                Report::Junit(junit) => junit.not_played(why),
                Report::Json(json) => json.not_played(why),
                Report::Html(html) => html.not_played(why),
            }
        }
    }

    /// Writes all of them, even when one cannot be written: the paths of those that were, and what stands against the
    /// first that was not.
    fn write(&self) -> (Vec<String>, Result<(), Failure>) {
        let mut written = Vec::new();
        let mut outcome = Ok(());
        for file in &self.0 {
            let done = match &file.report {
                Report::Junit(junit) => junit.write(&file.destination),
                Report::Json(json) => json.write(&file.destination),
                Report::Html(html) => html.write(&file.destination),
            };
            match done {
                Ok(()) => written.push(file.path.clone()),
                Err(error) => outcome = outcome.and(Err(Failure::of(&error))),
            }
        }
        (written, outcome)
    }
}
