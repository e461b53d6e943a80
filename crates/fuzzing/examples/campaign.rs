//! Plays scripts out of consecutive seeds on the broker's core and prints what the oracle finds, each class once and
//! made as small as can be. `cargo run --release -p mqtt-assay-fuzzing --example campaign -- 0 1000000`
#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "an example stops at the first surprise"
)]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use broker::Config;
use fuzzing::embedded;
use fuzzing::minimise::minimise;
use fuzzing::observe::{Transcript, What};
use fuzzing::oracle::{Finding, Oracle, Strictness};
use fuzzing::script::{Mix, Script};

fn play(script: &Script) -> Vec<Finding> {
    let mut oracle = Oracle::new(Strictness::Exact);
    match catch_unwind(AssertUnwindSafe(|| {
        embedded::play(script, Config::default(), &mut oracle);
    })) {
        Ok(()) => oracle.take_findings(),
        Err(_) => vec![Finding {
            rule: "panic",
            clause: None,
            client: None,
            message: "the core panicked".into(),
        }],
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let first: u64 = arguments.next().map_or(0, |text| text.parse().unwrap());
    let count: u64 = arguments
        .next()
        .map_or(100_000, |text| text.parse().unwrap());
    let mix = Mix::default();
    let mut seen = BTreeMap::<String, u64>::new();
    let (begun, mut steps) = (Instant::now(), 0);
    for seed in first..first + count {
        let script = Script::from_seed(seed, &mix);
        steps += script.steps.len();
        for finding in play(&script) {
            let class = finding.class();
            let times = seen.entry(class.clone()).or_insert(0);
            *times += 1;
            if *times > 1 {
                continue;
            }
            let smallest = minimise(script.clone(), |script| {
                play(script).iter().any(|other| other.class() == class)
            });
            println!("--- seed {seed}: {finding}");
            let mut transcript = Transcript::default();
            let _ = catch_unwind(AssertUnwindSafe(|| {
                embedded::play(&smallest, Config::default(), &mut transcript);
            }));
            for entry in &transcript.entries {
                let (at, client) = (entry.at.as_secs(), entry.client);
                match &entry.what {
                    What::Sent(bytes) => println!("{at:4}s {client} -> {}", bytes.escape_ascii()),
                    What::Received(bytes) => {
                        println!("{at:4}s {client} <- {}", bytes.escape_ascii());
                    }
                    What::Settled => {}
                    what => println!("{at:4}s {client} {what:?}"),
                }
            }
            for finding in play(&smallest) {
                println!("=> {finding}");
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{count} scripts of {:.1} steps in {seconds:.1} s: {:.0} a second; {seen:#?}",
        steps as f64 / count as f64,
        count as f64 / seconds
    );
}
