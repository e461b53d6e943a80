//! The notation of raw bytes: `10 0c "MQTT" string(MQTT) u16(60) varint(200)`.

use std::ops::Range;

use crate::ast::{Expr, Piece};
use crate::expression;
use crate::source::{Span, Spanned};

/// A run of raw bytes.
#[derive(Debug, Clone)]
pub enum Part {
    /// Hex digits, two for each byte: `10 0c` or `100c`.
    Bytes(Vec<u8>),
    /// `"text"`: the UTF-8 of the text, and nothing else.
    Text(Vec<Piece>),
    /// A bare `<x>`: the bytes that the value of `x` says in this notation (or as `{ hex: … }`).
    Inserted(Spanned<Expr>),
    /// `string(text)`: a two-byte length, then the UTF-8 of the text.
    String(Vec<Piece>),
    /// `u8(n)`, `u16(n)`, `u32(n)`, `varint(n)`, with a number or a `<…>`.
    Number {
        /// How it is written.
        width: Width,
        /// The number.
        value: Spanned<Expr>,
    },
}

/// How a number stands on the wire, most significant byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// One byte.
    U8,
    /// Two bytes.
    U16,
    /// Four bytes.
    U32,
    /// A Variable Byte Integer.
    Variable,
}

/// What is wrong with a run of raw bytes, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NotationError {
    /// Byte offsets in the text.
    pub range: Range<usize>,
    /// One sentence.
    pub message: String,
}

/// Reads the notation. `place` turns offsets of the text into a place in the file.
pub fn parse(text: &str, place: &dyn Fn(Range<usize>) -> Span) -> Result<Vec<Part>, NotationError> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let blanks = rest.len() - rest.trim_start().len();
        if blanks > 0 {
            at += blanks;
            continue;
        }
        let length = word_length(rest);
        let word = &rest[..length];
        parts.push(part(word, at, place)?);
        at += length;
    }
    Ok(parts)
}

/// The length of the first word: up to a blank that stands neither in quotes, parentheses nor `<…>`.
fn word_length(text: &str) -> usize {
    let mut quoted = false;
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '<' => depth += 1,
            ')' | '>' => depth = depth.saturating_sub(1),
            _ if letter.is_whitespace() && depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

fn part(
    word: &str,
    at: usize,
    place: &dyn Fn(Range<usize>) -> Span,
) -> Result<Part, NotationError> {
    let fault = |message: String| NotationError {
        range: at..at + word.len(),
        message,
    };
    let pieces = |text: &str, offset: usize| {
        expression::pieces(text, &|range| {
            place(at + offset + range.start..at + offset + range.end)
        })
        .map_err(|error| NotationError {
            range: at + offset + error.range.start..at + offset + error.range.end,
            message: error.message,
        })
    };
    if let Some(text) = word.strip_prefix('"') {
        let text = text
            .strip_suffix('"')
            .ok_or_else(|| fault("a quote is not closed".to_owned()))?;
        return Ok(Part::Text(pieces(text, 1)?));
    }
    if word.starts_with('<') {
        return match <[Piece; 1]>::try_from(pieces(word, 0)?) {
            Ok([Piece::Expr(expression)]) => Ok(Part::Inserted(expression)),
            _ => Err(fault(format!("`{word}` is no run of bytes"))),
        };
    }
    if let Some((name, rest)) = word.split_once('(') {
        let inner = rest
            .strip_suffix(')')
            .ok_or_else(|| fault(format!("`{name}(` is not closed")))?;
        let offset = name.len() + 1;
        let width = match name {
            "string" => return Ok(Part::String(pieces(inner, offset)?)),
            "u8" => Width::U8,
            "u16" => Width::U16,
            "u32" => Width::U32,
            "varint" => Width::Variable,
            _ => {
                return Err(fault(format!(
                    "`{name}` is none of string, u8, u16, u32 and varint"
                )));
            }
        };
        let value = expression::number(inner, &|range| {
            place(at + offset + range.start..at + offset + range.end)
        })
        .map_err(|error| fault(error.message))?;
        return Ok(Part::Number { width, value });
    }
    hex(word).map(Part::Bytes).map_err(|error| NotationError {
        range: at + error.range.start..at + error.range.end,
        ..error
    })
}

/// Reads hex digits, two for each byte; blanks between bytes are free.
pub fn hex(text: &str) -> Result<Vec<u8>, NotationError> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high: Option<(usize, u8)> = None;
    for (at, letter) in text.char_indices() {
        let range = at..at + letter.len_utf8();
        let digit = letter
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok());
        match (digit, high.take()) {
            (Some(digit), None) => high = Some((at, digit)),
            (Some(digit), Some((_, first))) => bytes.push(first << 4 | digit),
            (None, None) if letter.is_whitespace() => {}
            (None, None) => {
                return Err(NotationError {
                    range,
                    message: format!("`{letter}` is no hex digit"),
                });
            }
            (None, Some(_)) if !letter.is_whitespace() => {
                return Err(NotationError {
                    range,
                    message: format!("`{letter}` is no hex digit"),
                });
            }
            (None, Some((at, _))) => {
                return Err(NotationError {
                    range: at..range.end,
                    message: "a byte has two hex digits, and here is one".to_owned(),
                });
            }
        }
    }
    match high {
        None => Ok(bytes),
        Some((at, _)) => Err(NotationError {
            range: at..text.len(),
            message: "a byte has two hex digits, and here is one".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Part>, NotationError> {
        parse(text, &|range| Span {
            start: range.start,
            end: range.end,
        })
    }

    #[test]
    fn each_form_is_read() {
        let parts = read("10 0c00 \"MQ TT\" string(<t>/x y) u16(60) varint(<n + 1>) <t>").unwrap();
        assert!(matches!(&parts[0], Part::Bytes(bytes) if bytes == &[0x10]));
        assert!(matches!(&parts[1], Part::Bytes(bytes) if bytes == &[0x0c, 0]));
        assert!(
            matches!(&parts[2], Part::Text(pieces) if matches!(&pieces[..], [Piece::Text(text)] if text == "MQ TT"))
        );
        assert!(matches!(&parts[3], Part::String(pieces) if pieces.len() == 2));
        assert!(matches!(
            &parts[4],
            Part::Number {
                width: Width::U16,
                ..
            }
        ));
        assert!(matches!(
            &parts[5],
            Part::Number {
                width: Width::Variable,
                ..
            }
        ));
        assert!(matches!(&parts[6], Part::Inserted(_)));
    }

    #[test]
    fn a_fault_has_its_place() {
        assert_eq!(read("10 0g").unwrap_err().range, 4..5);
        assert_eq!(read("10 0 00").unwrap_err().range, 3..4);
        assert_eq!(read("00 u9(1)").unwrap_err().range, 3..8);
        assert_eq!(read("<x>00").unwrap_err().range, 0..5);
    }
}
