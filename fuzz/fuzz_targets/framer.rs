//! The framer takes a stream apart without losing or inventing a byte.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzing::invariant::framer(bytes));
