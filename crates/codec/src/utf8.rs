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

/// The bits that eight bytes at a time leave: `HIGH_BITS` of each tell.
#[derive(Clone, Copy, Default)]
pub(crate) struct Marks {
    not_ascii: u64,
    special: u64,
}

/// Looks for what may be wrong with a text, and if `WILDCARDS` for `+` and `#`, all at once.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "the marks of a short text never leave the registers"
)]
pub(crate) fn marks<const WILDCARDS: bool>(text: &[u8]) -> Marks {
    let mut marks = Marks::default();
    if let (Some(first), Some(last)) = (text.first_chunk::<16>(), text.last_chunk::<16>()) {
        // Both ends at once cover up to 32 bytes: most topics, and without a loop.
        marks.add_two::<WILDCARDS>(first);
        marks.add_two::<WILDCARDS>(last);
        if text.len() > 32 {
            let (words, _) = text.as_chunks::<16>();
            for words in words {
                marks.add_two::<WILDCARDS>(words);
            }
        }
    } else if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        marks.add::<WILDCARDS>(u64::from_ne_bytes(*first));
        marks.add::<WILDCARDS>(u64::from_ne_bytes(*last));
    } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let first = u64::from(u32::from_ne_bytes(*first));
        let last = u64::from(u32::from_ne_bytes(*last));
        marks.add::<WILDCARDS>(first << 32 | last);
    } else {
        for byte in text {
            marks.add::<WILDCARDS>(u64::from_ne_bytes([*byte; 8]));
        }
    }
    marks
}

impl Marks {
    /// Whether the text is anything but ASCII without U+0000, and without wildcards where they count.
    #[inline]
    pub(crate) const fn any(self) -> bool {
        (self.not_ascii | self.special) & HIGH_BITS != 0
    }

    #[inline]
    fn add_two<const WILDCARDS: bool>(&mut self, words: &[u8; 16]) {
        let (words, _) = words.as_chunks::<8>();
        for word in words {
            self.add::<WILDCARDS>(u64::from_ne_bytes(*word));
        }
    }

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

/// Tells what the marks stand for.
#[inline(never)]
pub(crate) fn look<const WILDCARDS: bool>(text: &[u8], marks: Marks) -> Findings {
    let ill_formed = if marks.not_ascii & HIGH_BITS == 0 {
        None
    } else {
        core::str::from_utf8(text)
            .err()
            .map(|error| error.valid_up_to())
    };
    if marks.special & HIGH_BITS == 0 {
        return Findings {
            ill_formed,
            ..Findings::default()
        };
    }
    let wildcard = |byte: &u8| WILDCARDS && matches!(byte, b'+' | b'#');
    Findings {
        ill_formed,
        null: text.iter().position(|byte| *byte == 0),
        wildcard: text.iter().position(wildcard),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan<const WILDCARDS: bool>(text: &[u8]) -> Findings {
        look::<WILDCARDS>(text, marks::<WILDCARDS>(text))
    }

    fn examine<const WILDCARDS: bool>(text: &[u8]) -> Findings {
        look::<WILDCARDS>(
            text,
            Marks {
                not_ascii: u64::MAX,
                special: u64::MAX,
            },
        )
    }

    #[test]
    fn every_byte_at_every_place_of_every_short_length_is_found() {
        for length in 0..=40 {
            for place in 0..length {
                for byte in 0..=u8::MAX {
                    let mut text = [b'a'; 40];
                    text[place] = byte;
                    assert_eq!(
                        scan::<true>(&text[..length]),
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
                    scan::<true>(&text),
                    examine::<true>(&text),
                    "{left:#x} {right:#x}"
                );
                assert_eq!(
                    scan::<false>(&text),
                    examine::<false>(&text),
                    "{left:#x} {right:#x}"
                );
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
            assert_eq!(scan::<false>(text).ill_formed, Some(1), "{text:x?}");
        }
        for text in [
            "a\u{D7FF}",
            "a\u{E000}",
            "\u{FEFF}a",
            "a\u{10FFFF}",
            "\u{FFFE}",
            "\u{1}\u{7F}\u{9F}",
        ] {
            assert_eq!(
                scan::<false>(text.as_bytes()),
                Findings::default(),
                "{text:?}"
            );
        }
    }
}
