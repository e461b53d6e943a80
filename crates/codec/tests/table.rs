//! Sound and unsound packets, clause by clause, written from the texts of the standards: see `rows`.

mod rows;

use codec::{Frame, Version, Violation, decode, decode_leniently};
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
