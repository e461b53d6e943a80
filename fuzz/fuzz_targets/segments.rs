//! Packets come out of a stream the same however it is cut.
#![no_main]

#[path = "../src/mutator.rs"]
mod mutator;

mutator::of_packets!();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzing::invariant::segments(bytes));
