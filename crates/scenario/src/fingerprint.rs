//! [`fingerprint`]: tells whether two texts make the same demands.

use std::fmt::Write as _;

use crate::diagnostic::Diagnostic;
use crate::node::{Kind, Node};
use crate::parse::Files;
use crate::yaml;

/// What a text says to people alone.
const PROSE: [&str; 2] = ["title", "why"];

/// What names a file beside the scenario.
const FILE: &str = "file";

/// Sixteen hex digits that stay the same as long as a scenario does: comments, layout, `title` and `why` change nothing;
/// the contents of the files that it sends and expects do. One that cannot be read counts as empty: reading the scenario
/// tells it.
///
/// # Errors
/// The text is no YAML that could be a scenario.
pub fn fingerprint(text: &str, files: &Files<'_>) -> Result<String, Vec<Diagnostic>> {
    let document = yaml::read(text)?;
    let mut canonical = String::with_capacity(text.len());
    write(&document.root, files, &mut canonical);
    Ok(format!("{:016x}", fnv(canonical.as_bytes())))
}

fn write(node: &Node, files: &Files<'_>, out: &mut String) {
    match &node.kind {
        Kind::Null => out.push('~'),
        Kind::Scalar(scalar) => scalar_text(&scalar.text, out),
        Kind::List { items, .. } => {
            out.push('[');
            for item in items {
                write(item, files, out);
                out.push(',');
            }
            out.push(']');
        }
        Kind::Map { entries, .. } => {
            out.push('{');
            for entry in entries {
                let key = &entry.key.value.text;
                if !PROSE.contains(&key.as_str()) {
                    scalar_text(key, out);
                    out.push(':');
                    write(&entry.value, files, out);
                    if let (FILE, Kind::Scalar(name)) = (key.as_str(), &entry.value.kind) {
                        let contents = files(&name.text).unwrap_or_default();
                        let _ = write!(out, "={:016x}", fnv(&contents));
                    }
                    out.push(',');
                }
            }
            out.push('}');
        }
    }
}

/// Its length stands before it, so that no text can pass for structure.
fn scalar_text(text: &str, out: &mut String) {
    let _ = write!(out, "{}'{text}", text.len());
}

/// The hash of Fowler, Noll and Vo (FNV-1a, 64 bits): short, and the same in every version of every compiler.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    const TEXT: &str =
        "title: a\nclauses: [v5.0/MQTT-3.12.4-1]\nclients: [a]\nsteps:\n  - a pings\n";

    fn of(text: &str) -> String {
        fingerprint(text, &|_| Err(io::ErrorKind::NotFound.into())).unwrap()
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn only_what_is_demanded_counts() {
        let other_words = "# Why not.\ntitle: b\nwhy: c\nclauses:\n  - v5.0/MQTT-3.12.4-1\nclients: [ 'a' ]\nsteps:\n  - a pings\n";
        assert_eq!(of(TEXT), of(other_words));
        for other in [
            TEXT.replace("4-1", "4-2"),
            TEXT.replace("- a pings", "- a pings\n  - a pings"),
            TEXT.replace("clients", "alone: true\nclients"),
            TEXT.replace("[a]", "a"),
        ] {
            assert_ne!(of(TEXT), of(&other), "{other}");
        }
    }

    #[test]
    fn what_a_payload_file_holds_counts() {
        let text = TEXT.replace(
            "a pings",
            "a publishes: { topic: <t>, payload: { file: p.bin } }",
        );
        let with = |contents: &[u8]| fingerprint(&text, &|_| Ok(contents.to_vec())).unwrap();
        assert_eq!(with(b"one"), with(b"one"));
        assert_ne!(with(b"one"), with(b"two"));
        assert_ne!(with(b"one"), with(b""));
    }

    #[test]
    fn what_is_no_scenario_has_none() {
        let of = |text| fingerprint(text, &|_| Ok(Vec::new()));
        assert!(of("").is_err());
        assert!(of("a: [").is_err());
    }
}
