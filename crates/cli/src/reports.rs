//! [`Reports`]: what is told of a run, where, and how much: the console, and the files that were asked for.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anstream::AutoStream;
use clap::{ArgAction, Args};
use report::{
    Console, Destination, Detail, DraftBaseline, Html, Json, Junit, Listener, Recorder, Report,
    Rounds,
};
use runner::Outcome;
use runner::event::Event;

use crate::failure::Failure;
use crate::project::ReportPaths;
use crate::terminal;

/// What is told of a run, and where.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reports")]
pub(crate) struct Reports {
    /// Write a JUnit report, for CI systems.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,

    /// Write a JSON report, with every packet of every case.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Write an HTML report, one file to open in a browser.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,

    /// Record what happens as it happens; `mqtt-assay report FILE` reports it again, together with other parts.
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,

    /// Write a first baseline that accepts every deviation; what it says of each is for you to read and to explain.
    #[arg(long, value_name = "FILE")]
    pub(crate) write_baseline: Option<PathBuf>,

    /// Show the exchange of every case, and the whole of it.
    #[arg(long)]
    pub(crate) trace: bool,

    /// One line per case, every reason with its cases, and what the target chose.
    #[arg(long, short, action = ArgAction::SetTrue, conflicts_with = "quiet")]
    pub(crate) verbose: bool,

    /// One line per deviation, and the totals.
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// Tells of a run as it goes on.
pub(crate) struct Telling {
    console: Console<AutoStream<io::Stdout>>,
    files: Vec<ReportFile>,
    recorder: Option<(Recorder<File>, String)>,
    rounds: Rounds,
    outcome: Outcome,
}

struct ReportFile {
    report: Box<dyn Report>,
    /// The path as it was given.
    path: String,
    destination: Destination,
    /// Whether it must not be written of a run that has ended early.
    wants_all: bool,
}

impl Reports {
    /// The same, with a project's files where the command line names none.
    pub(crate) fn or(&self, files: &ReportPaths) -> Self {
        let or = |mine: &Option<PathBuf>, other: &Option<PathBuf>| mine.clone().or(other.clone());
        Self {
            junit: or(&self.junit, &files.junit),
            json: or(&self.json, &files.json),
            html: or(&self.html, &files.html),
            record: or(&self.record, &files.record),
            ..self.clone()
        }
    }

    /// Makes sure that every report has somewhere to go, before anything is played. `command` plays a case again when a
    /// filter is put behind it; `live` is false where the run is long over.
    pub(crate) fn open(&self, command: String, live: bool) -> Result<Telling, Failure> {
        let files = self.files()?;
        let recorder = match &self.record {
            None => None,
            Some(path) => {
                let destination = try_out(path, files.iter().map(|file| &file.destination))?;
                drop(destination);
                let file = create(path)?;
                Some((Recorder::new(file, &command), shown(path)))
            }
        };
        let options = report::Options {
            detail: match (self.quiet, self.verbose) {
                (true, _) => Detail::Quiet,
                (_, true) => Detail::Verbose,
                (false, false) => Detail::Normal,
            },
            trace: self.trace,
            width: terminal::width(),
            progress: live && !self.quiet && terminal::shows_progress(),
            replay: command,
        };
        Ok(Telling {
            console: Console::new(AutoStream::auto(io::stdout()), options),
            files,
            recorder,
            rounds: Rounds::new(),
            outcome: Outcome::default(),
        })
    }

