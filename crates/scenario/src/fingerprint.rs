//! [`fingerprint`]: tells whether two texts make the same demands.

use std::fmt::Write as _;

use crate::diagnostic::Diagnostic;
use crate::node::{Kind, Node};
use crate::yaml;

/// What a text says to people alone.
const PROSE: [&str; 2] = ["title", "why"];

/// Sixteen hex digits that stay the same as long as a scenario does: comments, layout, `title` and `why` change nothing.
///
/// # Errors
/// The text is no YAML that could be a scenario.
pub fn fingerprint(text: &str) -> Result<String, Vec<Diagnostic>> {
    let document = yaml::read(text)?;
    let mut canonical = String::with_capacity(text.len());
    write(&document.root, &mut canonical);
    Ok(format!("{:016x}", fnv(canonical.as_bytes())))
}

fn write(node: &Node, out: &mut String) {
    match &node.kind {
        Kind::Null => out.push('~'),
        Kind::Scalar(scalar) => scalar_text(&scalar.text, out),
        Kind::List { items, .. } => {
            out.push('[');
            for item in items {
                write(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Kind::Map { entries, .. } => {
            out.push('{');
            for entry in entries {
                if !PROSE.contains(&entry.key.value.text.as_str()) {
                    scalar_text(&entry.key.value.text, out);
                    out.push(':');
                    write(&entry.value, out);
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
    use super::*;

    const TEXT: &str =
        "title: a\nclauses: [v5.0/MQTT-3.12.4-1]\nclients: [a]\nsteps:\n  - a pings\n";

    fn of(text: &str) -> String {
        fingerprint(text).unwrap()
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
    fn what_is_no_scenario_has_none() {
        assert!(fingerprint("").is_err());
        assert!(fingerprint("a: [").is_err());
    }
}
