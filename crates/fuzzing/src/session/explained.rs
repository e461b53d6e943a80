//! [`explain`]: bytes that broke the core, told so that a person sees why.

use std::fmt;

use broker::Config;
use broker::core::Core;

use super::{Broken, What, judge};
use crate::embedded;
use crate::minimise::minimise;
use crate::observe::Transcript;
use crate::oracle::{Finding, Strictness};
use crate::scenario::{Told, render};
use crate::script::{Script, TOKEN};

/// What some bytes brought about that must not be.
#[derive(Debug, Clone)]
pub struct Explained {
    /// The smallest script that still brings it about.
    pub smallest: Script,
    /// What is wrong, and after which of its steps.
    pub message: String,
    /// The script as a scenario: each packet decoded, with what came back.
    pub scenario: String,
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n\n{}", self.message, self.scenario)
    }
}

/// What is wrong when these bytes are played as a script on the core; none where nothing is.
///
/// # Panics
/// When the core does.
pub fn explain(bytes: &[u8]) -> Option<Explained> {
    let script = Script::from_bytes(bytes);
    let core = || Core::new(Config::default());
    let first = judge(core(), &script).err()?;
    let smallest = minimise(script, |smaller| {
        judge(core(), smaller).is_err_and(|broken| broken.is_like(&first))
    });
    let broken = judge(core(), &smallest).err().unwrap_or(first);
    let mut transcript = Transcript::default();
    embedded::play(&smallest, Config::default(), &mut transcript);
    let message = broken.to_string();
    let scenario = render(&Told {
        transcript: &transcript,
        finding: &broken.into_finding(),
        namespace: *TOKEN,
        strictness: Strictness::Exact,
        transports: &[],
        notes: &[],
    });
    Some(Explained {
        smallest,
        message,
        scenario,
    })
}

impl Broken {
    /// Whether the same is wrong, wherever it shows.
    fn is_like(&self, other: &Self) -> bool {
        match (&self.what, &other.what) {
            (What::Found(one), What::Found(other)) => one.class() == other.class(),
            (What::Grown(_), What::Grown(_)) => true,
            _ => false,
        }
    }

    fn into_finding(self) -> Finding {
        let message = self.to_string();
        match self.what {
            What::Found(finding) => finding,
            What::Grown(_) => Finding {
                rule: "grown",
                clause: None,
                client: None,
                message,
            },
        }
    }
}
