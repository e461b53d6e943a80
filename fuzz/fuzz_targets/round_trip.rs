//! What is accepted is written again to the same meaning, and any frame is kept byte for byte.
#![no_main]

#[path = "../src/mutator.rs"]
mod mutator;

mutator::of_packets!();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzing::invariant::round_trip(bytes));
