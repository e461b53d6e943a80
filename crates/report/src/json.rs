//! [`Json`]: the report that programs read.
//!
//! One object; [`FORMAT`] is its version and grows when a reader could misread the new form. New keys may come without
//! notice. Times are in microseconds of the case's own time, bytes are pairs of hex digits with blanks between.
//!
//! ```json
//! { "format": 1,
//!   "tool": "mqtt-assay 0.1.0",
//!   "target": "mqtt://localhost:1883", "edition": "2026.1", "part": "2/4", "rounds": 1,
//!   "finished": true, "interrupted": false, "elapsed_us": 152000, "unplayed": 0,
//!   "totals": { "pass": 1, "fail": 0, … },
//!   "stale": ["baseline entries that match no case"],
//!   "flaky": [{ "case": "…", "verdicts": { "fail": [2], "pass": [1, 3] } }],
//!   "notices": ["about the run as a whole"],
//!   "crashes": [{ "case": "…", "seen": "…", "log_tail": "…" }],
//!   "cases": [{
//!     "name": "retain/kept[qos=1]@v5.0/tcp", "chapter": "retain", "title": "…", "file": "scenarios/retain/kept.yaml",
//!     "version": "v5.0", "clauses": ["v5.0/MQTT-3.3.1-9"], "verdict": "fail", "reason": null, "elapsed_us": 1200,
//!     "findings": [{ "level": "must", "clauses": ["…"], "line": 9, "column": 7, "message": "…",
//!                    "expected": "…", "received": "…", "why": null }],
//!     "notes": ["what the target chose"],
//!     "trace": [{ "at_us": 12, "client": "sub", "event": "sent", "text": "PINGREQ", "bytes": "c0 00", "size": 2 }] }] }
//! ```
//!
//! `bytes` are the first 1024 of what stood on the wire, `size` tells how many there were. `event` is `opened`,
//! `sent`, `sent_forbidden`, `received`, `garbled` (`text` says what is wrong), `ended` (by the scenario; `text`
//! says how), `target_ended` or `remark`. `finished` is false in a report of a run that broke off. `edition` is null where
//! the scenarios are the user's own, `part` where the run was not shared out. A case that was played in several `rounds`
//! is told as it was where its verdict was gravest; `flaky` names those whose verdicts differ, with the rounds.

use std::collections::BTreeMap;
use std::time::Duration;

use runner::event::{
    CaseReport, Crash, Entry, Event, Finding, Flaky, Happening, Level, RunInfo, RunSummary,
};
use scenario::Position;
use serde::Serialize;

use crate::tally::{self, Kind, Tally};
use crate::text::hex;
use crate::{Destination, Listener, Report, Unwritable};

/// The version of the report's form.
pub const FORMAT: u32 = 1;

/// How many bytes of a packet are written out: one PUBLISH of some megabytes would outweigh the rest of a report.
const MOST_BYTES: usize = 1024;

/// Gathers a run for its JSON report.
#[derive(Debug, Default)]
pub struct Json {
    run: Option<RunInfo>,
    cases: BTreeMap<String, Case>,
    tally: Tally,
    notices: Vec<String>,
    crashes: Vec<Crashed>,
    summary: Option<RunSummary>,
}

#[derive(Serialize)]
struct Whole<'a> {
    format: u32,
    tool: &'static str,
    target: &'a str,
    edition: Option<&'a str>,
    part: Option<String>,
    rounds: usize,
    finished: bool,
    interrupted: bool,
    elapsed_us: u64,
    unplayed: usize,
    totals: BTreeMap<&'static str, usize>,
    stale: &'a [String],
    flaky: Vec<Shaky<'a>>,
    notices: &'a [String],
    crashes: &'a [Crashed],
    cases: Vec<&'a Case>,
}

#[derive(Serialize)]
struct Shaky<'a> {
    case: &'a str,
    verdicts: BTreeMap<&'a str, &'a [usize]>,
}

#[derive(Debug, Serialize)]
struct Crashed {
    case: Option<String>,
    seen: String,
    log_tail: Option<String>,
}

#[derive(Debug, Serialize)]
struct Case {
    name: String,
    chapter: String,
    title: String,
    file: String,
    version: &'static str,
    clauses: Vec<&'static str>,
    verdict: &'static str,
    reason: Option<String>,
    elapsed_us: u64,
    findings: Vec<Found>,
    notes: Vec<String>,
    trace: Vec<Traced>,
}

#[derive(Debug, Serialize)]
struct Found {
    level: &'static str,
    clauses: Vec<&'static str>,
    line: usize,
    column: usize,
    message: String,
    expected: Option<String>,
    received: Option<String>,
    why: Option<String>,
}

#[derive(Debug, Serialize)]
struct Traced {
    at_us: u64,
    client: String,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<usize>,
}

