//! How many sessions a second are played with the oracle on: three connections, a fresh core each.
//! Processor time counts where the system tells it, so that a busy machine does not matter.
//! `cargo run --profile campaign -p mqtt-assay-fuzzing --no-default-features --example pace [PART [SECONDS]]`: `read`, `core`
//! or `oracle`; all, 3 s each, where none is named.
#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "an example stops at the first surprise"
)]

use std::time::{Duration, Instant};

use fuzzing::embedded::{self, Player};
use fuzzing::observe::Observer;
use fuzzing::oracle::{Oracle, Strictness};
use fuzzing::script::{Mix, Operation, Script};

struct Silent;
impl Observer for Silent {}

/// How long this process was on a processor, on Linux.
fn processor_time() -> Option<Duration> {
    let told = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    let nanoseconds = told.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

fn main() {
    let mix = Mix {
        clients: 3,
        steps: 20,
        ..Mix::default()
    };
    let scripts: Vec<_> = (0..20_000)
        .map(|seed| Script::from_seed(seed, &mix).to_bytes())
        .filter(|bytes| {
            let script = Script::from_bytes(bytes);
            let opens = script
                .steps
                .iter()
                .filter(|step| step.operation == Operation::Open);
            script.clients() == 3 && opens.count() >= 3 && script.steps.len() <= 12
        })
        .take(1_000)
        .collect();
    let steps: usize = scripts
        .iter()
        .map(|bytes| Script::from_bytes(bytes).steps.len())
        .sum();
    println!(
        "{} scripts of {:.1} operations",
        scripts.len(),
        steps as f64 / scripts.len() as f64
    );
    let mut arguments = std::env::args().skip(1);
    let part = arguments.next().unwrap_or_default();
    let seconds = arguments.next().map_or(3.0, |text| text.parse().unwrap());
    let pace = |name: &str, play: &dyn Fn(&[u8])| {
        if !name.starts_with(&part) {
            return;
        }
        let (begun, since, mut played) = (Instant::now(), processor_time(), 0_u32);
        loop {
            for bytes in &scripts {
                play(bytes);
            }
            played += u32::try_from(scripts.len()).unwrap();
            if begun.elapsed() >= Duration::from_secs_f64(seconds) {
                break;
            }
        }
        let took = match (since, processor_time()) {
            (Some(since), Some(now)) => now.saturating_sub(since),
            _ => begun.elapsed(),
        };
        println!(
            "{name}: {:.0} a second",
            f64::from(played) / took.as_secs_f64()
        );
    };
    pace("read", &|bytes| {
        std::hint::black_box(Script::read(bytes));
    });
    pace("core alone", &|bytes| {
        Player::new(embedded::fresh()).play(&Script::read(bytes), &mut Silent);
    });
    pace("oracle on the core", &|bytes| {
        let mut oracle = Oracle::new(Strictness::Exact);
        Player::new(embedded::fresh()).play(&Script::read(bytes), &mut oracle);
        assert!(oracle.findings().is_empty());
    });
}
