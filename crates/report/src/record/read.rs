//! [`Recording`]: a recorded run, read back.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use runner::event::{CaseInfo, Event, RunInfo, RunSummary};
use scenario::Source;

use super::FORMAT;
use super::line::{Header, Line};
use crate::rounds::Rounds;

/// How many of the cases that were being played are named when a recording ends early.
const NAMED: usize = 5;

/// A recorded run.
#[derive(Debug)]
pub struct Recording {
    /// The file, as it was given.
    pub(super) name: String,
    /// The command that plays a case of it again, when a filter is put behind it.
    pub command: String,
    /// The program that made it.
    pub(super) tool: String,
    pub(super) info: RunInfo,
    events: Vec<Event>,
}

/// A file that is no recording, or cannot be read as one.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is something else.
    #[error(
        "`{name}` is no recording of a run: line 1 {problem}; `mqtt-assay run --record FILE` makes one"
    )]
    Foreign {
        /// The file.
        name: String,
        /// What its first line lacks.
        problem: String,
    },
    /// A newer program has written it.
    #[error(
        "`{name}` was recorded in format {format} by {tool}, and this program knows {FORMAT}; report it with that program"
    )]
    Newer {
        /// The file.
        name: String,
        /// Its format.
        format: u32,
        /// What has written it.
        tool: String,
    },
    /// A line cannot be understood.
    #[error("`{name}`, line {line}: {problem}")]
    Line {
        /// The file.
        name: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The run could not begin.
    #[error("`{name}` is of a run in which nothing was played: {why}")]
    NotPlayed {
        /// The file.
        name: String,
        /// Why.
        why: String,
    },
    /// The run was ended before it told anything.
    #[error("`{name}` is empty of events: the run was ended before it began")]
    Empty {
        /// The file.
        name: String,
    },
    /// Recordings that are not of one run.
    #[error("{0}")]
    Apart(String),
}

impl Recording {
    /// Reads a recording. One whose run was ended by force is whole but for the end: it reads as interrupted, with a
    /// notice of what was being played.
    ///
    /// # Errors
    ///
    /// [`Unreadable`], with the line.
    pub fn read(path: &Path) -> Result<Self, Unreadable> {
        let bytes = fs::read(path).map_err(|source| Unreadable::File {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&path.display().to_string(), &bytes)
    }

    /// Reads a recording from its bytes; `name` is the file in messages.
    pub(super) fn parse(name: &str, bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').zip(1..);
        let header = header(name, lines.next().map(|(line, _)| line))?;
        let mut reader = Reader {
            name,
            ..Reader::default()
        };
        let mut cut = None;
        for (line, number) in lines {
            match serde_json::from_slice(line) {
                Ok(line) => reader.take(line, number)?,
                // Only a killed program leaves a line without its end.
                Err(_) if !line.ends_with(b"\n") => cut = Some(number),
                Err(error) => return Err(reader.wrong(number, plain(&error))),
            }
        }
        reader.finish(header, cut)
    }

    /// What happened, from [`Event::RunStarted`] to [`Event::RunFinished`], in one round.
    pub(super) fn in_one_round(self) -> Vec<Event> {
        let mut events = Vec::with_capacity(self.events.len());
        let mut rounds = Rounds::new();
        for event in self.events {
            rounds.on(event, &mut |event| events.push(event.clone()));
        }
        events
    }
}

fn header(name: &str, line: Option<&[u8]>) -> Result<Header, Unreadable> {
    let foreign = |problem: &str| Unreadable::Foreign {
        name: name.to_owned(),
        problem: problem.to_owned(),
    };
    let line = line.ok_or_else(|| foreign("is missing"))?;
    let value: serde_json::Value =
        serde_json::from_slice(line).map_err(|_| foreign("is no JSON object"))?;
    let format = &value["record"]["format"];
    let format = format
        .as_u64()
        .ok_or_else(|| foreign("does not begin with `{\"record\":{\"format\":`"))?;
    if format != u64::from(FORMAT) {
        return Err(Unreadable::Newer {
            name: name.to_owned(),
            format: u32::try_from(format).unwrap_or(u32::MAX),
            tool: value["record"]["tool"]
                .as_str()
                .unwrap_or("another program")
                .to_owned(),
        });
    }
    match serde_json::from_value(value) {
        Ok(Line::Record(header)) => Ok(header),
        _ => Err(foreign("lacks `tool` or `command`")),
    }
}

/// The parser's sentence; its line number is always 1 and so would mislead.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ")
        .map_or(text.clone(), |(sentence, _)| {
            format!("{sentence}, at column {}", error.column())
        })
}

