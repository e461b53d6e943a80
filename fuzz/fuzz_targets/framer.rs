//! The framer takes a stream apart without losing or inventing a byte.
#![no_main]

#[path = "../src/mutator.rs"]
mod mutator;

mutator::of_packets!();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzing::invariant::framer(bytes));
