//! The lines of a recording, and how events turn into them and back.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clauses::ClauseId;
use runner::event::{
    Breach, CaseInfo, CaseReport, Crash, Entry, Finding, Flaky, Happening, Level, Round, RunInfo,
    RunSummary, Verdict,
};
use scenario::{Source, Span};
use serde::{Deserialize, Serialize};

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Record(Header),
    Run(Run),
    Scenario(Scenario),
    Case(Case),
    /// The number of the case.
    Started(usize),
    Verdict(Box<Judged>),
    Notice(String),
    Crash(Died),
    Round(Turn),
    End(End),
    /// Why nothing was played.
    NotPlayed(String),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) format: u32,
    pub(super) tool: String,
    /// The command that plays a case again, without the case.
    pub(super) command: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Run {
    target: String,
    cases: usize,
    started_ns: u64,
    edition: Option<String>,
    part: Option<String>,
    cases_of_all_parts: usize,
    rounds: usize,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) text: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Case {
    pub(super) name: String,
    chapter: String,
    title: String,
    pub(super) scenario: usize,
    version: String,
    clauses: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Judged {
    pub(super) case: usize,
    /// Since the run began.
    pub(super) since_ns: u64,
    verdict: Word,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Found>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    elapsed_ns: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    consulted: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    breaches: Vec<String>,
    trace: Vec<Traced>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Pass,
    Fail,
    Warn,
    Note,
    Skip,
    Untested,
    Known,
    Fixed,
    Crashed,
}

#[derive(Debug, Serialize, Deserialize)]
struct Found {
    level: Gravity,
    clauses: Vec<String>,
    /// Bytes of the scenario's text, the end excluded.
    span: (usize, usize),
    message: String,
    expected: Option<String>,
    received: Option<String>,
    why: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Gravity {
    Must,
    Should,
}

#[derive(Debug, Serialize, Deserialize)]
struct Traced {
    at_ns: u64,
    client: String,
    #[serde(flatten)]
    what: Happened,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
enum Happened {
    Sent { text: String, bytes: String },
    SentForbidden { text: String, bytes: String },
    Received { text: String, bytes: String },
    Garbled { text: String, bytes: String },
    Opened,
    Ended { text: Ending },
    TargetEnded { text: Ending },
    Remark { text: String },
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Ending {
    Closes,
    HalfCloses,
    Cuts,
    Closed,
    Reset,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Died {
    case: Option<String>,
    seen: String,
    log_tail: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Turn {
    number: usize,
    passed: usize,
    failed: usize,
    warned: usize,
    noted: usize,
    skipped: usize,
    untested: usize,
    known: usize,
    fixed: usize,
    crashed: usize,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct End {
    elapsed_ns: u64,
    interrupted: bool,
    unplayed: usize,
    stale: Vec<String>,
    #[serde(default)]
    flaky: Vec<Shaky>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Shaky {
    case: String,
    verdicts: Vec<(String, Vec<usize>)>,
}

impl From<&RunInfo> for Run {
    fn from(info: &RunInfo) -> Self {
        let started = info.started.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            target: info.target.clone(),
            cases: info.cases,
            started_ns: nanos(started),
            edition: info.edition.clone(),
            part: info.part.map(|part| part.to_string()),
            cases_of_all_parts: info.cases_of_all_parts,
            rounds: info.rounds,
        }
    }
}

impl TryFrom<Run> for RunInfo {
    type Error = String;

    fn try_from(run: Run) -> Result<Self, String> {
        let part = run.part.map(|part| part.parse());
        Ok(Self {
            target: run.target,
            cases: run.cases,
            started: UNIX_EPOCH
                .checked_add(Duration::from_nanos(run.started_ns))
                .unwrap_or(SystemTime::UNIX_EPOCH),
            edition: run.edition,
            part: part.transpose().map_err(|error| format!("{error}"))?,
            cases_of_all_parts: run.cases_of_all_parts,
            rounds: run.rounds,
        })
    }
}

impl Case {
    pub(super) fn of(info: &CaseInfo, scenario: usize) -> Self {
        Self {
            name: info.name.clone(),
            chapter: info.chapter.clone(),
            title: info.title.clone(),
            scenario,
            version: info.version.name().to_owned(),
            clauses: names(&info.clauses),
        }
    }

    pub(super) fn info(self, source: Arc<Source>) -> Result<CaseInfo, String> {
        let version = self.version.parse();
        Ok(CaseInfo {
            name: self.name,
            chapter: self.chapter,
            title: self.title,
            source,
            version: version.map_err(|error| format!("{error}"))?,
            clauses: clauses(&self.clauses)?,
        })
    }
}

impl Judged {
    pub(super) fn of(report: &CaseReport, case: usize, since: Duration) -> Self {
        let (verdict, reason) = word(&report.verdict);
        Self {
            case,
            since_ns: nanos(since),
            verdict,
            reason: reason.cloned(),
            findings: report.findings.iter().map(Found::from).collect(),
            notes: report.notes.clone(),
            elapsed_ns: nanos(report.elapsed),
            consulted: names(&report.consulted),
            breaches: report.breaches.iter().map(Breach::to_string).collect(),
            trace: report.trace.iter().map(Traced::from).collect(),
        }
    }

    pub(super) fn report(self, case: Arc<CaseInfo>) -> Result<CaseReport, String> {
        let reason = self.reason.unwrap_or_default();
        Ok(CaseReport {
            verdict: match self.verdict {
                Word::Pass => Verdict::Pass,
                Word::Fail => Verdict::Fail,
                Word::Warn => Verdict::Warn,
                Word::Note => Verdict::Note,
                Word::Skip => Verdict::Skip { reason },
                Word::Untested => Verdict::Untested { reason },
                Word::Known => Verdict::Known { reason },
                Word::Fixed => Verdict::Fixed,
                Word::Crashed => Verdict::Crashed { reason },
            },
            findings: self
                .findings
                .into_iter()
                .map(|found| found.finding(&case.source))
                .collect::<Result<_, _>>()?,
            case,
            notes: self.notes,
            trace: self
                .trace
                .into_iter()
                .map(Traced::entry)
                .collect::<Result<_, _>>()?,
            elapsed: Duration::from_nanos(self.elapsed_ns),
            consulted: clauses(&self.consulted)?,
            breaches: breaches(&self.breaches)?,
        })
    }
}

const fn word(verdict: &Verdict) -> (Word, Option<&String>) {
    match verdict {
        Verdict::Pass => (Word::Pass, None),
        Verdict::Fail => (Word::Fail, None),
        Verdict::Warn => (Word::Warn, None),
        Verdict::Note => (Word::Note, None),
        Verdict::Skip { reason } => (Word::Skip, Some(reason)),
        Verdict::Untested { reason } => (Word::Untested, Some(reason)),
        Verdict::Known { reason } => (Word::Known, Some(reason)),
        Verdict::Fixed => (Word::Fixed, None),
        Verdict::Crashed { reason } => (Word::Crashed, Some(reason)),
    }
}

impl From<&Finding> for Found {
    fn from(finding: &Finding) -> Self {
        Self {
            level: match finding.level {
                Level::Must => Gravity::Must,
                Level::Should => Gravity::Should,
            },
            clauses: names(&finding.clauses),
            span: (finding.span.start, finding.span.end),
            message: finding.message.clone(),
            expected: finding.expected.clone(),
            received: finding.received.clone(),
            why: finding.why.clone(),
        }
    }
}

impl Found {
    fn finding(self, source: &Source) -> Result<Finding, String> {
        let (start, end) = self.span;
        if source.text.get(start..end).is_none() {
            return Err(format!("{start}..{end} is no place in {}", source.name));
        }
        Ok(Finding {
            level: match self.level {
                Gravity::Must => Level::Must,
                Gravity::Should => Level::Should,
            },
            clauses: clauses(&self.clauses)?,
            span: Span { start, end },
            message: self.message,
            expected: self.expected,
            received: self.received,
            why: self.why,
        })
    }
}

impl From<&Entry> for Traced {
    fn from(entry: &Entry) -> Self {
        let of = |text: &String, bytes: &[u8]| (text.clone(), hex(bytes));
        let what = match &entry.what {
            Happening::Sent {
                notation,
                bytes,
                forbidden,
            } => {
                let (text, bytes) = of(notation, bytes);
                if *forbidden {
                    Happened::SentForbidden { text, bytes }
                } else {
                    Happened::Sent { text, bytes }
                }
            }
            Happening::Received { notation, bytes } => {
                let (text, bytes) = of(notation, bytes);
                Happened::Received { text, bytes }
            }
            Happening::Garbled { violation, bytes } => {
                let (text, bytes) = of(violation, bytes);
                Happened::Garbled { text, bytes }
            }
            Happening::Opened => Happened::Opened,
            Happening::Ended(how) => Happened::Ended { text: ending(how) },
            Happening::TargetEnded(how) => Happened::TargetEnded { text: ending(how) },
            Happening::Remark(text) => Happened::Remark { text: text.clone() },
        };
        Self {
            at_ns: nanos(entry.at),
            client: entry.client.clone(),
            what,
        }
    }
}

impl Traced {
    fn entry(self) -> Result<Entry, String> {
        let what = match self.what {
            Happened::Sent { text, bytes } => sent(text, &bytes, false)?,
            Happened::SentForbidden { text, bytes } => sent(text, &bytes, true)?,
            Happened::Received { text, bytes } => Happening::Received {
                notation: text,
                bytes: unhex(&bytes)?,
            },
            Happened::Garbled { text, bytes } => Happening::Garbled {
                violation: text,
                bytes: unhex(&bytes)?,
            },
            Happened::Opened => Happening::Opened,
            Happened::Ended { text } => Happening::Ended(text.name()),
            Happened::TargetEnded { text } => Happening::TargetEnded(text.name()),
            Happened::Remark { text } => Happening::Remark(text),
        };
        Ok(Entry {
            at: Duration::from_nanos(self.at_ns),
            client: self.client,
            what,
        })
    }
}

fn sent(notation: String, bytes: &str, forbidden: bool) -> Result<Happening, String> {
    Ok(Happening::Sent {
        notation,
        bytes: unhex(bytes)?,
        forbidden,
    })
}

fn ending(how: &str) -> Ending {
    match how {
        "closes" => Ending::Closes,
        "half-closes" => Ending::HalfCloses,
        "cuts" => Ending::Cuts,
        "reset" => Ending::Reset,
        _ => Ending::Closed,
    }
}

impl Ending {
    const fn name(self) -> &'static str {
        match self {
            Self::Closes => "closes",
            Self::HalfCloses => "half-closes",
            Self::Cuts => "cuts",
            Self::Closed => "closed",
            Self::Reset => "reset",
        }
    }
}

impl From<&Crash> for Died {
    fn from(crash: &Crash) -> Self {
        Self {
            case: crash.case.clone(),
            seen: crash.seen.clone(),
            log_tail: crash.log_tail.clone(),
        }
    }
}

impl From<Died> for Crash {
    fn from(died: Died) -> Self {
        Self {
            case: died.case,
            seen: died.seen,
            log_tail: died.log_tail,
        }
    }
}

impl From<&Round> for Turn {
    fn from(round: &Round) -> Self {
        let totals = &round.totals;
        Self {
            number: round.number,
            passed: totals.passed,
            failed: totals.failed,
            warned: totals.warned,
            noted: totals.noted,
            skipped: totals.skipped,
            untested: totals.untested,
            known: totals.known,
            fixed: totals.fixed,
            crashed: totals.crashed,
        }
    }
}

impl From<Turn> for Round {
    fn from(turn: Turn) -> Self {
        Self {
            number: turn.number,
            totals: runner::Totals {
                passed: turn.passed,
                failed: turn.failed,
                warned: turn.warned,
                noted: turn.noted,
                skipped: turn.skipped,
                untested: turn.untested,
                known: turn.known,
                fixed: turn.fixed,
                crashed: turn.crashed,
            },
        }
    }
}

impl From<&RunSummary> for End {
    fn from(summary: &RunSummary) -> Self {
        let flaky = summary.flaky.iter().map(|flaky| Shaky {
            case: flaky.case.clone(),
            verdicts: flaky.verdicts.clone(),
        });
        Self {
            elapsed_ns: nanos(summary.elapsed),
            interrupted: summary.interrupted,
            unplayed: summary.unplayed,
            stale: summary.stale.clone(),
            flaky: flaky.collect(),
        }
    }
}

impl From<End> for RunSummary {
    fn from(end: End) -> Self {
        let flaky = end.flaky.into_iter().map(|shaky| Flaky {
            case: shaky.case,
            verdicts: shaky.verdicts,
        });
        Self {
            elapsed: Duration::from_nanos(end.elapsed_ns),
            interrupted: end.interrupted,
            unplayed: end.unplayed,
            stale: end.stale,
            flaky: flaky.collect(),
        }
    }
}

fn names(ids: &[ClauseId]) -> Vec<String> {
    ids.iter().map(|id| id.name().to_owned()).collect()
}

fn clauses(names: &[String]) -> Result<Vec<ClauseId>, String> {
    let ids = names.iter().map(|name| ClauseId::parse(name));
    ids.collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

fn breaches(names: &[String]) -> Result<Vec<Breach>, String> {
    let breaches = names.iter().map(|name| name.parse::<Breach>());
    breaches
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble & 15)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)])
        .collect()
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    let digits = text.chars().map(|digit| digit.to_digit(16));
    let digits: Option<Vec<u32>> = digits.collect();
    let pairs = digits.filter(|digits| digits.len() % 2 == 0);
    let pairs = pairs.ok_or_else(|| "bytes are pairs of hex digits".to_owned())?;
    Ok(pairs
        .chunks_exact(2)
        .map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap_or_default())
        .collect())
}
