//! Independent codecs come to our verdicts, or the difference is explained by clause.
#![no_main]

use std::sync::Once;

use codec::Frame;
use fuzzing::mutate::Input;
use peers::differences::{Difference, compare};

#[path = "../src/mutator.rs"]
mod mutator;
#[path = "../../crates/codec/tests/peers/mod.rs"]
#[allow(dead_code, reason = "the table test looks at more of it")]
mod peers;

mutator::of_packets!();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // Some of the peers panic on malformed packets. That is no finding here, and libFuzzer's hook would take it for one.
    static QUIET: Once = Once::new();
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    let input = Input::from_bytes(bytes);
    for packet in input
        .packets
        .iter()
        .filter(|packet| Frame::new(packet).is_some())
    {
        for (_, difference) in compare(packet, input.version, input.direction) {
            if let Some(Difference::Unexplained(what)) = difference {
                eprintln!("{what}: {packet:02x?}, {}", input.direction);
                std::process::abort();
            }
        }
    }
});
