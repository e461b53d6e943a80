//! Hunts each fault of the self-test and prints what was found. `cargo run --release -p mqtt-assay-fuzzing --example
//! self_test -- 5 1000` gives each five seconds, from seed 1000.
#![allow(clippy::unwrap_used, reason = "an example stops at the first surprise")]

use std::time::Duration;

use fuzzing::script::Mix;
use fuzzing::self_test;

fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().map_or(5.0, |text| text.parse().unwrap());
    let first = arguments.next().map_or(0, |text| text.parse().unwrap());
    let mut outcomes = Vec::new();
    for fault in self_test::faults() {
        let outcome = self_test::hunt(
            fault,
            &Mix::default(),
            first,
            Duration::from_secs_f64(seconds),
        );
        match &outcome.found {
            Some(found) => println!("{fault}: {} scripts: {}", outcome.scripts, found.finding),
            None => println!("{fault}: NOT FOUND in {} scripts", outcome.scripts),
        }
        outcomes.push(outcome);
    }
    let found = outcomes.iter().filter(|outcome| outcome.found.is_some());
    println!(
        "{} of {} found, median {:?}",
        found.count(),
        outcomes.len(),
        self_test::median(&outcomes)
    );
}
