//! Plays each case on a target of its own in this process: a paused runtime, a fresh broker, links in memory.
//!
//! Time is virtual there, so a case that waits for an hour takes no longer than its packets. What hangs without
//! waiting for anything is ended by a watchdog in real time: its thread is left behind and replaced.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use scenario::Case;
use tokio::runtime;
use tokio::task::LocalSet;

use crate::event::{CaseInfo, CaseReport};
use crate::interrupt::Interrupt;
use crate::ledger::Ledger;
use crate::link::{Transport, Way};
use crate::plan::Plan;
use crate::play;
use crate::run::Options;
use crate::settings::{Namespace, Settings};
use crate::target::Target;
use crate::unplayed::{harness_fault, panic_text, skipped};

/// How often the watchdog and the interrupt are looked at.
const TICK: Duration = Duration::from_millis(20);
/// Steps nest, and so do the frames that play them.
const STACK_SIZE: usize = 16 << 20;

/// What the threads that play share.
struct Desk<F> {
    cases: Vec<(Arc<Case>, Way, Arc<CaseInfo>)>,
    next: AtomicUsize,
    furnish: F,
    patience: f64,
    strict: bool,
    interrupt: Interrupt,
}

/// What a thread tells; the number is the thread's.
enum Told {
    Started(usize, Arc<CaseInfo>),
    Finished(usize, Box<CaseReport>),
    Idle(usize),
}

