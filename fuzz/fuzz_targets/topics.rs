//! The broker delivers what a naive matcher would.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzing::invariant::topics(bytes));
