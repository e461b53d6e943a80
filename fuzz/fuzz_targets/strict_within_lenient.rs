//! What strict decoding accepts, lenient decoding reads the same; what it refuses, lenient decoding tells first.
#![no_main]

#[path = "../src/mutator.rs"]
mod mutator;

mutator::of_packets!();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzing::invariant::strict_within_lenient(bytes));
