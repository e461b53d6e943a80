//! Lenient decoding reads what there is, and people can be shown all of it.
#![no_main]

#[path = "../src/mutator.rs"]
mod mutator;

mutator::of_packets!();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzing::invariant::lenient(bytes));
