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

/// Whether a text is ASCII without U+0000, and if `WILDCARDS` matter without `+` and `#`: then nothing can be wrong
/// with it.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "the marks of a short text never leave the registers"
)]
pub(crate) fn is_plain<const WILDCARDS: bool>(text: &[u8]) -> bool {
    let mut marks = Marks(0);
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
    marks.0 & HIGH_BITS == 0
}

/// The bits that eight bytes at a time leave: a high bit tells of a byte that is not plain.
struct Marks(u64);

impl Marks {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as above")]
    fn add_two<const WILDCARDS: bool>(&mut self, words: &[u8; 16]) {
        let (words, _) = words.as_chunks::<8>();
        for word in words {
            self.add::<WILDCARDS>(u64::from_ne_bytes(*word));
        }
    }

    /// A mark stands for a byte that is there: a borrow between bytes can only follow a true finding.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as above")]
    fn add<const WILDCARDS: bool>(&mut self, word: u64) {
        // Not ASCII, or 0: a high bit that is set, or that a borrow sets.
        self.0 |= word | word.wrapping_sub(LOW_BITS);
        if WILDCARDS {
            let folded = (word | WILDCARD_BIT) ^ WILDCARD;
            self.0 |= folded.wrapping_sub(LOW_BITS);
        }
    }
}

/// Tells what a text holds that is not plain.
#[inline(never)]
pub(crate) fn look<const WILDCARDS: bool>(text: &[u8]) -> Findings {
    let wildcard = |byte: &u8| WILDCARDS && matches!(byte, b'+' | b'#');
    Findings {
        ill_formed: core::str::from_utf8(text)
            .err()
            .map(|error| error.valid_up_to()),
        null: text.iter().position(|byte| *byte == 0),
        wildcard: text.iter().position(wildcard),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the words tell must be what the bytes tell.
    fn agree<const WILDCARDS: bool>(text: &[u8]) {
        let plain = text.iter().all(|byte| {
            byte.is_ascii() && *byte != 0 && !(WILDCARDS && matches!(byte, b'+' | b'#'))
        });
        assert_eq!(is_plain::<WILDCARDS>(text), plain, "{text:x?}");
        if plain {
            assert_eq!(look::<WILDCARDS>(text), Findings::default());
        }
    }

    #[test]
    fn every_byte_at_every_place_of_every_short_length_is_found() {
        for length in 0..=40 {
            for place in 0..length {
                for byte in 0..=u8::MAX {
                    let mut text = [b'a'; 40];
                    text[place] = byte;
                    agree::<true>(&text[..length]);
                    agree::<false>(&text[..length]);
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
                agree::<true>(&text);
                agree::<false>(&text);
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
            assert_eq!(look::<false>(text).ill_formed, Some(1), "{text:x?}");
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
                look::<false>(text.as_bytes()),
                Findings::default(),
                "{text:?}"
            );
        }
    }
}
