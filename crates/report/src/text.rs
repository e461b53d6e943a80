//! Text from a broker that must not break the report it stands in.
//!
//! Topics, reason strings and payloads are what a peer chose to send. In a terminal they could move the cursor; in XML
//! they could end the section that quotes them. Whatever cannot stand as it is, is written as `\u{1b}`.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Text as it may stand in any place of an XML 1.0 document: in an attribute, as content, and in a CDATA section.
///
/// Characters outside the production `Char` are written as `\u{…}`, and `]]>` as `]] >`.
pub fn xml_text(text: &str) -> Cow<'_, str> {
    let escaped = escape(
        text,
        |character| matches!(character, '\t' | '\n' | '\u{20}'..='\u{7e}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..),
    );
    // Escaping never makes a bracket, so one pass is enough.
    if escaped.contains("]]>") {
        Cow::Owned(escaped.replace("]]>", "]] >"))
    } else {
        escaped
    }
}

/// Text as it may stand in a terminal: control characters, line breaks excepted, are written as `\u{…}`, and so are the
/// characters that turn the direction of the text round.
pub fn terminal_text(text: &str) -> Cow<'_, str> {
    escape(text, |character| {
        character == '\n'
            || !(character.is_control()
                || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    })
}

/// Text as it may stand within one line of a terminal, such as the name of a file: as [`terminal_text`], and line breaks
/// are written as `\u{a}`, so that nothing can pass itself off as a line of its own.
pub fn terminal_line(text: &str) -> String {
    terminal_text(text).replace('\n', r"\u{a}")
}

/// Bytes as pairs of hex digits with blanks between, as every part of the tool reads them.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        if !text.is_empty() {
            text.push(' ');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn escape(text: &str, allowed: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.chars().all(&allowed) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if allowed(character) {
            escaped.push(character);
        } else {
            escaped.extend(character.escape_unicode());
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_spelt_out() {
        assert_eq!(xml_text("plain\ttext\n"), "plain\ttext\n");
        assert_eq!(xml_text("a\0b\u{1b}[2J"), r"a\u{0}b\u{1b}[2J");
        assert_eq!(
            xml_text("\u{fffe}\u{ffff}\u{fffd}😀"),
            "\\u{fffe}\\u{ffff}\u{fffd}😀"
        );
        assert_eq!(xml_text("x]]>y]]]>"), "x]] >y]]] >");
        // A reader turns a bare carriage return into a line feed, so that it would be lost.
        assert_eq!(xml_text("a\rb"), r"a\u{d}b");
    }

    #[test]
    fn a_terminal_is_not_steered_by_a_broker() {
        assert_eq!(
            terminal_text("\u{1b}[31mred\u{7}\n"),
            "\\u{1b}[31mred\\u{7}\n"
        );
        assert_eq!(terminal_text("abc\u{202e}def"), r"abc\u{202e}def");
        assert_eq!(
            terminal_line("a\n\u{1b}[1merror: b"),
            r"a\u{a}\u{1b}[1merror: b"
        );
    }

    #[test]
    fn bytes_are_hex_with_blanks() {
        assert_eq!(hex(&[0xd0, 0x00]), "d0 00");
        assert_eq!(hex(&[]), "");
    }
}
