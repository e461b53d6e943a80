//! Strict decoding of MQTT 3.1 takes any bytes, and accounts for what it refuses.
#![no_main]

#[path = "../src/mutator.rs"]
mod mutator;

mutator::of_packets!();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzing::invariant::strict(codec::Version::V3_1, bytes));
