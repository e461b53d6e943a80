//! Reads the rows of `table/`: sound and unsound packets with their verdicts.
//!
//! Each file is about one packet. A heading names version and direction; a row gives the verdict and the bytes:
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
#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]
#![allow(dead_code, reason = "not every test looks at every part of a row")]

use codec::{Direction, Version};

pub(crate) struct Row {
    /// File and line.
    pub(crate) place: String,
    pub(crate) version: Version,
    pub(crate) direction: Direction,
    pub(crate) verdict: String,
    pub(crate) bytes: Vec<u8>,
}

/// The clause's full name: a row leaves out its own version.
pub(crate) fn full(name: &str, version: Version) -> String {
    if name.contains('/') {
        name.to_owned()
    } else {
        format!("{version}/{name}")
    }
}

pub(crate) fn rows() -> Vec<Row> {
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
