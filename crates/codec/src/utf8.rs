//! One pass over a UTF-8 Encoded String: is it well-formed, does it hold U+0000, does it hold wildcards?

/// What a text holds that a rule may forbid. Offsets count from the beginning of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Findings {
    /// Where the first ill-formed sequence begins; surrogates are ill-formed.
    pub(crate) ill_formed: Option<usize>,
    /// Where the first U+0000 stands.
    pub(crate) null: Option<usize>,
    /// Where the first `+` or `#` stands.
    pub(crate) wildcard: Option<usize>,
}

const LOW_BITS: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGH_BITS: u64 = u64::from_ne_bytes([0x80; 8]);
/// `#` is 0x23 and `+` is 0x2B: with this bit set, both are 0x2B.
const WILDCARD_BIT: u64 = u64::from_ne_bytes([b'#' ^ b'+'; 8]);
const WILDCARD: u64 = u64::from_ne_bytes([b'+'; 8]);

/// Looks at a text in which wildcards mean nothing, and so are not looked for.
#[inline]
pub(crate) fn scan(text: &[u8]) -> Findings {
    look::<false>(text)
}

/// Looks at a Topic Name, wildcards included.
#[inline]
pub(crate) fn scan_topic(text: &[u8]) -> Findings {
    look::<true>(text)
}

/// The bits that eight bytes at a time leave: `HIGH_BITS` of each tell.
#[derive(Clone, Copy, Default)]
struct Marks {
    not_ascii: u64,
    special: u64,
}

#[inline]
fn look<const WILDCARDS: bool>(text: &[u8]) -> Findings {
    let marks = marks::<WILDCARDS>(text);
    if (marks.not_ascii | marks.special) & HIGH_BITS == 0 {
        Findings::default()
    } else if marks.special & HIGH_BITS == 0 {
        Findings {
            ill_formed: ill_formed(text),
            ..Findings::default()
        }
    } else {
        examine::<WILDCARDS>(text)
    }
}

#[inline]
fn marks<const WILDCARDS: bool>(text: &[u8]) -> Marks {
    let mut marks = Marks::default();
    if let Some(last) = text.last_chunk::<8>() {
        let (words, _) = text.as_chunks::<8>();
        for word in words {
            marks.add::<WILDCARDS>(u64::from_ne_bytes(*word));
        }
        // It overlaps the word before it unless the length is a multiple of eight.
        marks.add::<WILDCARDS>(u64::from_ne_bytes(*last));
    } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let word =
            u64::from(u32::from_ne_bytes(*first)) << 32 | u64::from(u32::from_ne_bytes(*last));
        marks.add::<WILDCARDS>(word);
    } else {
        for byte in text {
            marks.add::<WILDCARDS>(u64::from_ne_bytes([*byte; 8]));
        }
    }
    marks
}

impl Marks {
    /// A mark stands for a byte that is there: a borrow between bytes can only follow a true finding.
    #[inline]
    fn add<const WILDCARDS: bool>(&mut self, word: u64) {
        self.not_ascii |= word;
        self.special |= word.wrapping_sub(LOW_BITS) & !word;
        if WILDCARDS {
            let folded = (word | WILDCARD_BIT) ^ WILDCARD;
            self.special |= folded.wrapping_sub(LOW_BITS) & !folded;
        }
    }
}

#[inline(never)]
fn ill_formed(text: &[u8]) -> Option<usize> {
    core::str::from_utf8(text)
        .err()
        .map(|error| error.valid_up_to())
}

#[cold]
#[inline(never)]
fn examine<const WILDCARDS: bool>(text: &[u8]) -> Findings {
    let wildcard = |byte: &u8| WILDCARDS && matches!(byte, b'+' | b'#');
    Findings {
        ill_formed: ill_formed(text),
        null: text.iter().position(|byte| *byte == 0),
        wildcard: text.iter().position(wildcard),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_of_every_short_length_is_found() {
        for length in 0..=40 {
            for place in 0..length {
                for byte in 0..=u8::MAX {
                    let mut text = [b'a'; 40];
                    text[place] = byte;
                    assert_eq!(
                        scan_topic(&text[..length]),
                        examine::<true>(&text[..length]),
                        "{byte:#x} at {place} of {length}"
                    );
                }
            }
        }
    }

    #[test]
    fn neighbours_do_not_hide_each_other() {
        // A borrow between the bytes of a word must neither hide a finding nor invent one.
        for left in 0..=u8::MAX {
            for right in 0..=u8::MAX {
                let text = [b'x', left, right, b'y', b'x', b'x', b'x', b'x'];
                assert_eq!(
                    scan_topic(&text),
                    examine::<true>(&text),
                    "{left:#x} {right:#x}"
                );
                assert_eq!(scan(&text), examine::<false>(&text), "{left:#x} {right:#x}");
            }
        }
    }

    #[test]
    fn surrogates_and_overlong_forms_are_ill_formed() {
        for text in [
            &b"a\xED\xA0\x80"[..],
            b"a\xED\xBF\xBF",
            b"a\xC0\x80",
            b"a\xF4\x90\x80\x80",
            b"a\xC3",
        ] {
            assert_eq!(scan(text).ill_formed, Some(1), "{text:x?}");
        }
        for text in [
            "a\u{D7FF}",
            "a\u{E000}",
            "\u{FEFF}a",
            "a\u{10FFFF}",
            "\u{FFFE}",
            "\u{1}\u{7F}\u{9F}",
        ] {
            assert_eq!(scan(text.as_bytes()), Findings::default(), "{text:?}");
        }
    }
}
