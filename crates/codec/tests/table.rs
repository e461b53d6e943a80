//! Sound and unsound packets, clause by clause, written from the texts of the standards.
//!
//! Each file in `table/` is about one packet. A heading names version and direction; a row gives the
//! verdict and the bytes:
//!
//! ```text
//! ## v5.0 to server
//! ok                        30 | "t" [] 'payload'            a comment
//! MQTT-3.3.1-4 @0           36 | "t" 00 01 [] 'payload'
//! ```
//!
//! The verdict is `ok`, or every violation in the order in which a lenient reading meets them, each with the
//! offset of its first byte; the strict reading must end with the first. `A+B` says that B is the general
//! statement beside A. Of the bytes, `|` stands for the Remaining Length of what follows, `"…"` for text
//! behind its length, `'…'` for text without, `[…]` for bytes behind their Variable Byte Integer, and
//! `80*ff` for a byte that repeats (here 80 times 0xFF).

use codec::{Direction, Frame, Version, Violation, decode, decode_leniently};

struct Row {
    place: String,
    version: Version,
    direction: Direction,
    verdict: String,
    bytes: Vec<u8>,
}

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
        .map(|violation| format!("\n      {violation}"))
        .collect::<String>();
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
        && (also.is_none() || also.as_deref() == violation.also.map(|clause| clause.name()))
}

fn full(name: &str, version: Version) -> String {
    if name.contains('/') {
        name.to_owned()
    } else {
        format!("{version}/{name}")
    }
}

fn rows() -> Vec<Row> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/table");
    let mut files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect::<Vec<_>>();
    files.sort();
    files.iter().flat_map(|file| read(file)).collect()
}

fn read(file: &std::path::Path) -> Vec<Row> {
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let mut heading = None;
    let mut rows = Vec::new();
    for (number, line) in std::fs::read_to_string(file).unwrap().lines().enumerate() {
        let place = format!("{name}:{}", number + 1);
        if let Some(text) = line.strip_prefix("## ") {
            let (version, direction) = text
                .split_once(' ')
                .unwrap_or_else(|| panic!("{place}: heading"));
            let direction = Direction::ALL
                .into_iter()
                .find(|known| known.name() == direction);
            heading = Some((
                version.parse().unwrap(),
                direction.unwrap_or_else(|| panic!("{place}: direction")),
            ));
            continue;
        }
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let (version, direction) = heading.unwrap_or_else(|| panic!("{place}: no heading yet"));
        let (verdict, rest) = line
            .split_once("  ")
            .unwrap_or_else(|| panic!("{place}: two blanks after the verdict"));
        let bytes = bytes(rest.trim(), &place);
        rows.push(Row {
            place,
            version,
            direction,
            verdict: verdict.trim().to_owned(),
            bytes,
        });
    }
    rows
}

/// The bytes of a row; its comment begins behind a `#` that stands by itself.
fn bytes(notation: &str, place: &str) -> Vec<u8> {
    let mut tokens = Tokens {
        rest: notation,
        place,
    };
    let mut bytes = tokens.sequence();
    if tokens.rest.starts_with('|') {
        tokens.rest = &tokens.rest[1..];
        let body = tokens.sequence();
        bytes.extend(variable_byte_integer(body.len()));
        bytes.extend(body);
    }
    assert!(
        tokens.rest.is_empty() || tokens.rest.starts_with('#'),
        "{place}: left over {}",
        tokens.rest
    );
    bytes
}

struct Tokens<'t> {
    rest: &'t str,
    place: &'t str,
}

impl Tokens<'_> {
    fn sequence(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            match self.rest.chars().next() {
                None | Some('|' | ']' | '#') => return bytes,
                Some('[') => {
                    self.rest = &self.rest[1..];
                    let inner = self.sequence();
                    self.rest = self
                        .rest
                        .strip_prefix(']')
                        .unwrap_or_else(|| panic!("{}: ]", self.place));
                    bytes.extend(variable_byte_integer(inner.len()));
                    bytes.extend(inner);
                }
                Some(quote @ ('"' | '\'')) => {
                    let (text, rest) = self.rest[1..]
                        .split_once(quote)
                        .unwrap_or_else(|| panic!("{}: quote", self.place));
                    self.rest = rest;
                    if quote == '"' {
                        bytes.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
                    }
                    bytes.extend(text.bytes());
                }
                Some(_) => {
                    let end = self.rest.find([' ', ']', '|']).unwrap_or(self.rest.len());
                    let (token, rest) = self.rest.split_at(end);
                    self.rest = rest;
                    let (times, hex) = token.split_once('*').unwrap_or(("1", token));
                    let byte = u8::from_str_radix(hex, 16)
                        .unwrap_or_else(|_| panic!("{}: {token}", self.place));
                    bytes.extend(std::iter::repeat_n(byte, times.parse().unwrap()));
                }
            }
        }
    }
}

fn variable_byte_integer(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7F).unwrap();
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