    fn files(&self) -> Result<Vec<ReportFile>, Failure> {
        let wanted: [(_, Box<dyn Report>, _); 4] = [
            (&self.junit, Box::new(Junit::new(SystemTime::now())), false),
            (&self.json, Box::new(Json::new()), false),
            (&self.html, Box::new(Html::new()), false),
            (&self.write_baseline, Box::new(DraftBaseline::new()), true),
        ];
        let mut files: Vec<ReportFile> = Vec::new();
        for (path, report, wants_all) in wanted {
            let Some(path) = path else { continue };
            if wants_all {
                refuse_existing(path)?;
            }
            files.push(ReportFile {
                destination: try_out(path, files.iter().map(|file| &file.destination))?,
                report,
                path: shown(path),
                wants_all,
            });
        }
        Ok(files)
    }
}

/// What people wrote into a baseline is not overwritten.
fn refuse_existing(path: &Path) -> Result<(), Failure> {
    if path
        .metadata()
        .is_ok_and(|meta| meta.is_file() && meta.len() > 0)
    {
        return Err(
            Failure::new(format!("there is a baseline already: `{}`", path.display()))
                .note("its reasons would be lost; nothing was played")
                .help("name another file, or delete this one"),
        );
    }
    Ok(())
}

fn try_out<'a>(
    path: &Path,
    mut others: impl Iterator<Item = &'a Destination>,
) -> Result<Destination, Failure> {
    let destination = Destination::try_out(path)
        .map_err(|error| Failure::of(&error).note("nothing was played"))?;
    if others.any(|other| other.is_same_file(&destination)) {
        return Err(
            Failure::new(format!("two reports go to `{}`", path.display()))
                .note("the second would overwrite the first; nothing was played")
                .help("give each report a file of its own"),
        );
    }
    Ok(destination)
}

/// Begins a file that is written as the run goes on.
fn create(path: &Path) -> Result<File, Failure> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path);
    file.map_err(|error| {
        Failure::new(format!(
            "cannot write the recording `{}`: {error}",
            path.display()
        ))
        .note("nothing was played")
    })
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

impl Telling {
    /// Takes in one event.
    pub(crate) fn on(&mut self, event: Event) {
        if let Some((recorder, _)) = &mut self.recorder {
            recorder.on(&event);
        }
        let Self {
            console,
            files,
            rounds,
            outcome,
            ..
        } = self;
        rounds.on(event, &mut |event| {
            outcome.take(event);
            console.on(event);
            for file in files.iter_mut() {
                file.report.on(event);
            }
        });
    }

    /// A run that could not begin is told in the reports too, or CI would read those of an earlier one.
    pub(crate) fn not_played(mut self, why: &str) {
        for file in &mut self.files {
            file.report.not_played(why);
        }
        if let Some((recorder, _)) = &mut self.recorder {
            recorder.not_played(why);
        }
        self.files.retain(|file| !file.wants_all);
        // That the target is not there weighs more than that its report cannot be written.
        let _ = self.write();
    }

    /// The run is over: writes the reports, and returns the exit status.
    pub(crate) fn finish(mut self) -> Result<u8, Failure> {
        let status = self.outcome.exit_status();
        let early = self.outcome.interrupted || self.outcome.crash.is_some();
        let (skipped, files) = self
            .files
            .into_iter()
            .partition(|file| early && file.wants_all);
        self.files = files;
        let (written, outcome) = self.write();
        self.console.written(&written);
        for ReportFile { path, .. } in skipped {
            anstream::eprintln!(
                "No baseline was written to `{}`: the run ended early.",
                report::terminal_line(&path)
            );
        }
        outcome.map(|()| status)
    }

    /// Writes all of them, even when one cannot be written: the paths of those that were, and what stands against the
    /// first that was not.
    fn write(&mut self) -> (Vec<String>, Result<(), Failure>) {
        let mut written = Vec::new();
        let mut outcome = Ok(());
        for file in &self.files {
            match file.report.write(&file.destination) {
                Ok(()) => written.push(file.path.clone()),
                Err(error) => outcome = outcome.and(Err(Failure::of(&error))),
            }
        }
        if let Some((recorder, path)) = self.recorder.take() {
            match recorder.finish() {
                Ok(()) => written.push(path),
                Err(error) => {
                    let what = format!("cannot write the recording `{path}`: {error}");
                    outcome = outcome.and(Err(Failure::new(what)));
                }
            }
        }
        (written, outcome)
    }
}
