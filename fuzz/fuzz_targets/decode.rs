//! Strict and lenient reading of any bytes agree, and what is accepted can be written back.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzing::invariant::decode(bytes));
