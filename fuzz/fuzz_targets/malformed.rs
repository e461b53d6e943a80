//! Strict and lenient reading agree about packets that lie.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzing::invariant::malformed(bytes));
