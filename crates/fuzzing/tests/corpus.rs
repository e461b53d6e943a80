//! Every seed and every past crash of the fuzz targets still holds, without a fuzzer.
//!
//! The seeds of `differential` are replayed by the codec's own tests, which have the codecs to compare with.

use std::fs;
use std::panic::{RefUnwindSafe, catch_unwind};
use std::path::Path;

use codec::Version;
use fuzzing::oracle::Strictness;
use fuzzing::{invariant, seeds};

fn packed(name: &str) -> Vec<seeds::Seed> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/seeds")
        .join(format!("{name}.seeds"));
    let Ok(text) = fs::read_to_string(&file) else {
        return Vec::new();
    };
    seeds::read(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn replay(target: &str, invariant: impl Fn(&[u8]) + RefUnwindSafe) {
    assert!(seeds::TARGETS.contains(&target), "{target}");
    let seeds = seeds::files(&target).flat_map(packed).collect::<Vec<_>>();
    assert!(!seeds.is_empty(), "{target} has no seeds");
    for seed in seeds {
        assert!(
            catch_unwind(|| invariant(&seed.bytes)).is_ok(),
            "{target}: {} {:02x?}",
            seed.name,
            seed.bytes
        );
    }
}

#[test]
fn there_are_enough_seeds() {
    for (name, least) in [("packets", 2_000), ("session", 300)] {
        let count = packed(name).len();
        assert!(count >= least, "{name}: {count}");
    }
}

#[test]
fn the_framer_loses_no_byte() {
    replay("framer", invariant::framer);
}

#[test]
fn packets_come_out_however_the_stream_is_cut() {
    replay("segments", invariant::segments);
}

#[test]
fn strict_decoding_takes_any_bytes() {
    replay("strict_3_1", |bytes| {
        invariant::strict(Version::V3_1, bytes);
    });
    replay("strict_3_1_1", |bytes| {
        invariant::strict(Version::V3_1_1, bytes);
    });
    replay("strict_5_0", |bytes| {
        invariant::strict(Version::V5_0, bytes);
    });
}

#[test]
fn lenient_decoding_takes_any_bytes() {
    replay("lenient", invariant::lenient);
}

#[test]
fn strict_and_lenient_reading_agree() {
    replay("strict_within_lenient", invariant::strict_within_lenient);
}

#[test]
fn they_agree_about_lies() {
    replay("malformed", invariant::malformed);
}

#[test]
fn what_is_read_is_written_again() {
    replay("round_trip", invariant::round_trip);
}

#[test]
fn the_core_and_the_oracle_agree_about_sessions() {
    replay("session", fuzzing::session::holds);
}

/// What a target over a network may do includes what the core does.
#[test]
fn who_judges_safety_alone_agrees_as_well() {
    replay("session", |bytes| {
        let explained = fuzzing::session::explain(bytes, Strictness::Safety);
        assert!(explained.is_none(), "{}", explained.unwrap());
    });
}

#[test]
fn topics_match_as_a_naive_matcher_says() {
    replay("topics", invariant::topics);
}

#[cfg(feature = "live")]
#[test]
fn the_borders_of_frames_mean_nothing() {
    replay("websocket", invariant::websocket);
}

/// The scenarios themselves are the seeds of the scenario parser; a text with a byte cut out is another.
#[test]
fn any_text_is_a_scenario_or_told_what_is_wrong_with_it() {
    for seed in packed("scenario") {
        invariant::scenario(&seed.bytes);
    }
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut count = 0;
    for chapter in fs::read_dir(scenarios)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if !chapter.is_dir() {
            continue;
        }
        for file in fs::read_dir(chapter)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|file| file.extension().is_some_and(|kind| kind == "yaml"))
        {
            let text = fs::read(&file).unwrap();
            invariant::scenario(&text);
            let mut cut = text.clone();
            cut.remove(text.len() / 2);
            invariant::scenario(&cut);
            count += 1;
        }
    }
    assert!(count > 100, "{count} scenarios");
}
