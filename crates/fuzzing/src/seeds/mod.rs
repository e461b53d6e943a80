//! Seeds for fuzzers, packed: one text file for each corpus, `fuzz/seeds/NAME.seeds`.
//!
//! Each line is a seed: its bytes in hex, then, behind `  # `, where it comes from. Empty lines and lines that begin with
//! `#` say nothing. So a corpus of thousands is one file whose changes can be read, and plain tests replay it without
//! a fuzzer. `cargo run -p mqtt-assay-fuzzing --example corpus` writes the files and unpacks them for libFuzzer, which
//! wants a folder with a file for each.

pub mod frames;
#[cfg(feature = "live")]
pub mod packets;
pub mod sessions;
pub mod topics;

use std::collections::BTreeMap;
use std::fmt::Write;

/// The fuzz targets about packets, which share the corpus `packets`.
pub const PACKET_TARGETS: &[&str] = &[
    "framer",
    "segments",
    "strict_3_1",
    "strict_3_1_1",
    "strict_5_0",
    "lenient",
    "strict_within_lenient",
    "round_trip",
    "differential",
];

/// All fuzz targets that have seeds here.
pub const TARGETS: &[&str] = &[
    "framer",
    "segments",
    "strict_3_1",
    "strict_3_1_1",
    "strict_5_0",
    "lenient",
    "strict_within_lenient",
    "round_trip",
    "differential",
    "malformed",
    "session",
    "topics",
    "scenario",
    "websocket",
];

/// The packed corpora that a target reads: what it shares with others, and what was found by it.
pub fn files<'t>(target: &&'t str) -> impl Iterator<Item = &'t str> {
    let shared = PACKET_TARGETS.contains(target).then_some("packets");
    shared.into_iter().chain([*target])
}

/// What the names begin with of seeds that were added by hand, such as crashes that are mended. They stay when seeds are
/// compiled anew.
pub const ADDED: &str = "mended: ";

/// One input of a fuzz target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seed {
    /// The input.
    pub bytes: Vec<u8>,
    /// Where it comes from, in one line; it may be empty.
    pub name: String,
}

/// A line that is no seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: a seed is pairs of hex digits, then two blanks, `#` and its name")]
pub struct NoSeed {
    /// The line, from 1.
    pub line: usize,
}

/// Reads a packed corpus.
///
/// # Errors
/// A line is no seed.
pub fn read(text: &str) -> Result<Vec<Seed>, NoSeed> {
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(at, line)| {
            let (hex, name) = line.split_once("  # ").unwrap_or((line, ""));
            let bytes = from_hex(hex).ok_or(NoSeed { line: at + 1 })?;
            Ok(Seed {
                bytes,
                name: name.to_owned(),
            })
        })
        .collect()
}

/// Writes a packed corpus: each input once, in the order of their bytes, under the first of its names.
pub fn write(seeds: &[Seed]) -> String {
    let mut known: BTreeMap<&[u8], &str> = BTreeMap::new();
    for seed in seeds {
        known.entry(&seed.bytes).or_insert(&seed.name);
    }
    let mut text = String::new();
    for (bytes, name) in known {
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        if bytes.is_empty() {
            text.push('-');
        }
        if name.is_empty() {
            text.push('\n');
        } else {
            let _ = writeln!(text, "  # {}", name.replace(['\n', '\r'], " "));
        }
    }
    text
}

/// `-` stands for the input without any bytes.
fn from_hex(hex: &str) -> Option<Vec<u8>> {
    if hex == "-" {
        return Some(Vec::new());
    }
    let digits = hex.as_bytes();
    if digits.is_empty() || digits.len() % 2 == 1 {
        return None;
    }
    let digit = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
    };
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(bytes: &[u8], name: &str) -> Seed {
        Seed {
            bytes: bytes.to_vec(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let seeds = [
            seed(&[], "nothing"),
            seed(&[0xC0, 0], ""),
            seed(&[0xD0, 0], "ping/a # b"),
        ];
        let text = write(&seeds);
        assert_eq!(text, "-  # nothing\nc000\nd000  # ping/a # b\n");
        assert_eq!(read(&text).unwrap(), seeds);
    }

    #[test]
    fn a_seed_stands_once() {
        let text = write(&[seed(&[2], "b"), seed(&[1], "a"), seed(&[2], "c")]);
        assert_eq!(text, "01  # a\n02  # b\n");
    }

    #[test]
    fn what_is_no_seed_is_told_with_its_line() {
        for (text, line) in [
            ("c0\nc", 2),
            ("zz", 1),
            ("# a\n\nc0 00", 3),
            ("  # name", 1),
            ("é", 1),
        ] {
            assert_eq!(read(text), Err(NoSeed { line }), "{text}");
        }
        assert_eq!(read("# nothing\n\n").unwrap(), []);
    }
}
