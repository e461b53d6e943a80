//! [`Keeper`]: the target's process, as far as the fuzzer may look at it and start it again.

use std::rc::Rc;
use std::time::Duration;

use runner::Interrupt;
use runner::launch::Instance;
use runner::link::LinkOptions;
use runner::target::Target;
use tokio::time::{Instant, sleep};

use super::vitals::Vitals;

/// How long a target that died is given to be started again by whoever keeps it: so many times what it may leave a client
/// unanswered.
const REVIVAL: u32 = 3;
/// How often it is tried.
const TRY: Duration = Duration::from_millis(200);

/// How often a target that is left alone is looked at, to see whether it comes to rest, and how soon again.
const GLANCES: u32 = 10;
const GLANCE: Duration = Duration::from_millis(10);

/// Who keeps the target alive.
#[derive(Clone)]
pub(super) struct Keeper {
    target: Target,
    pid: Option<u32>,
    launched: Option<Rc<Instance>>,
    patience: Duration,
}

impl Keeper {
    pub(super) fn new(
        target: Target,
        pid: Option<u32>,
        launched: Option<Rc<Instance>>,
        patience: Duration,
    ) -> Self {
        Self {
            target,
            pid,
            launched,
            patience,
        }
    }

    /// How long a target that died is waited for, where somebody else must start it again.
    pub(super) fn revival(&self) -> Duration {
        self.patience * REVIVAL
    }

    /// The process of the target, if it may be looked at.
    pub(super) fn pid(&self) -> Option<u32> {
        match &self.launched {
            Some(instance) => instance.pid(),
            None => self.pid,
        }
    }

    /// What its process uses while nobody wants anything of it, and whether it never comes to rest; none where it may not
    /// be looked at, or is no more.
    pub(super) async fn quiet(&self) -> Option<(Vitals, bool)> {
        let pid = self.pid()?;
        let mut busy = true;
        for _ in 0..GLANCES {
            sleep(GLANCE).await;
            busy = busy && Vitals::is_runnable(pid);
        }
        Some((Vitals::of(pid).ok()?, busy))
    }

    /// The end of its log.
    pub(super) fn log_tail(&self) -> Option<String> {
        let log = self.launched.as_ref()?.log_tail();
        (!log.is_empty()).then_some(log)
    }

    /// How its process ended, if that can be told.
    pub(super) fn death(&self) -> Option<String> {
        let how = self.launched.as_ref()?.ended()?;
        Some(format!("its process ended {how}"))
    }

    /// Starts it anew, if it was launched for the campaign; whether it was.
    pub(super) async fn restart(&self) -> bool {
        self.launched.is_some() && self.target.restart().await.is_ok()
    }

    /// Whether it was launched for the campaign, and can be started again.
    pub(super) fn is_launched(&self) -> bool {
        self.launched.is_some()
    }

    /// Starts it again, or waits until somebody has; whether it serves again.
    pub(super) async fn revive(&self, interrupt: &Interrupt) -> bool {
        if self.target.restart().await.is_ok() {
            return true;
        }
        let until = Instant::now() + self.revival();
        while Instant::now() < until && !interrupt.is_raised() {
            if self.target.open(&LinkOptions::default()).await.is_ok() {
                return true;
            }
            sleep(TRY).await;
        }
        false
    }
}
