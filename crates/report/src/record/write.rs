//! [`Recorder`]: the listener that writes a recording, line by line as the run goes on.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Instant;

use runner::event::{CaseInfo, Event};

use super::FORMAT;
use super::line::{Case, Header, Judged, Line, Scenario};
use crate::Listener;

/// Writes a recording as the run goes on.
#[derive(Debug)]
pub struct Recorder<W> {
    out: W,
    began: Instant,
    scenarios: HashMap<String, usize>,
    cases: HashMap<String, usize>,
    outcome: io::Result<()>,
}

impl<W: Write> Recorder<W> {
    /// A recorder that writes to `out`, without buffering; `command` plays a case again when a filter is put behind it.
    pub fn new(out: W, command: &str) -> Self {
        let mut recorder = Self {
            out,
            began: Instant::now(),
            scenarios: HashMap::new(),
            cases: HashMap::new(),
            outcome: Ok(()),
        };
        recorder.write(&Line::Record(Header {
            format: FORMAT,
            tool: crate::TOOL.to_owned(),
            command: command.to_owned(),
        }));
        recorder
    }

    /// Takes in that the run could not begin.
    pub fn not_played(&mut self, why: &str) {
        self.write(&Line::NotPlayed(why.to_owned()));
    }

    /// Whether everything could be written.
    ///
    /// # Errors
    ///
    /// The first thing that stood against it; nothing was written any more then.
    pub fn finish(self) -> io::Result<()> {
        self.outcome
    }

    fn write(&mut self, line: &Line) {
        if self.outcome.is_ok() {
            self.outcome =
                serde_json::to_vec(line)
                    .map_err(io::Error::from)
                    .and_then(|mut text| {
                        // In one piece, so that a kill seldom cuts a line.
                        text.push(b'\n');
                        self.out.write_all(&text)
                    });
        }
    }

    /// The number of a case, which is described when it first comes.
    fn number(&mut self, info: &Arc<CaseInfo>) -> usize {
        if let Some(number) = self.cases.get(&info.name) {
            return *number;
        }
        let source = &info.source;
        let scenario = if let Some(number) = self.scenarios.get(&source.name) {
            *number
        } else {
            self.write(&Line::Scenario(Scenario {
                name: source.name.clone(),
                text: source.text.clone(),
            }));
            let number = self.scenarios.len();
            self.scenarios.insert(source.name.clone(), number);
            number
        };
        self.write(&Line::Case(Case::of(info, scenario)));
        let number = self.cases.len();
        self.cases.insert(info.name.clone(), number);
        number
    }
}

impl<W: Write> Listener for Recorder<W> {
    fn on(&mut self, event: &Event) {
        let line = match event {
            Event::RunStarted(info) => {
                self.began = Instant::now();
                Line::Run(info.as_ref().into())
            }
            Event::CaseStarted(info) => Line::Started(self.number(info)),
            Event::CaseFinished(report) => {
                let number = self.number(&report.case);
                Line::Verdict(Box::new(Judged::of(report, number, self.began.elapsed())))
            }
            Event::Notice(text) => Line::Notice(text.clone()),
            Event::TargetCrashed(crash) => Line::Crash(crash.into()),
            Event::RoundFinished(round) => Line::Round(round.into()),
            Event::RunFinished(summary) => Line::End(summary.into()),
        };
        self.write(&line);
    }
}
