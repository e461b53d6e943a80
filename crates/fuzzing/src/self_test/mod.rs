//! Does the fuzzer find what it should? Faults that are known, and a hunt for each.
//!
//! A fault is a rule that the reference broker breaks, or one that is [planted] around its core. The hunt plays scripts
//! of one seed after the other on the faulty core until the oracle notices.

mod planted;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use broker::Config;
use broker::core::Core;
use clauses::ClauseId;

pub use planted::{Plant, Planted};

use crate::embedded::{Held, Player};
use crate::oracle::{Finding, Oracle, Strictness};
use crate::script::{Mix, Script};

/// Something that is wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The reference broker disobeys this clause.
    Broken(ClauseId),
    /// A fault around its core.
    Planted(Plant),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(clause) => write!(f, "{clause} is broken"),
            Self::Planted(plant) => f.write_str(plant.description()),
        }
    }
}

/// What came of a hunt.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was hunted.
    pub fault: Fault,
    /// What gave it away; none where nothing did within the time.
    pub found: Option<Found>,
    /// How many scripts were played.
    pub scripts: u64,
    /// How long it took.
    pub took: Duration,
}

/// What gave a fault away.
#[derive(Debug, Clone)]
pub struct Found {
    /// The script.
    pub script: Script,
    /// What the oracle said.
    pub finding: Finding,
}

/// The faults of the self-test: all that are planted, and every rule that the core asks for and whose breach can be
/// seen on the wire by clients that have no special configuration.
pub fn faults() -> Vec<Fault> {
    let mut asked: BTreeMap<usize, ClauseId> = BTreeMap::new();
    for seed in 0..400 {
        let mut player = Player::new(Core::new(Config::default()));
        player.play(&Script::from_seed(seed, &Mix::default()), &mut Silent);
        for clause in player.machine().consulted().iter() {
            asked.insert(clause.index(), clause);
        }
    }
    let stated = broker::sites().map(|site| site.clause.index());
    let stated: std::collections::BTreeSet<_> = stated.collect();
    let broken = asked
        .into_values()
        .filter(|clause| stated.contains(&clause.index()))
        .map(Fault::Broken);
    Plant::ALL
        .into_iter()
        .map(Fault::Planted)
        .chain(broken)
        .collect()
}

/// Plays scripts of this mix, seed after seed from `first`, on a core with the fault, until it is noticed or `time` is
/// over.
pub fn hunt(fault: Fault, mix: &Mix, first: u64, time: Duration) -> Outcome {
    let begun = Instant::now();
    let mut scripts = 0;
    let mut found = None;
    while found.is_none() && begun.elapsed() < time {
        let script = Script::from_seed(first.wrapping_add(scripts), mix);
        scripts += 1;
        if let Some(finding) = play(fault, &script) {
            found = Some(Found { script, finding });
        }
    }
    Outcome {
        fault,
        found,
        scripts,
        took: begun.elapsed(),
    }
}

/// Plays a script on a core with the fault; the first thing that the oracle notices.
pub fn play(fault: Fault, script: &Script) -> Option<Finding> {
    let mut oracle = Oracle::new(Strictness::Exact);
    let played = catch_unwind(AssertUnwindSafe(|| match fault {
        Fault::Broken(clause) => {
            let mut player = Player::new(Core::new(Config::breaking([clause])));
            player.play(script, &mut oracle);
            player.leave(&mut oracle)
        }
        Fault::Planted(plant) => {
            let mut player = Player::new(Planted::new(plant));
            player.play(script, &mut oracle);
            player.leave(&mut oracle)
        }
    }));
    match played {
        Ok(held) => oracle.findings().first().cloned().or_else(|| held.leaks()),
        Err(_) => Some(Finding {
            rule: "panic",
            clause: None,
            client: None,
            message: "the broker panicked".to_owned(),
        }),
    }
}

impl Held {
    /// What is held although nobody is there.
    pub fn leaks(self) -> Option<Finding> {
        let message = if self.connections > 0 {
            format!(
                "{} connections are held, and none is open",
                self.connections
            )
        } else if self.extra > 0 {
            format!("{} bytes are held for nobody", self.extra)
        } else {
            return None;
        };
        Some(Finding {
            rule: "leak",
            clause: None,
            client: None,
            message,
        })
    }
}

/// Who is told and says nothing.
struct Silent;

impl crate::observe::Observer for Silent {}

/// The middle of what the hunts took that found something.
pub fn median(outcomes: &[Outcome]) -> Option<Duration> {
    let mut took: Vec<_> = outcomes
        .iter()
        .filter(|outcome| outcome.found.is_some())
        .map(|outcome| outcome.took)
        .collect();
    took.sort();
    took.get(took.len() / 2).copied()
}
