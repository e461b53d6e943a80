//! `mqtt-assay fuzz --self-test`: does the fuzzer find what it should?

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::Duration;
use std::{panic, thread};

use anstream::println;
use fuzzing::script::Mix;
use fuzzing::self_test::{Fault, Outcome, faults, hunt, median};
use indicatif::ProgressBar;
use report::terminal_line;
use runner::Interrupt;

use crate::failure::{Failure, INTERRUPTED};

/// How many out of a hundred faults must be found.
const WANTED: usize = 90;
/// How long half of those that are found may take.
const MEDIAN: Duration = Duration::from_mins(1);

/// Hunts every fault for so long, several at once; the exit status.
pub(super) fn run(
    seed: u64,
    time: Duration,
    jobs: Option<NonZeroUsize>,
    interrupt: &Interrupt,
    bar: &ProgressBar,
) -> Result<u8, Failure> {
    // Some faults are panics, and each of these would be told on standard error.
    let told = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let outcomes = hunt_all(seed, time, jobs, interrupt, bar);
    panic::set_hook(told);
    bar.finish_and_clear();
    let (outcomes, faults) = outcomes;
    if outcomes.is_empty() {
        return Err(Failure::new("nothing was hunted"));
    }
    for outcome in &outcomes {
        println!("{}", terminal_line(&line(outcome)));
    }
    let found = outcomes
        .iter()
        .filter(|outcome| outcome.found.is_some())
        .count();
    let middle = median(&outcomes).unwrap_or(Duration::MAX);
    println!(
        "{found} of {} faults found, half of them within {:.3} s (seed {seed}, at most {} s each)",
        outcomes.len(),
        middle.as_secs_f64().min(time.as_secs_f64()),
        time.as_secs()
    );
    if outcomes.len() < faults {
        return Ok(INTERRUPTED);
    }
    Ok(u8::from(
        found * 100 < WANTED * outcomes.len() || middle > MEDIAN,
    ))
}

/// Hunts fault after fault on several threads; what came of each, in the order of the faults, and how many there are.
fn hunt_all(
    seed: u64,
    time: Duration,
    jobs: Option<NonZeroUsize>,
    interrupt: &Interrupt,
    bar: &ProgressBar,
) -> (Vec<Outcome>, usize) {
    let faults = faults();
    bar.set_length(faults.len() as u64);
    let jobs = jobs
        .or_else(|| thread::available_parallelism().ok())
        .map_or(1, NonZeroUsize::get);
    let next = AtomicUsize::new(0);
    let outcomes: Mutex<Vec<(usize, Outcome)>> = Mutex::default();
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs.min(faults.len()) {
            let tell = tell.clone();
            let (faults, next, outcomes) = (&faults, &next, &outcomes);
            scope.spawn(move || {
                while !interrupt.is_raised() {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(fault) = faults.get(index) else {
                        break;
                    };
                    let outcome = hunt(*fault, &Mix::default(), seed, time);
                    if let Ok(mut outcomes) = outcomes.lock() {
                        outcomes.push((index, outcome));
                    }
                    let _ = tell.send(*fault);
                }
            });
        }
        drop(tell);
        let hunted: mpsc::IntoIter<Fault> = told.into_iter();
        for fault in hunted {
            bar.inc(1);
            bar.set_message(fault.to_string());
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_default();
    outcomes.sort_by_key(|(index, _)| *index);
    let outcomes = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    (outcomes, faults.len())
}

fn line(outcome: &Outcome) -> String {
    let took = outcome.took.as_secs_f64();
    match &outcome.found {
        Some(found) => format!(
            "found after {took:.3} s and {} scripts: {}: {}",
            outcome.scripts, outcome.fault, found.finding
        ),
        None => format!(
            "NOT FOUND in {took:.3} s and {} scripts: {}",
            outcome.scripts, outcome.fault
        ),
    }
}
