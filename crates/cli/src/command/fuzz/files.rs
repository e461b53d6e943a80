//! What a campaign writes: recordings, folders of findings, the JUnit report.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use codec::Version;
use fuzzing::live::{Discovery, Event, Folder, Played, Proof, Tally, record};
use report::{Destination, Junit, Listener, Report};
use runner::event::{CaseInfo, CaseReport, RunInfo, RunSummary, Verdict};
use scenario::Source;

use super::Fuzz;
use super::show::Show;
use crate::failure::Failure;

/// Where it is written to.
pub(super) struct Files {
    folder: Folder,
    record: Option<BufWriter<File>>,
    junit: Option<(Junit, Destination)>,
}

/// Reads a recording.
pub(super) fn read(path: &Path) -> Result<Vec<Played>, Failure> {
    let what = |error: &dyn std::fmt::Display| {
        Failure::new(format!(
            "cannot replay `{}`: {error}; nothing was performed",
            path.display()
        ))
    };
    let file = File::open(path).map_err(|error| what(&error))?;
    record::read(BufReader::new(file)).map_err(|error| what(&error))
}

impl Files {
    /// Makes sure that everything has somewhere to go, before anything is sent.
    pub(super) fn try_out(fuzz: &Fuzz) -> Result<Self, Failure> {
        let record = fuzz.record.as_deref().map(|path| {
            begin(path).map_err(|error| {
                Failure::new(format!("cannot write `{}`: {error}", path.display()))
                    .note("nothing was performed")
            })
        });
        let junit = fuzz.junit.as_deref().map(|path| {
            let destination = Destination::try_out(path)
                .map_err(|error| Failure::of(&error).note("nothing was performed"))?;
            Ok::<_, Failure>((Junit::new(SystemTime::now()), destination))
        });
        let folder = Folder::new(&fuzz.out);
        folder.try_out().map_err(|error| {
            let path = fuzz.out.display();
            Failure::new(format!("cannot write findings to `{path}`: {error}"))
                .note("nothing was performed")
                .help("--out names another folder")
        })?;
        Ok(Self {
            folder,
            record: record.transpose()?,
            junit: junit.transpose()?,
        })
    }

    pub(super) fn on(&mut self, event: &Event<'_>, show: &mut Show) -> Result<(), Failure> {
        match event {
            Event::Begun { target, .. } => {
                let info = RunInfo::new(target, 0);
                self.tell(&runner::event::Event::RunStarted(Box::new(info)));
            }
            Event::Performed(played) => {
                if let Some(record) = &mut self.record {
                    record::write(played, record).map_err(|error| {
                        Failure::new(format!("cannot write the recording: {error}"))
                    })?;
                }
            }
            Event::Found(discovery) => {
                let folder = self
                    .folder
                    .write(discovery)
                    .map_err(|error| self.unwritable("the finding", &error, discovery))?;
                show.found(discovery, &folder);
                let report = case(discovery, &folder);
                self.tell(&runner::event::Event::CaseFinished(Box::new(report)));
            }
            Event::Fleeting(discovery) => {
                self.folder.write(discovery).map_err(|error| {
                    self.unwritable("what was not seen again", &error, discovery)
                })?;
                show.unconfirmed(&self.folder.unconfirmed());
            }
            Event::Notice(text) => self.tell(&runner::event::Event::Notice(text.clone())),
            Event::Progress(_) => {}
            Event::Over(tally) => {
                if tally.findings == 0 {
                    // A report without a test case would be read as no report.
                    let report = nothing_found(tally);
                    self.tell(&runner::event::Event::CaseFinished(Box::new(report)));
                }
                self.tell(&runner::event::Event::RunFinished(RunSummary {
                    elapsed: tally.elapsed,
                    ..RunSummary::default()
                }));
            }
        }
        Ok(())
    }

    fn unwritable(&self, what: &str, error: &io::Error, discovery: &Discovery) -> Failure {
        let path = self.folder.path().display();
        Failure::new(format!("cannot write {what} to `{path}`: {error}"))
            .note(format!("it was {}", discovery.class))
    }

    fn tell(&mut self, event: &runner::event::Event) {
        if let Some((junit, _)) = &mut self.junit {
            junit.on(event);
        }
    }

    /// A campaign that could not begin is told in the report too, or CI would read that of an earlier one.
    pub(super) fn not_played(&mut self, why: &str) {
        if let Some((junit, _)) = &mut self.junit {
            junit.not_played(why);
        }
    }

    /// Writes what is written at the end.
    pub(super) fn write(&mut self) -> Result<(), Failure> {
        if let Some(record) = &mut self.record {
            record
                .flush()
                .map_err(|error| Failure::new(format!("cannot write the recording: {error}")))?;
        }
        match &self.junit {
            Some((junit, destination)) => junit
                .write(destination)
                .map_err(|error| Failure::of(&error)),
            None => Ok(()),
        }
    }
}

fn begin(path: &Path) -> io::Result<BufWriter<File>> {
    let mut out = BufWriter::new(File::create(path)?);
    record::begin(&mut out)?;
    out.flush()?;
    Ok(out)
}

/// A campaign without findings, as the report of a case that passed.
fn nothing_found(tally: &Tally) -> CaseReport {
    let title = format!("{} scripts and no finding", tally.scripts);
    let info = CaseInfo {
        name: "fuzz/campaign".to_owned(),
        chapter: "fuzz".to_owned(),
        title,
        source: Arc::new(Source {
            name: "fuzz".to_owned(),
            text: String::new(),
        }),
        version: Version::V5_0,
        clauses: Vec::new(),
    };
    CaseReport {
        case: Arc::new(info),
        verdict: Verdict::Pass,
        findings: Vec::new(),
        notes: Vec::new(),
        trace: Vec::new(),
        elapsed: tally.elapsed,
        consulted: Vec::new(),
        breaches: Vec::new(),
    }
}

/// A finding as the report of a case: that of its scenario, if the runner saw the same.
fn case(discovery: &Discovery, folder: &Path) -> CaseReport {
    let version = discovery
        .clause()
        .and_then(|clause| {
            Version::ALL
                .into_iter()
                .find(|version| version.standard() == clause.clause().standard)
        })
        .unwrap_or(Version::V5_0);
    let path = folder.join("scenario.yaml");
    let info = CaseInfo {
        name: format!("fuzz/{}", discovery.class),
        chapter: "fuzz".to_owned(),
        title: discovery.finding.message.clone(),
        source: Arc::new(Source {
            name: path.display().to_string(),
            text: discovery.scenario.clone().unwrap_or_default(),
        }),
        version,
        clauses: discovery.clause().into_iter().collect(),
    };
    let reason = format!(
        "{}; {}",
        discovery.finding.message,
        match discovery.proof {
            Proof::Confirmed { .. } => format!("see {}", folder.display()),
            Proof::Seen | Proof::Fleeting { .. } => {
                format!("seen once, see {}", folder.display())
            }
        }
    );
    let shown = discovery
        .replay
        .as_deref()
        .filter(|report| report.verdict == Verdict::Fail);
    match shown {
        Some(report) => CaseReport {
            case: Arc::new(CaseInfo {
                source: Arc::clone(&report.case.source),
                ..info
            }),
            ..report.clone()
        },
        None => CaseReport {
            case: Arc::new(info),
            verdict: Verdict::Crashed { reason },
            findings: Vec::new(),
            notes: Vec::new(),
            trace: Vec::new(),
            elapsed: Duration::ZERO,
            consulted: Vec::new(),
            breaches: Vec::new(),
        },
    }
}
