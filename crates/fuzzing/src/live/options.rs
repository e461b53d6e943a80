//! [`Options`]: what a campaign does, and for how long.

use std::time::Duration;

use codec::Version;
use runner::Interrupt;
use runner::link::Transport;

use super::source::Played;
use crate::script::Mix;

/// How a campaign is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// What all scripts come from.
    pub seed: u64,
    /// How long the campaign takes. Findings take at most half of it; what is left of them at the end takes, all together,
    /// at most [`Self::inquiry`] more, and a target that died what it needs to start.
    pub time: Duration,
    /// How many scripts are performed at most.
    pub scripts: Option<u64>,
    /// The versions that clients speak; all that the target speaks where there are none.
    pub versions: Vec<Version>,
    /// The transports that the clients of a script take, in turn; the target's first where there are none.
    pub transports: Vec<Transport>,
    /// How many scripts are performed at once.
    pub jobs: usize,
    /// Whether what the target answers decides what it is sent next. Without, the seed alone does.
    pub feedback: bool,
    /// The scripts of an earlier campaign, to be performed in its order instead of new ones.
    pub replay: Option<Vec<Played>>,
    /// How long the target may leave a client unanswered that did nothing wrong.
    pub patience: Duration,
    /// How long a finding may take until it is minimal, and all findings that are left at the end.
    pub inquiry: Duration,
    /// How often the target is left alone, to see what its process holds while nobody is connected; a thirtieth of the
    /// time, but from 2 s to 10 s, where it is not said.
    pub watch: Option<Duration>,
    /// How the campaign is asked to stop.
    pub interrupt: Interrupt,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 0,
            time: Duration::from_mins(1),
            scripts: None,
            versions: Vec::new(),
            transports: Vec::new(),
            jobs: 32,
            feedback: true,
            replay: None,
            patience: Duration::from_secs(5),
            inquiry: Duration::from_secs(40),
            watch: None,
            interrupt: Interrupt::new(),
        }
    }
}

impl Options {
    /// What scripts are made of.
    pub(super) fn mix(&self) -> Mix {
        Mix {
            versions: self.versions.clone(),
            malformed: 12,
            unusual: 8,
            waits: 1,
            // Whether a target starts again is not the script's to decide.
            restarts: 0,
            feedback: self.feedback,
            ..Mix::default()
        }
    }
}
