//! Every seed and every past crash of the fuzz targets still holds, without a fuzzer.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::panic::{RefUnwindSafe, catch_unwind};
use std::path::Path;

fn replay(target: &str, invariant: impl Fn(&[u8]) + RefUnwindSafe) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let seeds: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(!seeds.is_empty(), "{} has no seeds", folder.display());
    for seed in seeds {
        let bytes = fs::read(&seed).unwrap();
        assert!(
            catch_unwind(|| invariant(&bytes)).is_ok(),
            "{}",
            seed.display()
        );
    }
}

#[test]
fn the_framer_loses_no_byte() {
    replay("framer", fuzzing::invariant::framer);
}

#[test]
fn strict_and_lenient_reading_agree() {
    replay("decode", fuzzing::invariant::decode);
}

#[test]
fn they_agree_about_lies() {
    replay("malformed", fuzzing::invariant::malformed);
}
