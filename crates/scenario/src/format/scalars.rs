//! How a text is written: plain where that reads back as it is, else in quotes; long texts in lines of their own.

use std::fmt::Write as _;

use crate::node::{Scalar, Style};

/// The longest line of a text in lines of its own.
const WIDTH: usize = 110;

/// A scalar on one line.
pub(super) fn inline(scalar: &Scalar, in_flow: bool) -> String {
    if scalar.style == Style::Plain && plain_reads_back(&scalar.text, in_flow) {
        scalar.text.clone()
    } else {
        quoted(&scalar.text)
    }
}

/// Whether YAML reads a plain text as just this text.
fn plain_reads_back(text: &str, in_flow: bool) -> bool {
    let mut letters = text.chars();
    let Some(first) = letters.next() else {
        return false;
    };
    let second = letters.next();
    let begins = match first {
        '-' | '?' | ':' => second.is_some_and(|next| {
            !next.is_whitespace() && !matches!(next, ',' | '[' | ']' | '{' | '}' | '#')
        }),
        _ => !",[]{}#&*!|>'\"%@`".contains(first),
    };
    begins
        && text != "~"
        && text.trim() == text
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && text.chars().all(is_plain_letter)
        && !(in_flow && text.contains([',', '[', ']', '{', '}']))
}

/// Letters that stand in a text as they are.
fn is_plain_letter(letter: char) -> bool {
    !letter.is_control()
        && !matches!(
            letter,
            '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}'
        )
        && !is_noncharacter_or_format(letter)
}

fn is_noncharacter_or_format(letter: char) -> bool {
    let code = u32::from(letter);
    code & 0xFFFE == 0xFFFE || (0xFDD0..=0xFDEF).contains(&code)
}

/// A text in single quotes, or in double quotes where it holds what only an escape can say.
fn quoted(text: &str) -> String {
    if text
        .chars()
        .all(|letter| is_plain_letter(letter) && letter != '\'')
    {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            _ if is_plain_letter(letter) => out.push(letter),
            _ => {
                let code = u32::from(letter);
                if code > 0xFFFF {
                    let _ = write!(out, "\\U{code:08X}");
                } else {
                    let _ = write!(out, "\\u{code:04X}");
                }
            }
        }
    }
    out.push('"');
    out
}

/// A text in lines of its own: the sign that begins it and the lines; none where only quotes say it.
pub(super) fn block(text: &str, indent: usize) -> Option<(&'static str, Vec<String>)> {
    let (body, clipped) = match text.strip_suffix('\n') {
        Some(body) => (body, true),
        None => (text, false),
    };
    let awkward = body.is_empty()
        || body.ends_with('\n')
        || body.starts_with([' ', '\n', '\t'])
        || body
            .split('\n')
            .any(|line| line.ends_with([' ', '\t']) || !line.chars().all(is_plain_letter));
    if awkward {
        return None;
    }
    let foldable = !body.contains('\n') && !body.contains("  ");
    if foldable {
        let lines = fold(body, WIDTH.saturating_sub(indent));
        return Some((if clipped { ">" } else { ">-" }, lines));
    }
    let lines = body.split('\n').map(str::to_owned).collect();
    Some((if clipped { "|" } else { "|-" }, lines))
}

/// Breaks a text at single blanks.
fn fold(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}