impl Json {
    /// A report with nothing in it yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn whole(&self) -> Whole<'_> {
        let summary = self.summary.as_ref();
        let run = self.run.as_ref();
        Whole {
            format: FORMAT,
            tool: crate::TOOL,
            target: run.map_or("", |run| &run.target),
            edition: run.and_then(|run| run.edition.as_deref()),
            part: run.and_then(|run| run.part.map(|part| part.to_string())),
            rounds: run.map_or(1, |run| run.rounds),
            finished: summary.is_some_and(|summary| !summary.interrupted && summary.unplayed == 0),
            interrupted: summary.is_some_and(|summary| summary.interrupted),
            elapsed_us: summary.map_or(0, |summary| micros(summary.elapsed)),
            unplayed: summary.map_or(0, |summary| summary.unplayed),
            totals: Kind::ALL
                .into_iter()
                .map(|kind| (kind.name(), self.tally[kind]))
                .collect(),
            stale: summary.map_or(&[], |summary| &summary.stale),
            flaky: summary.map_or_else(Vec::new, |summary| {
                summary.flaky.iter().map(Shaky::from).collect()
            }),
            notices: &self.notices,
            crashes: &self.crashes,
            cases: self.cases.values().collect(),
        }
    }
}

impl Report for Json {
    fn not_played(&mut self, why: &str) {
        self.notices.push(why.to_owned());
    }

    fn write(&self, destination: &Destination) -> Result<(), Unwritable> {
        destination.write(|out| {
            serde_json::to_writer_pretty(&mut *out, &self.whole())?;
            out.write_all(b"\n")
        })
    }
}

impl Listener for Json {
    fn on(&mut self, event: &Event) {
        match event {
            Event::RunStarted(info) => self.run = Some(info.as_ref().clone()),
            Event::CaseStarted(_) | Event::RoundFinished(_) => {}
            Event::CaseFinished(report) => {
                self.tally.count(Kind::of(&report.verdict));
                self.cases
                    .insert(report.case.name.clone(), report.as_ref().into());
            }
            Event::Notice(text) => self.notices.push(text.clone()),
            Event::TargetCrashed(crash) => self.crashes.push(crash.into()),
            Event::RunFinished(summary) => self.summary = Some(summary.clone()),
        }
    }
}

impl<'a> From<&'a Flaky> for Shaky<'a> {
    fn from(flaky: &'a Flaky) -> Self {
        Self {
            case: &flaky.case,
            verdicts: flaky
                .verdicts
                .iter()
                .map(|(kind, rounds)| (kind.as_str(), rounds.as_slice()))
                .collect(),
        }
    }
}

impl From<&Crash> for Crashed {
    fn from(crash: &Crash) -> Self {
        Self {
            case: crash.case.clone(),
            seen: crash.seen.clone(),
            log_tail: crash.log_tail.clone(),
        }
    }
}

impl From<&CaseReport> for Case {
    fn from(report: &CaseReport) -> Self {
        let case = &report.case;
        Self {
            name: case.name.clone(),
            chapter: case.chapter.clone(),
            title: case.title.clone(),
            file: case.source.name.clone(),
            version: case.version.name(),
            clauses: case.clauses.iter().map(|id| id.name()).collect(),
            verdict: Kind::of(&report.verdict).name(),
            reason: tally::reason(&report.verdict).map(str::to_owned),
            elapsed_us: micros(report.elapsed),
            findings: report
                .findings
                .iter()
                .map(|finding| found(report, finding))
                .collect(),
            notes: report.notes.clone(),
            trace: report.trace.iter().map(Traced::from).collect(),
        }
    }
}

fn found(report: &CaseReport, finding: &Finding) -> Found {
    let Position { line, column } = report.case.source.position(finding.span.start);
    Found {
        level: match finding.level {
            Level::Must => "must",
            Level::Should => "should",
        },
        clauses: finding.clauses.iter().map(|id| id.name()).collect(),
        line,
        column,
        message: finding.message.clone(),
        expected: finding.expected.clone(),
        received: finding.received.clone(),
        why: finding.why.clone(),
    }
}

impl From<&Entry> for Traced {
    fn from(entry: &Entry) -> Self {
        let (event, text, bytes) = match &entry.what {
            Happening::Sent {
                notation,
                bytes,
                forbidden: false,
            } => ("sent", Some(notation.clone()), Some(bytes)),
            Happening::Sent {
                notation,
                bytes,
                forbidden: true,
            } => ("sent_forbidden", Some(notation.clone()), Some(bytes)),
            Happening::Received { notation, bytes } => {
                ("received", Some(notation.clone()), Some(bytes))
            }
            Happening::Garbled { violation, bytes } => {
                ("garbled", Some(violation.clone()), Some(bytes))
            }
            Happening::Opened => ("opened", None, None),
            Happening::Ended(how) => ("ended", Some((*how).to_owned()), None),
            Happening::TargetEnded(how) => ("target_ended", Some((*how).to_owned()), None),
            Happening::Remark(remark) => ("remark", Some(remark.clone()), None),
        };
        Self {
            at_us: micros(entry.at),
            client: entry.client.clone(),
            event,
            text,
            bytes: bytes.map(|bytes| hex(&bytes[..bytes.len().min(MOST_BYTES)])),
            size: bytes.map(Vec::len),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn all_verdicts() {
        let mut json = Json::new();
        for event in fixture::run() {
            json.on(&event);
        }
        let text = serde_json::to_string_pretty(&json.whole()).unwrap();
        insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "[version]"));
    }
}
