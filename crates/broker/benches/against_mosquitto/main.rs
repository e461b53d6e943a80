//! The reference broker and Mosquitto, in turns on the same machine: messages a second, and memory of idle connections.
//!
//! `cargo bench -p mqtt-assay-broker --bench against_mosquitto` prints a table; `-- --rounds 3` and `-- qos` choose. Both
//! brokers run as processes of their own with one thread, listen on loopback, and keep nothing on disk. Each figure is
//! the median of the rounds, in which they take turns. Needs the program `mosquitto`.

#![expect(clippy::unwrap_used, reason = "what goes wrong ends the benchmark")]

mod load;
mod process;

use std::time::Duration;

use load::Load;
use process::{Kind, Process};

const ROUNDS: usize = 5;
const MEASURED: Duration = Duration::from_secs(2);
const IDLE: usize = 10_000;

/// A workload, and how it is called.
const WORKLOADS: [(&str, Load); 4] = [
    (
        "one to one, QoS 0",
        Load {
            qos: 0,
            subscribers: 1,
        },
    ),
    (
        "one to one, QoS 1",
        Load {
            qos: 1,
            subscribers: 1,
        },
    ),
    (
        "one to one, QoS 2",
        Load {
            qos: 2,
            subscribers: 1,
        },
    ),
    (
        "one to 100, QoS 0",
        Load {
            qos: 0,
            subscribers: 100,
        },
    ),
];

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    if arguments == [process::SERVE] {
        process::serve();
        return;
    }
    let rounds = arguments
        .iter()
        .position(|word| word == "--rounds")
        .and_then(|at| arguments.get(at + 1)?.parse().ok())
        .unwrap_or(ROUNDS);
    let chosen = |name: &str| {
        let words: Vec<&String> = arguments
            .iter()
            .filter(|word| !word.starts_with("--") && word.parse::<usize>().is_err())
            .collect();
        words.is_empty() || words.iter().any(|word| name.contains(word.as_str()))
    };
    // The clients of ten thousand connections, and some room; each broker inherits as much.
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        println!("median of {rounds} rounds, messages received a second\n");
        println!(
            "{:<20} {:>12} {:>12} {:>8}",
            "", "mqtt-assay", "mosquitto", "ratio"
        );
        for (name, load) in WORKLOADS.iter().filter(|(name, _)| chosen(name)) {
            let mut rates = [Vec::new(), Vec::new()];
            for round in 0..rounds {
                // Who begins changes, so that neither always finds the machine warm.
                for turn in 0..2 {
                    let kind = Kind::BOTH[(round + turn) % 2];
                    let broker = Process::start(kind);
                    rates[(round + turn) % 2].push(load.measure(broker.address, MEASURED).await);
                }
            }
            let [ours, theirs] = rates.map(median);
            println!(
                "{name:<20} {ours:>12.0} {theirs:>12.0} {:>8.2}",
                ours / theirs
            );
        }
        if chosen("idle") {
            assert!(files > 100 + IDLE as u64, "only {files} files may be open");
            for kind in Kind::BOTH {
                let broker = Process::start(kind);
                let before = broker.memory();
                let idle = load::idle(broker.address, IDLE).await;
                let after = broker.memory();
                let each = (after - before) / idle.len() as u64;
                println!(
                    "\n{IDLE} idle connections to {kind}: {each} bytes each ({} MiB in all)",
                    after >> 20
                );
            }
        }
    });
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
