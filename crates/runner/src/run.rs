//! [`run`]: plays a plan at a target, from the first event to the last.

use std::sync::Arc;
use std::time::Duration;

use crate::admission::AdmissionError;
use crate::baseline::Baseline;
use crate::embedded;
use crate::event::Event;
use crate::interrupt::Interrupt;
use crate::launch::Launch;
use crate::ledger::Ledger;
use crate::memory;
use crate::network::{self, Site};
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::stub::Stub;
use crate::target::{Endpoints, Profile};

/// Which target is played.
#[derive(Debug, Clone)]
pub enum At {
    /// The reference broker, started for each case in the configuration that it requires, in virtual time.
    Embedded,
    /// A broker that is wrong on purpose, in memory and in virtual time.
    Stub(Stub),
    /// A broker that is running somewhere.
    Address(Endpoints),
    /// A broker that is running somewhere, of which a file tells more.
    Profile(Box<Profile>),
    /// A broker that the runner starts, in each of the configurations that cases require.
    Launch(Arc<Launch>),
}

/// How a plan is played.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many cases are played at once: threads for a target in memory, tasks for an address.
    /// The target's own good number where absent.
    pub jobs: Option<usize>,
    /// The factor that upper time bounds are stretched by; at least 1.
    pub patience: f64,
    /// Whether a SHOULD that did not hold fails the case.
    pub strict: bool,
    /// The deviations that are known.
    pub baseline: Option<Baseline>,
    /// How the run is asked to stop.
    pub interrupt: Interrupt,
    /// How long a target at an address is given to answer the admission check and the witness; stretched by `patience`.
    pub answer: Duration,
    /// How long a case may take in real time, beyond what its steps wait for, before it is given up as stuck.
    pub watchdog: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            jobs: None,
            patience: 1.0,
            strict: false,
            baseline: None,
            interrupt: Interrupt::new(),
            answer: Duration::from_secs(5),
            watchdog: Duration::from_mins(1),
        }
    }
}

/// Plays all cases of the plan and returns when the last event has been told.
///
/// # Errors
/// Nothing was played, because the target is not reached or is no MQTT broker. No event has been told then.
pub fn run(
    plan: &Plan,
    at: &At,
    options: &Options,
    listener: &mut dyn FnMut(Event),
) -> Result<Outcome, AdmissionError> {
    let site = Site::of(at);
    let secrets = site.as_ref().map(|site| site.secrets.clone());
    let mut ledger = Ledger::new(plan, options, secrets.unwrap_or_default(), listener);
    match (at, site) {
        (_, Some(site)) => network::run(plan, &site, options, &mut ledger)?,
        (At::Stub(stub), None) => {
            let stub = *stub;
            memory::run(plan, move |_| stub.furnish(), options, &mut ledger);
        }
        (_, None) => memory::run(plan, embedded::furnish, options, &mut ledger),
    }
    Ok(ledger.close())
}
