//! Plays the scripts of many seeds on the core, as the fuzz target `session` does, and tells each that breaks it as the
//! smallest scenario that still does: `cargo run --release -p mqtt-assay-fuzzing --no-default-features --example scan
//! [FIRST [COUNT [FOLDER]]]`, a million from seed 0 where nothing is said. The smallest scripts are written into the folder,
//! for `corpus add session`. Exit status 1 where one broke it.
#![allow(clippy::unwrap_used, reason = "an example stops at the first surprise")]

use std::panic::catch_unwind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use fuzzing::script::{Mix, Script};
use fuzzing::session;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let first: u64 = arguments.next().map_or(0, |text| text.parse().unwrap());
    let count = arguments
        .next()
        .map_or(1_000_000, |text| text.parse().unwrap());
    let folder = arguments.next().map(PathBuf::from);
    let (begun, mut broke) = (Instant::now(), 0);
    for seed in first..first + count {
        let bytes = Script::from_seed(seed, &Mix::default()).to_bytes();
        match catch_unwind(|| session::explain(&bytes)) {
            Ok(None) => continue,
            Ok(Some(explained)) => {
                println!("seed {seed}: {explained}");
                if let Some(folder) = &folder {
                    let smallest = explained.smallest.to_bytes();
                    std::fs::write(folder.join(seed.to_string()), smallest).unwrap();
                }
            }
            Err(_) => println!("seed {seed} makes the core panic"),
        }
        broke += 1;
    }
    println!("{broke} of {count} in {:.0?}", begun.elapsed());
    ExitCode::from(u8::from(broke > 0))
}
