//! The words of MQTT's wire, for fuzzers: generated from the codec's tables, so that none is missing.
//!
//! `fuzz/mqtt.dict` holds [`text()`] in libFuzzer's notation; a test keeps the two equal.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::LazyLock;

use codec::draft::{Draft, Value, property_field, sample};
use codec::{DataType, PacketType, PropertyId, PropertyOwner, ReasonCode, Version};

/// A word of the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is: lower-case letters, digits and `_`, and no other has it.
    pub name: String,
    /// How it is written, in at most 64 bytes: libFuzzer takes no longer ones.
    pub bytes: Vec<u8>,
}

/// The most bytes that libFuzzer takes as one word.
const LONGEST: usize = 64;

/// Texts that topics, filters and names are made of, with and without what the standard forbids.
pub(crate) const TEXTS: &[(&str, &[u8])] = &[
    ("empty", b""),
    ("level", b"a"),
    ("levels", b"a/b"),
    ("separator", b"/"),
    ("multi_level_wildcard", b"#"),
    ("single_level_wildcard", b"+"),
    ("all_below", b"a/#"),
    ("any_then_level", b"+/b"),
    ("wildcard_within_level", b"a+"),
    ("wildcard_before_the_end", b"#/a"),
    ("system_topic", b"$SYS/a"),
    ("shared", b"$share/g/a"),
    ("shared_without_name", b"$share//a"),
    ("shared_without_filter", b"$share/g"),
    ("null", b"\0"),
    ("not_utf8", b"\xFF"),
    ("surrogate", b"\xED\xA0\x80"),
    ("overlong", b"\xC0\x80"),
    ("cut_off", b"\xE2\x82"),
    ("beyond_unicode", b"\xF4\x90\x80\x80"),
    ("byte_order_mark", b"\xEF\xBB\xBF"),
    ("noncharacter", b"\xEF\xBF\xBF"),
    ("control_character", b"\x01"),
    ("two_bytes", b"\xC3\xA4"),
    ("four_bytes", b"\xF0\x9F\x98\x80"),
];

/// Variable Byte Integers at the edges of their widths, in too many bytes, and in five.
const INTEGERS: &[(&str, &[u8])] = &[
    ("127", &[0x7F]),
    ("128", &[0x80, 0x01]),
    ("16383", &[0xFF, 0x7F]),
    ("16384", &[0x80, 0x80, 0x01]),
    ("2097151", &[0xFF, 0xFF, 0x7F]),
    ("2097152", &[0x80, 0x80, 0x80, 0x01]),
    ("268435455", &[0xFF, 0xFF, 0xFF, 0x7F]),
    ("0_in_two", &[0x80, 0x00]),
    ("0_in_three", &[0x80, 0x80, 0x00]),
    ("0_in_four", &[0x80, 0x80, 0x80, 0x00]),
    ("in_five", &[0x80, 0x80, 0x80, 0x80, 0x01]),
    ("without_end", &[0xFF, 0xFF, 0xFF, 0xFF]),
];

/// Connect Flags and Subscription Options, sound and reserved.
const FLAGS: &[(&str, &[u8])] = &[
    ("clean_start", &[0x02]),
    ("user_name_and_password", &[0xC2]),
    ("password_alone", &[0x42]),
    ("will", &[0x06]),
    ("will_qos_1", &[0x0E]),
    ("will_qos_2", &[0x16]),
    ("will_qos_3", &[0x1E]),
    ("will_retain", &[0x26]),
    ("will_retain_alone", &[0x22]),
    ("reserved_flag", &[0x03]),
    ("no_local", &[0x04]),
    ("retain_as_published", &[0x08]),
    ("retain_handling_1", &[0x10]),
    ("retain_handling_2", &[0x20]),
    ("retain_handling_3", &[0x30]),
    ("reserved_options", &[0xC0]),
];

/// Every word, each once.
pub fn entries() -> &'static [Entry] {
    static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(collect);
    &ENTRIES
}

/// The dictionary in libFuzzer's notation.
pub fn text() -> String {
    let mut text = String::from(
        "# The words of MQTT's wire, written by `cargo run -p mqtt-assay-fuzzing --example corpus compile`.\n",
    );
    for Entry { name, bytes } in entries() {
        let _ = write!(text, "{name}=\"");
        for byte in bytes {
            let _ = write!(text, "\\x{byte:02X}");
        }
        text.push_str("\"\n");
    }
    text
}

