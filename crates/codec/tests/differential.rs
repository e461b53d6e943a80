//! Our verdicts against those of independent codecs: every difference is explained, by clause.
//!
//! The packets are the rows of the table, each sound row with each of its bytes changed in several ways, and the seeds of
//! the fuzz target that asks the same.
//! A difference that no explanation covers is a bug: ours, or one of theirs that belongs on the list.

mod peers;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use codec::{Direction, Version};
use peers::{
    NOT_CHECKED, Peer,
    differences::{Difference, REFUSALS, compare},
};
use rows::rows;

#[derive(Default)]
struct Differences {
    compared: usize,
    unexplained: BTreeMap<String, Vec<String>>,
    /// The explanations that were needed: of what a peer refuses, and of what it lets pass.
    refused: BTreeSet<&'static str>,
    passed: BTreeSet<(Peer, &'static str)>,
}

impl Differences {
    fn look(&mut self, bytes: &[u8], version: Version, direction: Direction, place: &str) {
        for (peer, difference) in compare(bytes, version, direction) {
            self.compared += 1;
            match difference {
                None => {}
                Some(Difference::Refused(why)) => {
                    self.refused.insert(why);
                }
                Some(Difference::Passed(clause)) => {
                    self.passed.insert((peer, clause));
                }
                Some(Difference::Unexplained(what)) => self
                    .unexplained
                    .entry(what)
                    .or_default()
                    .push(format!("{place} {bytes:02x?}")),
            }
        }
    }
}

#[test]
fn every_difference_is_explained_and_every_explanation_needed() {
    // Some of the peers panic on malformed packets; their traces are no news.
    std::panic::set_hook(Box::new(|_| {}));
    let mut differences = Differences::default();
    for row in rows() {
        differences.look(&row.bytes, row.version, row.direction, &row.place);
        if row.verdict != "ok" {
            continue;
        }
        for place in (0..row.bytes.len()).filter(|place| *place != 1) {
            for change in [
                0,
                1,
                2,
                0x20,
                0x7F,
                0x80,
                0xFF,
                row.bytes[place] ^ 1,
                row.bytes[place] ^ 4,
            ] {
                let mut bytes = row.bytes.clone();
                bytes[place] = change;
                let place = format!("{}, byte {place}", row.place);
                differences.look(&bytes, row.version, row.direction, &place);
            }
        }
    }
    for (number, (version, direction, packet)) in seeds().into_iter().enumerate() {
        differences.look(&packet, version, direction, &format!("seed {number}"));
    }
    let _ = std::panic::take_hook();
    assert!(differences.compared > 50_000, "{}", differences.compared);
    let report = differences.unexplained.iter().map(|(what, places)| {
        format!(
            "{what}: {} times, such as\n      {}",
            places.len(),
            places[..places.len().min(4)].join("\n      ")
        )
    });
    let report = report.collect::<Vec<_>>();
    assert!(
        report.is_empty(),
        "{} kinds:\n{}",
        report.len(),
        report.join("\n")
    );
    for refusal in REFUSALS {
        assert!(
            differences.refused.contains(refusal.why),
            "not needed: {}",
            refusal.why
        );
    }
    for (peer, clauses) in NOT_CHECKED {
        for clause in *clauses {
            assert!(
                differences.passed.contains(&(*peer, clause)),
                "not needed: {peer:?} {clause}"
            );
        }
    }
}

/// Packet by packet, what stands in the packed corpora of the fuzz target `differential`.
fn seeds() -> Vec<(Version, Direction, Vec<u8>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    fuzzing::seeds::files(&"differential")
        .filter_map(|name| std::fs::read_to_string(folder.join(format!("{name}.seeds"))).ok())
        .flat_map(|text| fuzzing::seeds::read(&text).expect("a packed corpus"))
        .flat_map(|seed| {
            let input = fuzzing::mutate::Input::from_bytes(&seed.bytes);
            let (version, direction) = (input.version, input.direction);
            let packets = input.packets.into_iter();
            packets.map(move |packet| (version, direction, packet))
        })
        .collect()
}
