//! Plays many scripts on the core, as the fuzz target `session` does, judges each as strictly as can be and as a target over
//! a network, and tells each that breaks the core as the smallest scenario that still does:
//! `cargo run --release -p mqtt-assay-fuzzing --no-default-features --example scan made|bred [FIRST [COUNT [FOLDER]]]`,
//! a million from number 0 where nothing is said.
//!
//! Scripts are `made` of their number, or `bred` from the seeds of the fuzz target: joined and changed, as their number says,
//! twenty times as fast as libFuzzer does it and with no idea of what is new. The smallest that break the core are written
//! into the folder, for `corpus add session`. Exit status 1 where one broke it.
#![allow(clippy::unwrap_used, reason = "an example stops at the first surprise")]

use std::panic::catch_unwind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use fuzzing::oracle::Strictness;
use fuzzing::script::{Mix, Script};
use fuzzing::{seeds, session};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let script = match arguments.next().as_deref() {
        Some("made") => made,
        Some("bred") => bred,
        _ => {
            eprintln!("say `made` or `bred`");
            return ExitCode::from(2);
        }
    };
    let first: u64 = arguments.next().map_or(0, |text| text.parse().unwrap());
    let count = arguments
        .next()
        .map_or(1_000_000, |text| text.parse().unwrap());
    let folder = arguments.next().map(PathBuf::from);
    let seeds = seeds::read(include_str!("../../../fuzz/seeds/session.seeds")).unwrap();
    let seeds: Vec<_> = seeds.into_iter().map(|seed| seed.bytes).collect();
    let (begun, mut broke) = (Instant::now(), 0);
    for number in first..first + count {
        let bytes = script(number, &seeds);
        for strictness in [Strictness::Exact, Strictness::Safety] {
            match catch_unwind(|| session::explain(&bytes, strictness)) {
                Ok(None) => continue,
                Ok(Some(explained)) => {
                    println!("{number}, {strictness:?}: {explained}");
                    if let Some(folder) = &folder {
                        let smallest = explained.smallest.to_bytes();
                        std::fs::write(folder.join(number.to_string()), smallest).unwrap();
                    }
                }
                Err(_) => println!("{number} makes the core panic"),
            }
            broke += 1;
        }
    }
    println!("{broke} of {count} in {:.0?}", begun.elapsed());
    ExitCode::from(u8::from(broke > 0))
}

fn made(number: u64, _: &[Vec<u8>]) -> Vec<u8> {
    Script::from_seed(number, &Mix::default()).to_bytes()
}

fn bred(number: u64, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(number);
    let mut one = || match random.choice(seeds) {
        Some(seed) if random.u8(..) < 128 => seed.clone(),
        _ => made(random.u64(..), seeds),
    };
    let mut bytes = session::joined(&one(), &one(), number);
    for _ in 0..random.u8(..6) {
        bytes = session::mutated(&bytes, random.u64(..));
    }
    bytes
}
