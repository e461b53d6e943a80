//! [`Event`]: all that a campaign tells. Who shows or writes it is a listener.

use std::time::Duration;

use clauses::ClauseId;
use codec::Version;
use runner::event::CaseReport;

use super::source::Played;
use super::tally::Tally;
use crate::observe::Transcript;
use crate::oracle::Finding;
use crate::script::Script;

/// Something that happened in a campaign.
#[derive(Debug)]
pub enum Event<'a> {
    /// It begins.
    Begun {
        /// The target as people know it.
        target: &'a str,
        /// The versions that clients speak.
        versions: &'a [Version],
    },
    /// A script was performed; it stands there with the bytes of its acknowledgements.
    Performed(&'a Played),
    /// What was done so far; told every second.
    Progress(&'a Tally),
    /// Something that people should know.
    Notice(String),
    /// A finding, once for each class.
    Found(Box<Discovery>),
    /// What broke a rule once and did not come again when its script was performed by itself; told at the end, unless
    /// something else of its class was found.
    Fleeting(Box<Discovery>),
    /// It is over. Nothing follows.
    Over(&'a Tally),
}

/// A finding with its evidence.
#[derive(Debug, Clone)]
pub struct Discovery {
    /// What it shares with all findings of the same cause.
    pub class: String,
    /// What the target did that it must not do.
    pub finding: Finding,
    /// How sure it is.
    pub proof: Proof,
    /// The smallest script that shows it, in the namespace in which it was shown last; none where no single script does.
    pub script: Option<Played>,
    /// Whether nothing can be left out of that script; where not, there was no more time to try.
    pub minimal: bool,
    /// The script that showed it first.
    pub original: Option<Played>,
    /// What was performed before, the newest last; only where no single script shows it.
    pub before: Vec<Played>,
    /// What went over the links when the smallest script was performed last.
    pub transcript: Transcript,
    /// The smallest script as a scenario.
    pub scenario: Option<String>,
    /// What `mqtt-assay run` says when it plays the scenario; none where there was no more time for it.
    pub replay: Option<Box<CaseReport>>,
    /// Whether the reference broker passes the scenario; none where it cannot play it. One that it fails asks for more
    /// than what is wrong.
    pub fair: Option<bool>,
    /// The end of the target's log, when the fuzzer launched it.
    pub log_tail: Option<String>,
    /// How long it took from when it was seen first.
    pub took: Duration,
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// It showed again when the script was performed by itself, so many times out of so many.
    Confirmed {
        /// How often it showed.
        shown: u32,
        /// How often it was tried.
        tried: u32,
    },
    /// It was seen, and what brought it about could not be told.
    Seen,
    /// It was seen, and did not show again in so many performances of its script by itself: none where there was no more
    /// time.
    Fleeting {
        /// How often it was tried.
        tried: u32,
    },
}

/// What a campaign has come to.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// What was done.
    pub tally: Tally,
    /// Whether the user stopped it before its time.
    pub interrupted: bool,
    /// Whether the target died, or stopped serving, at any time.
    pub crashed: bool,
    /// Whether it could not be brought back, so that the campaign ended early.
    pub gone: bool,
}

impl Outcome {
    /// 0 nothing was found, 1 findings, 3 the target crashed, 130 interrupted.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self { crashed: true, .. } | Self { gone: true, .. } => 3,
            Self {
                interrupted: true, ..
            } => 130,
            _ => u8::from(self.tally.findings > 0),
        }
    }
}

impl Discovery {
    /// The clause that is broken.
    pub fn clause(&self) -> Option<ClauseId> {
        self.finding.clause
    }

    /// The smallest script as it went on the wire.
    pub fn on_the_wire(&self) -> Option<Script> {
        self.script.as_ref().map(Played::on_the_wire)
    }
}
