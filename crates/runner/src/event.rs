//! [`Event`]: all that a run tells. Every report is a listener of these events; the runner knows none of them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use broker::Breach;
use clauses::ClauseId;
use codec::Version;
use scenario::{Source, Span};

use crate::outcome::Totals;
use crate::partition::Part;

/// Something that happened in a run. Events of one case come in order; cases overlap.
#[derive(Debug, Clone)]
pub enum Event {
    /// The run begins.
    RunStarted(Box<RunInfo>),
    /// A case begins.
    CaseStarted(Arc<CaseInfo>),
    /// A case has its verdict.
    CaseFinished(Box<CaseReport>),
    /// Something about the run as a whole that people should know.
    Notice(String),
    /// The target died or stopped serving the witness client.
    TargetCrashed(Crash),
    /// One of several rounds is over; only where cases are played more than once. What follows is of the next round.
    RoundFinished(Round),
    /// The run is over. Nothing follows.
    RunFinished(RunSummary),
}

/// What is known of a run before anything is played.
#[derive(Debug, Clone)]
pub struct RunInfo {
    /// The target as people know it: an address, or `the embedded reference broker`.
    pub target: String,
    /// How many cases will be played.
    pub cases: usize,
    /// When it began.
    pub started: SystemTime,
    /// Which edition of the suite is played; absent where the scenarios are the user's own.
    pub edition: Option<String>,
    /// Which part of a run this is, where it is shared out.
    pub part: Option<Part>,
    /// How many cases all parts together have.
    pub cases_of_all_parts: usize,
    /// How often the cases are played at most; 1 where they are not repeated.
    pub rounds: usize,
}

impl RunInfo {
    /// A run that begins now, of so many cases, each once and all of them here.
    pub fn new(target: &str, cases: usize) -> Self {
        Self {
            target: target.to_owned(),
            cases,
            started: SystemTime::now(),
            edition: None,
            part: None,
            cases_of_all_parts: cases,
            rounds: 1,
        }
    }
}

/// One of several rounds, which has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Which one, from 1.
    pub number: usize,
    /// The verdicts in it.
    pub totals: Totals,
}

/// A case whose verdict was not the same in every round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaky {
    /// The case's name.
    pub case: String,
    /// Each verdict that it got, such as `pass`, with the rounds, gravest first.
    pub verdicts: Vec<(String, Vec<usize>)>,
}

/// What is known of a case before it is played.
#[derive(Debug, Clone)]
pub struct CaseInfo {
    /// `chapter/file[axis=value]@v5.0/tcp`.
    pub name: String,
    /// The folder of the scenario, such as `retain`.
    pub chapter: String,
    /// The scenario's title.
    pub title: String,
    /// The scenario's text.
    pub source: Arc<Source>,
    /// The protocol version it is played in.
    pub version: Version,
    /// The clauses it speaks for in this version.
    pub clauses: Vec<ClauseId>,
}

/// How a case ended.
#[derive(Debug, Clone)]
pub struct CaseReport {
    /// Which case.
    pub case: Arc<CaseInfo>,
    /// The verdict.
    pub verdict: Verdict,
    /// The rule breaches seen, gravest first. Empty unless the verdict comes from findings.
    pub findings: Vec<Finding>,
    /// What the target chose where it may choose.
    pub notes: Vec<String>,
    /// The whole exchange.
    pub trace: Vec<Entry>,
    /// How long it took, in the case's own time (virtual on the embedded broker).
    pub elapsed: Duration,
    /// The rules of the reference broker that the case consulted; empty on any other target.
    pub consulted: Vec<ClauseId>,
    /// Where packets of the case broke a clause, as the reference broker judged them; empty on any other target.
    pub breaches: Vec<Breach>,
}

/// The verdict on a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every expectation held.
    Pass,
    /// A MUST did not hold.
    Fail,
    /// A SHOULD did not hold.
    Warn,
    /// Held, and the target chose something worth telling.
    Note,
    /// Not applicable to this target.
    Skip {
        /// Why.
        reason: String,
    },
    /// A prerequisite or the control twin failed: nothing is known.
    Untested {
        /// Why.
        reason: String,
    },
    /// Failed, as the baseline says it would.
    Known {
        /// The baseline's reason.
        reason: String,
    },
    /// Listed in the baseline, and passed.
    Fixed,
    /// The target died or stopped serving during the case.
    Crashed {
        /// What was seen.
        reason: String,
    },
}

/// One rule breach.
#[derive(Debug, Clone)]
pub struct Finding {
    /// How grave it is.
    pub level: Level,
    /// The clauses it speaks for; the first is the one to read.
    pub clauses: Vec<ClauseId>,
    /// The place in the scenario whose expectation did not hold.
    pub span: Span,
    /// One sentence: what is wrong.
    pub message: String,
    /// What was expected, in the scenario notation.
    pub expected: Option<String>,
    /// What was received, in the scenario notation.
    pub received: Option<String>,
    /// `why:` of the step or the scenario.
    pub why: Option<String>,
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A MUST did not hold.
    Must,
    /// A SHOULD did not hold.
    Should,
}

/// One line of a trace.
#[derive(Debug, Clone)]
pub struct Entry {
    /// When, since the case began (virtual on the embedded broker).
    pub at: Duration,
    /// Whose link.
    pub client: String,
    /// What happened on it.
    pub what: Happening,
}

/// What happened on a link.
#[derive(Debug, Clone)]
pub enum Happening {
    /// Bytes were sent.
    Sent {
        /// In the scenario notation, such as `PINGREQ` or `PUBLISH: { topic: x, payload: y }`.
        notation: String,
        /// As they stood on the wire.
        bytes: Vec<u8>,
        /// Whether they were forbidden on purpose (`!>`).
        forbidden: bool,
    },
    /// One Control Packet arrived.
    Received {
        /// In the scenario notation.
        notation: String,
        /// As it stood on the wire.
        bytes: Vec<u8>,
    },
    /// Bytes arrived that are no sound packet.
    Garbled {
        /// What the strict decoder says.
        violation: String,
        /// As they stood on the wire.
        bytes: Vec<u8>,
    },
    /// The link was opened.
    Opened,
    /// The scenario ended the link: `closes`, `half-closes`, `cuts`.
    Ended(&'static str),
    /// The target ended the link: `closed` (FIN) or `reset` (RST).
    TargetEnded(&'static str),
    /// A remark of the player, such as which alternative the target chose.
    Remark(String),
}

/// A target that died or no longer serves.
#[derive(Debug, Clone)]
pub struct Crash {
    /// The case that was being played, or the most likely one.
    pub case: Option<String>,
    /// What was seen.
    pub seen: String,
    /// The tail of the target's log, when the runner launched it.
    pub log_tail: Option<String>,
}

/// Totals of a run.
#[derive(Debug, Clone, Default)]
pub struct RunSummary {
    /// Wall time.
    pub elapsed: Duration,
    /// Whether it was stopped by the user before its end.
    pub interrupted: bool,
    /// Cases that were not played because the run ended early.
    pub unplayed: usize,
    /// Baseline entries that matched no case.
    pub stale: Vec<String>,
    /// Cases whose verdicts differ from round to round.
    pub flaky: Vec<Flaky>,
}
