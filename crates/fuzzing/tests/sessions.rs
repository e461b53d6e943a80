//! Every seed of the fuzz target `session`, and every script that once broke something, still holds.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

#[test]
fn every_session_holds() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/session.seeds");
    let text = fs::read_to_string(path).unwrap();
    let mut broken = Vec::new();
    let mut count = 0;
    for line in text.lines() {
        let (hex, name) = line.split_once("  # ").unwrap_or((line, ""));
        let bytes: Vec<u8> = hex
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        count += 1;
        if catch_unwind(|| fuzzing::session::holds(&bytes)).is_err() {
            broken.push(name);
        }
    }
    assert!(count >= 300, "{count} seeds");
    assert!(broken.is_empty(), "{broken:#?}");
}
