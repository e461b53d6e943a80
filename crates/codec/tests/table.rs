//! Sound and unsound packets, clause by clause, written from the texts of the standards: see `rows`.

mod rows;

use std::{collections::BTreeSet, path::Path};

use codec::{Frame, Version, Violation, decode, decode_leniently, draft::Draft};
use rows::{Row, full, rows};

#[test]
fn every_row_holds() {
    let rows = rows();
    assert!(rows.len() >= 400, "{} rows", rows.len());
    let wrong = rows.iter().filter_map(judge).collect::<Vec<_>>();
    assert!(
        wrong.is_empty(),
        "{} of {} rows:\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );
}

/// Each clause that a row names is in the register, and each row reads its own version's.
#[test]
fn every_clause_is_known() {
    for row in rows() {
        for part in row.verdict.split(", ").filter(|part| *part != "ok") {
            let (names, _) = part
                .split_once(" @")
                .unwrap_or_else(|| panic!("{}: no offset", row.place));
            for name in names.split('+') {
                let name = full(name, row.version);
                assert!(
                    clauses::ClauseId::parse(&name).is_ok(),
                    "{}: {name}",
                    row.place
                );
            }
        }
    }
}

/// Clauses that no row can break, and why.
const WITHOUT_A_ROW: &[(&str, &[&str])] = &[
    (
        "framing: tests/exhaustive.rs",
        &["v3.1.1/U311-2.2.3-1", "v3.1.1/MQTT-4.8.0-2"],
    ),
    (
        "framing: tests/exhaustive.rs",
        &["v5.0/U50-3.1.2.11.4-2", "v5.0/U50-3.2.2.3.6-2"],
    ),
    (
        "the first packet: tests/first_packet.rs",
        &["v3.1.1/MQTT-3.1.0-1", "v5.0/MQTT-3.1.0-1"],
    ),
    (
        "3.1 does not enforce it",
        &["v3.1/V31-2.1-1", "v3.1/V31-2.2-3", "v3.1/V31-2.2-7"],
    ),
    (
        "3.1 does not enforce it",
        &["v3.1/V31-2.6-1", "v3.1/V31-3.2-1"],
    ),
];

/// Whatever clause the sources can cite, a row breaks it.
#[test]
fn every_clause_that_can_be_cited_has_a_row() {
    let rows = rows();
    let broken = rows.iter().flat_map(|row| {
        let parts = row.verdict.split(", ").filter(|part| *part != "ok");
        parts.flat_map(|part| {
            part.split(" @")
                .next()
                .unwrap_or_default()
                .split('+')
                .map(|name| full(name, row.version))
        })
    });
    let mut known = broken.collect::<BTreeSet<_>>();
    for (_, names) in WITHOUT_A_ROW {
        known.extend(names.iter().map(|name| (*name).to_owned()));
    }
    let cited = cited_in(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
    assert!(cited.len() > 150, "{}", cited.len());
    let missing = cited.difference(&known).collect::<Vec<_>>();
    assert!(missing.is_empty(), "{missing:?}");
    let stale = known.difference(&cited).collect::<Vec<_>>();
    assert!(stale.is_empty(), "{stale:?}");
}

/// The clause names that stand in quotes in the sources.
fn cited_in(folder: &Path) -> BTreeSet<String> {
    let mut cited = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            cited.extend(cited_in(&path));
            continue;
        }
        let source = std::fs::read_to_string(&path).expect("a source");
        let code = source
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            let quoted = line
                .split('"')
                .skip(1)
                .step_by(2)
                .filter(|text| text.starts_with('v'));
            cited.extend(
                quoted
                    .filter(|text| clauses::ClauseId::parse(text).is_ok())
                    .map(str::to_owned),
            );
        }
    }
    cited
}

fn judge(row: &Row) -> Option<String> {
    let Some(frame) = Frame::new(&row.bytes) else {
        return Some(format!("{}: not one frame: {:02x?}", row.place, row.bytes));
    };
    let mut violations = Vec::new();
    let _ = decode_leniently(frame, row.version, row.direction, &mut violations);
    let strict = decode(frame, row.version, row.direction);
    if strict.as_ref().err() != violations.first() {
        return Some(format!("{}: strict reading says {strict:?}", row.place));
    }
    // A draft gathers what repeats, so it need not be the same packet; but it must be sound again.
    if let Ok(packet) = strict {
        let again = Draft::from_packet(&packet, row.version)
            .encode()
            .expect("it was a packet");
        let again =
            Frame::new(&again).map(|frame| decode(frame, row.version, row.direction).is_ok());
        if again != Some(true) {
            return Some(format!("{}: its draft is not sound", row.place));
        }
    }
    let expected = row
        .verdict
        .split(", ")
        .filter(|part| *part != "ok")
        .collect::<Vec<_>>();
    let holds = expected.len() == violations.len()
        && expected
            .iter()
            .zip(&violations)
            .all(|(expected, violation)| agrees(expected, violation, row.version));
    if holds {
        return None;
    }
    let found = violations
        .iter()
        .map(|violation| {
            format!(
                "
      {violation}"
            )
        })
        .collect::<Vec<_>>()
        .concat();
    Some(format!(
        "{}: expected {}, found{}",
        row.place,
        row.verdict,
        if found.is_empty() { " ok" } else { &found }
    ))
}

fn agrees(expected: &str, violation: &Violation, version: Version) -> bool {
    let Some((names, offset)) = expected.split_once(" @") else {
        return false;
    };
    let mut names = names.split('+');
    let clause = names.next().map(|name| full(name, version));
    let also = names.next().map(|name| full(name, version));
    offset.parse() == Ok(violation.offset)
        && clause.as_deref() == Some(violation.clause.name())
        && (also.is_none() || also.as_deref() == violation.also.map(clauses::ClauseId::name))
}
