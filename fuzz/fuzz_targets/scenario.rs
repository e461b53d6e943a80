//! Any text is a scenario, or is told what is wrong with it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzing::invariant::scenario(bytes));
