//! The borders of WebSocket frames mean nothing.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzing::invariant::websocket(bytes));
