//! The heads that hold steps: `for <i> in 1..n`, `if <x> = v`, `in v5.0`.

use codec::Version;

use super::head::Reader;
use crate::ast::{Comparison, Condition, Expr, Name, Over, Piece, Value};
use crate::diagnostic::Diagnostic;
use crate::expression;
use crate::source::{Span, Spanned};

type Read<T> = Result<T, Box<Diagnostic>>;

const COMPARISONS: [(&str, Comparison); 7] = [
    ("=", Comparison::Equal),
    ("!=", Comparison::Unequal),
    ("<", Comparison::Less),
    ("<=", Comparison::LessOrEqual),
    (">", Comparison::Greater),
    (">=", Comparison::GreaterOrEqual),
    ("in", Comparison::In),
];

/// `for <i> in 1..n`, `for <i> in a, b`.
pub(super) fn loop_head(reader: &mut Reader<'_>) -> Read<(Name, Over)> {
    reader.take();
    let variable = reader.variable()?;
    if reader.peek(0) != "in" {
        let fault = Diagnostic::error(reader.here(0), "`in` was expected here");
        return Err(fault
            .help("write `for <i> in 1..5` or `for <x> in a, b`")
            .into());
    }
    reader.take();
    let (text, start) = reader.remainder();
    if text.is_empty() {
        let fault = Diagnostic::error(reader.here(0), "the loop runs over nothing");
        return Err(fault.help("write `1..5` or `a, b`").into());
    }
    if let Some((low, high)) = split_range(text) {
        let low = number(reader, &text[low.clone()], start + low.start)?;
        let high = number(reader, &text[high.clone()], start + high.start)?;
        return Ok((variable, Over::Range(low, high)));
    }
    let items = list(reader, text, start)?;
    Ok((variable, Over::List(items)))
}

/// `if <x> = v`, `if <x> in [a, b]`, and the other comparisons.
pub(super) fn condition(reader: &mut Reader<'_>) -> Read<Spanned<Condition>> {
    reader.take();
    let left_word = reader.take();
    let left = number(reader, left_word.text, left_word.range.start)
        .map_err(|fault| fault.help("write `if <x> = value`; what is compared stands in `<…>`"))?;
    let place = reader.here(0);
    let sign = reader.take();
    let Some((_, comparison)) = COMPARISONS.iter().find(|(name, _)| *name == sign.text) else {
        let fault = Diagnostic::error(place, format!("`{}` is no comparison", sign.text));
        return Err(fault
            .suggest(sign.text, COMPARISONS.iter().map(|(name, _)| *name))
            .into());
    };
    let (text, start) = reader.remainder();
    let span = reader.place(start..start + text.len());
    let right = if *comparison == Comparison::In {
        let Some(inner) = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        else {
            let fault = Diagnostic::error(span, "a list was expected here");
            return Err(fault.help("write `if <x> in [a, b]`").into());
        };
        Value::List(list(reader, inner, start + 1)?)
    } else {
        value(reader, text, start)?.value
    };
    let whole = reader.place(left_word.range.start..start + text.len());
    Ok(Spanned::new(
        Condition {
            left,
            comparison: *comparison,
            right: Spanned::new(right, span),
        },
        whole,
    ))
}

/// `in v5.0`, `in v3.1.1, v5.0`.
pub(super) fn versions(reader: &mut Reader<'_>) -> Read<Vec<Version>> {
    reader.take();
    let mut versions = Vec::new();
    loop {
        let place = reader.here(0);
        let word = reader.take();
        versions.push(version(word.text, place).map_err(Box::new)?);
        if reader.peek(0) != "," {
            break;
        }
        reader.take();
    }
    reader.end()?;
    Ok(versions)
}

/// A version by its name with `v`.
pub(super) fn version(text: &str, place: Span) -> Result<Version, Diagnostic> {
    Version::ALL
        .into_iter()
        .find(|version| version.name() == text)
        .ok_or_else(|| {
            let names = Version::ALL.map(Version::name);
            let fault = Diagnostic::error(place, format!("`{text}` is no version of MQTT"));
            match text.parse::<Version>() {
                Ok(version) => fault.help(format!("write `{version}`")),
                Err(_) => fault.suggest(text, names),
            }
        })
}

/// The two sides of `a..b`, if `..` stands outside of `<…>`.
pub(super) fn split_range(text: &str) -> Option<(std::ops::Range<usize>, std::ops::Range<usize>)> {
    let mut within = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '<' => within = true,
            '>' => within = false,
            '.' if !within && text[at..].starts_with("..") => {
                return Some((0..at, at + 2..text.len()));
            }
            _ => {}
        }
    }
    None
}

fn number(reader: &Reader<'_>, text: &str, start: usize) -> Read<Spanned<Expr>> {
    expression::number(text, &|range| {
        reader.place(start + range.start..start + range.end)
    })
    .map_err(|error| {
        let place = reader.place(start + error.range.start..start + error.range.end);
        Box::new(Diagnostic::error(place, error.message))
    })
}

/// Values between commas that stand outside of `<…>`.
fn list(reader: &Reader<'_>, text: &str, start: usize) -> Read<Vec<Spanned<Value>>> {
    let mut items = Vec::new();
    let mut begin = 0;
    let mut within = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '<' => within = true,
            '>' => within = false,
            ',' if !within => {
                items.push(value(reader, &text[begin..at], start + begin)?);
                begin = at + 1;
            }
            _ => {}
        }
    }
    items.push(value(reader, &text[begin..], start + begin)?);
    Ok(items)
}

fn value(reader: &Reader<'_>, text: &str, start: usize) -> Read<Spanned<Value>> {
    let trimmed = text.trim();
    let start = start + (text.len() - text.trim_start().len());
    let span = reader.place(start..start + trimmed.len());
    if trimmed.is_empty() {
        let fault = Diagnostic::error(span, "a value was expected here");
        return Err(fault.into());
    }
    if trimmed == "<absent>" {
        return Ok(Spanned::new(Value::Absent, span));
    }
    let pieces: Vec<Piece> = expression::pieces(trimmed, &|range| {
        reader.place(start + range.start..start + range.end)
    })
    .map_err(|error| {
        let place = reader.place(start + error.range.start..start + error.range.end);
        Box::new(Diagnostic::error(place, error.message))
    })?;
    Ok(Spanned::new(Value::Scalar(pieces), span))
}