/// Plays all cases, each on the target that `furnish` makes for its requirements.
pub(crate) fn run<F>(plan: &Plan, furnish: F, options: &Options, ledger: &mut Ledger<'_>)
where
    F: Fn(&[&str]) -> Target + Send + Sync + 'static,
{
    let infos = plan.infos(Transport::Memory);
    let name = on_a_paused_runtime(async || furnish(&[]).name().to_owned());
    ledger.open(&name.unwrap_or_else(panic_text), &infos);
    let desk = Arc::new(Desk {
        cases: plan
            .played()
            .zip(infos)
            .map(|((case, way), info)| (Arc::clone(case), way, info))
            .collect(),
        next: AtomicUsize::new(0),
        furnish,
        patience: options.patience,
        strict: options.strict,
        interrupt: options.interrupt.clone(),
    });
    let jobs = options
        .jobs
        .or_else(|| thread::available_parallelism().ok().map(usize::from))
        .unwrap_or(1)
        .clamp(1, desk.cases.len().max(1));
    let (tell, told) = channel();
    let mut crew = Crew {
        desk,
        tell,
        hired: 0,
        playing: BTreeMap::new(),
    };
    for _ in 0..jobs {
        crew.hire();
    }
    crew.oversee(&told, options, ledger);
}

/// The threads, seen from the one that oversees them.
struct Crew<F> {
    desk: Arc<Desk<F>>,
    tell: Sender<Told>,
    hired: usize,
    /// What each thread at work is playing, and since when.
    playing: BTreeMap<usize, Option<(Arc<CaseInfo>, Instant)>>,
}

impl<F> Crew<F>
where
    F: Fn(&[&str]) -> Target + Send + Sync + 'static,
{
    fn hire(&mut self) {
        let number = self.hired;
        self.hired += 1;
        let desk = Arc::clone(&self.desk);
        let tell = self.tell.clone();
        let spawned = thread::Builder::new()
            .name(format!("play-{number}"))
            .stack_size(STACK_SIZE)
            .spawn(move || desk.work(number, &tell));
        if spawned.is_ok() {
            self.playing.insert(number, None);
        }
    }

    fn oversee(&mut self, told: &Receiver<Told>, options: &Options, ledger: &mut Ledger<'_>) {
        let mut looked = Instant::now();
        while !self.playing.is_empty() {
            match told.recv_timeout(TICK) {
                Ok(Told::Started(number, info)) => {
                    ledger.started(&info);
                    self.playing.insert(number, Some((info, Instant::now())));
                }
                // A thread that was given up may still come to an end: its case has been reported.
                Ok(Told::Finished(number, report)) => {
                    if let Some(case) = self.playing.get_mut(&number) {
                        *case = None;
                        ledger.finished(*report);
                    }
                }
                Ok(Told::Idle(number)) => {
                    self.playing.remove(&number);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if looked.elapsed() >= TICK {
                looked = Instant::now();
                if options.interrupt.is_raised() {
                    break;
                }
                self.give_up_stuck(options.watchdog, ledger);
            }
        }
    }

    fn give_up_stuck(&mut self, watchdog: Duration, ledger: &mut Ledger<'_>) {
        let stuck: Vec<_> = self
            .playing
            .iter()
            .filter_map(|(number, case)| {
                let (info, since) = case.as_ref()?;
                (since.elapsed() > watchdog).then(|| (*number, Arc::clone(info)))
            })
            .collect();
        for (number, info) in stuck {
            self.playing.remove(&number);
            ledger.finished(harness_fault(
                &info,
                &format!(
                    "it was stuck for {} s of real time: neither it nor the target waited for anything",
                    watchdog.as_secs_f32()
                ),
            ));
            self.hire();
        }
    }
}

impl<F> Desk<F>
where
    F: Fn(&[&str]) -> Target,
{
    /// Plays case after case until none is left.
    fn work(&self, number: usize, tell: &Sender<Told>) {
        while !self.interrupt.is_raised() {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some((case, way, info)) = self.cases.get(index) else {
                break;
            };
            // Nobody listens any more once the run is over.
            if tell.send(Told::Started(number, Arc::clone(info))).is_err() {
                return;
            }
            let report = on_a_paused_runtime(async || self.play(index, case, *way, info).await)
                .unwrap_or_else(|panic| harness_fault(info, &panic_text(panic)));
            if tell.send(Told::Finished(number, Box::new(report))).is_err() {
                return;
            }
        }
        let _ = tell.send(Told::Idle(number));
    }

    async fn play(&self, index: usize, case: &Case, way: Way, info: &Arc<CaseInfo>) -> CaseReport {
        let requires = case.requires.iter().map(String::as_str).collect::<Vec<_>>();
        let target = (self.furnish)(&requires);
        if let Some(reason) = target.reason_to_skip(case.version, &requires) {
            return skipped(info, reason);
        }
        let settings = Settings {
            patience: self.patience,
            strict: self.strict,
            way,
            namespace: Namespace::new(0, index),
        };
        play::play(case, Arc::clone(info), &target, &settings).await
    }
}

/// Runs a future to its end in virtual time; the error is what it panicked with.
fn on_a_paused_runtime<T>(future: impl AsyncFnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
    catch_unwind(AssertUnwindSafe(|| {
        let runtime = runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        match runtime {
            Ok(runtime) => runtime.block_on(LocalSet::new().run_until(future())),
            Err(error) => std::panic::panic_any(format!("no runtime can be started: {error}")),
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Verdict};
    use crate::plan::Selection;
    use crate::secrets::Secrets;
    use crate::stub::Stub;

    /// A plan of two cases, `stuck` (which requires `shared`) and `fine`.
    fn plan() -> Plan {
        let scenario = |name: &str, requires: &str| {
            let text = format!(
                "title: {name}\nclauses: [v3.1.1/MQTT-3.12.4-1]\nrequires: [{requires}]\nclients: [a]\nsteps:\n  - a pings\n"
            );
            Arc::new(scenario::parse(&format!("scenarios/ping/{name}.yaml"), &text).unwrap())
        };
        let scenarios = [scenario("stuck", "shared"), scenario("fine", "retain")];
        Plan::new(&scenarios, &Selection::default())
    }

    /// The verdicts when every target that must have `shared` does `this` instead of serving.
    fn verdicts(this: fn(), watchdog: Duration) -> BTreeMap<String, Verdict> {
        let plan = plan();
        let options = Options {
            jobs: Some(1),
            watchdog,
            ..Options::default()
        };
        let mut verdicts = BTreeMap::new();
        let mut listener = |event| {
            if let Event::CaseFinished(report) = event {
                verdicts.insert(report.case.name.clone(), report.verdict);
            }
        };
        let mut ledger = Ledger::new(&plan, &options, Secrets::default(), &mut listener);
        let furnish = move |requires: &[&str]| {
            if requires.contains(&"shared") {
                this();
            }
            Stub::YesMan.furnish()
        };
        run(&plan, furnish, &options, &mut ledger);
        assert_eq!(ledger.close().unplayed, 0);
        verdicts
    }

    fn fault(verdict: &Verdict) -> &str {
        match verdict {
            Verdict::Untested { reason } => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_stuck_case_is_given_up_and_the_others_are_played() {
        let stuck = || {
            loop {
                thread::park();
            }
        };
        let verdicts = verdicts(stuck, Duration::from_millis(100));
        assert!(fault(&verdicts["ping/stuck@v3.1.1/memory"]).contains("stuck"));
        assert_eq!(verdicts["ping/fine@v3.1.1/memory"], Verdict::Pass);
    }

    #[test]
    fn a_panic_is_a_fault_of_the_harness_and_of_one_case_only() {
        let verdicts = verdicts(|| panic!("at the disco"), Duration::from_mins(1));
        assert!(
            fault(&verdicts["ping/stuck@v3.1.1/memory"])
                .ends_with("the player panicked: at the disco")
        );
        assert_eq!(verdicts["ping/fine@v3.1.1/memory"], Verdict::Pass);
    }
}