#[derive(Default)]
struct Reader<'a> {
    name: &'a str,
    sources: Vec<Arc<Source>>,
    cases: Vec<Arc<CaseInfo>>,
    in_play: BTreeSet<usize>,
    /// How many verdicts there are of the round that is being read.
    judged: usize,
    since: Duration,
    info: Option<RunInfo>,
    events: Vec<Event>,
    ended: bool,
}

impl Reader<'_> {
    fn take(&mut self, line: Line, number: usize) -> Result<(), Unreadable> {
        if self.ended {
            return Err(self.wrong(number, "the run has ended already".into()));
        }
        if self.info.is_none() && !matches!(line, Line::Run(_) | Line::NotPlayed(_)) {
            return Err(self.wrong(number, "the run has not begun: `run` comes first".into()));
        }
        match line {
            Line::Record(_) => return Err(self.wrong(number, "another recording begins".into())),
            Line::NotPlayed(why) => {
                return Err(Unreadable::NotPlayed {
                    name: self.name.to_owned(),
                    why,
                });
            }
            Line::Run(_) if self.info.is_some() => {
                return Err(self.wrong(number, "the run begins twice".into()));
            }
            Line::Run(run) => {
                let info: RunInfo = run.try_into().map_err(|why| self.wrong(number, why))?;
                self.events.push(Event::RunStarted(Box::new(info.clone())));
                self.info = Some(info);
            }
            Line::Scenario(scenario) => self.sources.push(Arc::new(Source {
                name: scenario.name,
                text: scenario.text,
            })),
            Line::Case(case) => {
                let source = self.sources.get(case.scenario).cloned();
                let source = source.ok_or_else(|| {
                    self.wrong(number, format!("scenario {} is not there", case.scenario))
                })?;
                let info = case.info(source).map_err(|why| self.wrong(number, why))?;
                self.cases.push(Arc::new(info));
            }
            Line::Started(case) => {
                let info = self.case(case, number)?;
                self.in_play.insert(case);
                self.events.push(Event::CaseStarted(info));
            }
            Line::Verdict(judged) => {
                let info = self.case(judged.case, number)?;
                self.in_play.remove(&judged.case);
                self.judged += 1;
                self.since = Duration::from_nanos(judged.since_ns);
                let report = judged.report(info).map_err(|why| self.wrong(number, why))?;
                self.events.push(Event::CaseFinished(Box::new(report)));
            }
            Line::Notice(text) => self.events.push(Event::Notice(text)),
            Line::Crash(died) => self.events.push(Event::TargetCrashed(died.into())),
            Line::Round(turn) => {
                self.judged = 0;
                self.events.push(Event::RoundFinished(turn.into()));
            }
            Line::End(end) => {
                self.ended = true;
                self.events.push(Event::RunFinished(end.into()));
            }
        }
        Ok(())
    }

    fn case(&self, case: usize, number: usize) -> Result<Arc<CaseInfo>, Unreadable> {
        let info = self.cases.get(case).cloned();
        info.ok_or_else(|| self.wrong(number, format!("case {case} is not there")))
    }

    fn wrong(&self, line: usize, problem: String) -> Unreadable {
        Unreadable::Line {
            name: self.name.to_owned(),
            line,
            problem,
        }
    }

    fn finish(mut self, header: Header, cut: Option<usize>) -> Result<Recording, Unreadable> {
        let Some(info) = self.info.take() else {
            return Err(Unreadable::Empty {
                name: self.name.to_owned(),
            });
        };
        if !self.ended {
            self.break_off(info.cases, cut);
        }
        Ok(Recording {
            name: self.name.to_owned(),
            command: header.command,
            tool: header.tool,
            info,
            events: self.events,
        })
    }

    /// The end that the recording lacks.
    fn break_off(&mut self, cases: usize, cut: Option<usize>) {
        let mut notice = format!("`{}` ends before the run did", self.name);
        if let Some(line) = cut {
            let _ = write!(notice, ", in the middle of line {line}");
        }
        let in_play: Vec<&str> = self
            .in_play
            .iter()
            .filter_map(|case| Some(self.cases.get(*case)?.name.as_str()))
            .collect();
        if !in_play.is_empty() {
            let named = &in_play[..in_play.len().min(NAMED)];
            notice += "; being played: ";
            notice += &named.join(", ");
            if let Some(more @ 1..) = in_play.len().checked_sub(NAMED) {
                let _ = write!(notice, " and {more} more");
            }
        }
        self.events.push(Event::Notice(notice));
        self.events.push(Event::RunFinished(RunSummary {
            elapsed: self.since,
            interrupted: true,
            unplayed: cases.saturating_sub(self.judged),
            ..RunSummary::default()
        }));
    }
}