fn collect() -> Vec<Entry> {
    let mut words = Words::default();
    for packet_type in PacketType::ALL {
        let first = packet_type.value() << 4 | packet_type.reserved_flags().unwrap_or_default();
        words.add(&format!("{packet_type}_first_byte"), &[first]);
    }
    for flags in 1..16 {
        words.add(&format!("publish_flags_{flags:04b}"), &[0x30 | flags]);
    }
    words.add("reserved_packet_type", &[0]);
    for version in Version::ALL {
        for packet_type in PacketType::ALL {
            if packet_type.exists_in(version)
                && let Ok(packet) = Draft::new(packet_type, version).encode()
            {
                words.add(&format!("{packet_type}_{version}"), &packet);
            }
        }
        let name = version.protocol_name().as_bytes();
        let length = [0, u8::try_from(name.len()).unwrap_or_default()];
        words.add(
            &format!("protocol_{version}"),
            &[&length, name, &[version.level()]].concat(),
        );
    }
    for id in PropertyId::ALL {
        let name = format!("property_{}", id.field());
        words.add(&format!("{name}_identifier"), &[id.identifier()]);
        if let Some(property) = property(id, sample(id)) {
            words.add(&name, &property);
        }
        let is_number = matches!(
            id.data_type(),
            DataType::Byte
                | DataType::TwoByteInteger
                | DataType::FourByteInteger
                | DataType::VariableByteInteger
        );
        if is_number && let Some(property) = property(id, Value::Number(0)) {
            words.add(&format!("{name}_0"), &property);
        }
    }
    for name in ReasonCode::names() {
        if let Some(ReasonCode(code)) = ReasonCode::from_name(name) {
            words.add(&format!("reason_{name}"), &[code]);
        }
    }
    for (name, integer) in INTEGERS {
        words.add(&format!("integer_{name}"), integer);
    }
    for (name, flags) in FLAGS {
        words.add(&format!("flags_{name}"), flags);
    }
    for (name, text) in TEXTS {
        let length = [0, u8::try_from(text.len()).unwrap_or_default()];
        words.add(&format!("string_{name}"), &[&length, *text].concat());
        words.add(&format!("text_{name}"), text);
    }
    words.entries
}

/// The property as it stands on the wire: what a PUBACK carries behind its Property Length.
fn property(id: PropertyId, value: Value) -> Option<Vec<u8>> {
    let spec = property_field(PropertyOwner::Packet(PacketType::Puback), id)?;
    let mut draft = Draft::new(PacketType::Puback, Version::V5_0);
    draft.set(spec.name, value).ok()?;
    Some(draft.encode().ok()?.split_off(6))
}

#[derive(Default)]
struct Words {
    entries: Vec<Entry>,
    known: BTreeSet<Vec<u8>>,
}

impl Words {
    /// Adds a word, unless it has nothing to say, says what another has said, or is too long.
    fn add(&mut self, name: &str, bytes: &[u8]) {
        if bytes.is_empty() || bytes.len() > LONGEST || !self.known.insert(bytes.to_vec()) {
            return;
        }
        self.entries.push(Entry {
            name: name.to_lowercase().replace('.', "_"),
            bytes: bytes.to_vec(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_many_and_well_formed() {
        let entries = entries();
        assert!(entries.len() >= 150, "{} words", entries.len());
        let names = entries
            .iter()
            .map(|entry| &entry.name)
            .collect::<BTreeSet<_>>();
        assert_eq!(names.len(), entries.len());
        for Entry { name, bytes } in entries {
            let word = |letter: u8| {
                letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_'
            };
            assert!(name.bytes().all(word), "{name}");
            assert!((1..=LONGEST).contains(&bytes.len()), "{name}");
        }
    }

    #[test]
    fn every_table_of_the_codec_is_in_it() {
        let has = |bytes: &[u8]| entries().iter().any(|entry| entry.bytes == bytes);
        for packet_type in PacketType::ALL {
            let flags = packet_type.reserved_flags().unwrap_or_default();
            assert!(has(&[packet_type.value() << 4 | flags]), "{packet_type}");
        }
        for id in PropertyId::ALL {
            assert!(has(&[id.identifier()]), "{id}");
            assert!(
                entries()
                    .iter()
                    .any(|entry| entry.name == format!("property_{}", id.field())),
                "{id}"
            );
        }
        for code in ReasonCode::names().filter_map(ReasonCode::from_name) {
            assert!(has(&[code.0]), "{code}");
        }
        assert!(has(b"\0\x04MQTT\x05") && has(b"\0\x04MQTT\x04") && has(b"\0\x06MQIsdp\x03"));
    }

    #[test]
    fn the_file_in_the_repository_is_this_dictionary() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/mqtt.dict");
        let file = std::fs::read_to_string(path).unwrap();
        assert!(
            file == text(),
            "fuzz/mqtt.dict is not what the codec's tables say; write it anew with `cargo run -p mqtt-assay-fuzzing --example corpus compile`"
        );
    }
}
