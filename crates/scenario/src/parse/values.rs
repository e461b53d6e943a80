//! Values: scalars with `<…>` in them, lists, records and the maps that the language interprets.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use codec::Version;
use codec::draft::Kind;

use super::{Context, blocks};
use crate::ast::{Expr, Fields, Matcher, Piece, Value};
use crate::diagnostic::Diagnostic;
use crate::node::{self, Entry, Node, Scalar, Style};
use crate::source::{Span, Spanned};
use crate::vocabulary::{self, Slot, Term};
use crate::{bytes, duration, expression, typing};

/// Which way a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// It is written to the wire.
    Sent,
    /// What arrives is compared with it.
    Expected,
}

/// The words that begin a map which the language interprets.
const MATCHERS: [&str; 12] = [
    "any_of",
    "not",
    "any_order",
    "contains",
    "exactly",
    "near",
    "by",
    "below",
    "size",
    "hex",
    "base64",
    "file",
];
/// Those of them that say what is sent.
const CONTENTS: [&str; 4] = ["size", "hex", "base64", "file"];

/// Numbers that are not a field's.
const ANY_NUMBER: Slot = Slot::Field(Kind::Number {
    maximum: 0xFFFF_FFFF,
});

/// Reads a map of fields; `place` is what they are fields of, for messages.
pub(super) fn fields(
    cx: &mut Context<'_>,
    entries: &[Entry],
    terms: &[Term],
    side: Side,
    place: &str,
) -> Fields {
    let mut fields = Vec::new();
    for Entry { key, value } in entries {
        if cx.is_full() {
            break;
        }
        let name = key.value.text.as_str();
        let Some(term) = terms.iter().find(|term| term.name == name) else {
            cx.report(unknown(key, value, terms, place));
            continue;
        };
        let known = Spanned::new(name.to_owned(), key.span);
        if let Some(value) = read(cx, value, term.slot, side, name) {
            fields.push((known, value));
        }
    }
    Fields(fields)
}

/// An unknown name; a comma in a value looks like one that has no value.
fn unknown(key: &Spanned<Scalar>, value: &Node, terms: &[Term], place: &str) -> Diagnostic {
    let name = key.value.text.as_str();
    let fault = Diagnostic::error(key.span, format!("{place} has no field `{name}`"));
    if matches!(value.kind, node::Kind::Null) && key.value.style == Style::Plain {
        return fault
            .label("a comma in braces ends the value before it")
            .help("put a value that holds a comma in quotes");
    }
    fault.suggest(name, terms.iter().map(|term| term.name))
}

/// Reads the value of a field.
pub(super) fn read(
    cx: &mut Context<'_>,
    node: &Node,
    slot: Slot,
    side: Side,
    field: &str,
) -> Option<Spanned<Value>> {
    let value = match &node.kind {
        node::Kind::Null => {
            cx.report(
                Diagnostic::error(node.span, format!("`{field}` has no value"))
                    .help("write '' for an empty text"),
            );
            return None;
        }
        node::Kind::Scalar(text) => scalar(cx, text, node.span, slot, side)?,
        node::Kind::List { items, .. } => list(cx, items, node.span, slot, side, field)?,
        node::Kind::Map { entries, .. } => map(cx, entries, node.span, slot, side, field)?,
    };
    Some(Spanned::new(value, node.span))
}

fn scalar(
    cx: &mut Context<'_>,
    text: &Scalar,
    span: Span,
    slot: Slot,
    side: Side,
) -> Option<Value> {
    if text.text == "<absent>" {
        return Some(Value::Absent);
    }
    if matches!(slot, Slot::Duration) {
        let read = duration::expression(&text.text, &|range| text.place(range, span));
        return match read {
            Ok(seconds) => Some(Value::Scalar(vec![Piece::Expr(seconds)])),
            Err(error) => {
                let place = text.place(error.range, span);
                cx.report(Diagnostic::error(place, error.message).help(super::head::DURATION_HELP));
                None
            }
        };
    }
    if side == Side::Expected
        && is_number(slot)
        && let Some((low, high)) = blocks::split_range(&text.text)
    {
        let mut end = |range: std::ops::Range<usize>| {
            let place = text.place(range.clone(), span);
            let side = Scalar::new(
                text.text[range].to_owned(),
                Style::Plain,
                place,
                &cx.source().text,
            );
            scalar(cx, &side, place, slot, Side::Sent).map(|value| Spanned::new(value, place))
        };
        let (low, high) = (end(low), end(high));
        return Some(Value::Matcher(Box::new(Matcher::Range(low?, high?))));
    }
    let pieces = pieces(cx, text, span)?;
    if let [Piece::Text(literal)] = &pieces[..] {
        literal_fits(cx, literal, span, slot)?;
    } else if let Slot::Field(kind) = slot
        && is_list(kind)
        && (pieces.len() > 1 || is_token_for_maps(kind, &pieces))
    {
        let message = format!("{} was expected, and here is a text", kind.description());
        cx.report(Diagnostic::error(span, message));
        return None;
    }
    Some(Value::Scalar(pieces))
}

/// Splits a scalar into literal text and `<…>`.
pub(super) fn pieces(cx: &mut Context<'_>, text: &Scalar, span: Span) -> Option<Vec<Piece>> {
    match expression::pieces(&text.text, &|range| text.place(range, span)) {
        Ok(pieces) => Some(pieces),
        Err(error) => {
            let place = text.place(error.range, span);
            cx.report(
                Diagnostic::error(place, error.message)
                    .help("`<…>` is for the language; a literal `<` is written `<<`"),
            );
            None
        }
    }
}

fn is_number(slot: Slot) -> bool {
    matches!(
        slot,
        Slot::Field(Kind::Number { .. } | Kind::QoS | Kind::ReasonCode)
    )
}

/// `<t>` and `<g>` are texts, whatever else a variable may be, and no text is a list of maps or of pairs.
fn is_token_for_maps(kind: Kind, pieces: &[Piece]) -> bool {
    matches!(kind, Kind::Records(_) | Kind::Pairs)
        && sole_expression(pieces).is_some_and(
            |expression| matches!(&expression.value, Expr::Variable(name) if name == "t" || name == "g"),
        )
}

fn is_list(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Numbers { .. } | Kind::ReasonCodes | Kind::Texts | Kind::Pairs | Kind::Records(_)
    )
}

/// Whether a literal is a value of the slot; reports it if not.
pub(crate) fn literal_fault(literal: &str, span: Span, slot: Slot) -> Option<Diagnostic> {
    let one_of = |words: &'static [&'static str]| {
        (!words.contains(&literal)).then(|| {
            Diagnostic::error(span, format!("`{literal}` is not known here"))
                .suggest(literal, words.iter().copied())
        })
    };
    match slot {
        // A duration is read where it stands, with the places of its parts.
        Slot::Untyped | Slot::Duration => None,
        Slot::Field(kind) => {
            let version = if literal.is_empty() {
                Version::V5_0
            } else {
                // A name of either vocabulary of codes will do here; the player knows the version.
                match typing::typed(literal, kind, Version::V5_0) {
                    Ok(_) => Version::V5_0,
                    Err(_) => Version::V3_1_1,
                }
            };
            let error = typing::typed(literal, kind, version).err()?;
            let fault = Diagnostic::error(span, error.message);
            Some(match error.suggestion {
                Some(near) => fault.help(format!("did you mean `{near}`?")),
                None => fault,
            })
        }
        Slot::Word(words) | Slot::WordOrMap(words, _) => one_of(words),
        Slot::WordOrNumber(words) => {
            if expression::integer(literal).is_some() {
                None
            } else {
                one_of(words)
            }
        }
        Slot::Map(_) => Some(Diagnostic::error(
            span,
            format!("a map was expected, and here is `{literal}`"),
        )),
    }
}

fn literal_fits(cx: &mut Context<'_>, literal: &str, span: Span, slot: Slot) -> Option<()> {
    match literal_fault(literal, span, slot) {
        Some(fault) => {
            cx.report(fault);
            None
        }
        None => Some(()),
    }
}

fn list(
    cx: &mut Context<'_>,
    items: &[Node],
    span: Span,
    slot: Slot,
    side: Side,
    field: &str,
) -> Option<Value> {
    let item = match slot {
        Slot::Untyped => Slot::Untyped,
        Slot::Field(Kind::Pairs) => {
            let pairs: Vec<_> = items
                .iter()
                .map(|node| pair(cx, node, side, field))
                .collect();
            return pairs
                .into_iter()
                .collect::<Option<Vec<_>>>()
                .map(Value::List);
        }
        Slot::Field(Kind::Records(specs)) => {
            let records: Vec<_> = items
                .iter()
                .map(|node| read(cx, node, Slot::Field(Kind::Record(specs)), side, field))
                .collect();
            return records
                .into_iter()
                .collect::<Option<Vec<_>>>()
                .map(Value::List);
        }
        Slot::Field(kind) => {
            if let Some(kind) = typing::element(kind) {
                Slot::Field(kind)
            } else {
                let message = format!("{} was expected, and here is a list", kind.description());
                cx.report(Diagnostic::error(span, message));
                return None;
            }
        }
        _ => {
            cx.report(Diagnostic::error(span, format!("`{field}` takes no list")));
            return None;
        }
    };
    let items: Vec<_> = items
        .iter()
        .map(|node| read(cx, node, item, side, field))
        .collect();
    items
        .into_iter()
        .collect::<Option<Vec<_>>>()
        .map(Value::List)
}

/// `[name, value]`.
fn pair(cx: &mut Context<'_>, node: &Node, side: Side, field: &str) -> Option<Spanned<Value>> {
    match &node.kind {
        node::Kind::List { items, .. } if items.len() == 2 => {
            let sides: Vec<_> = items
                .iter()
                .map(|item| read(cx, item, Slot::Field(Kind::Text), side, field))
                .collect();
            let sides = sides.into_iter().collect::<Option<Vec<_>>>()?;
            Some(Spanned::new(Value::List(sides), node.span))
        }
        _ => {
            cx.report(
                Diagnostic::error(node.span, "a pair was expected here")
                    .help(format!("write `{field}: [[name, value], [name, value]]`")),
            );
            None
        }
    }
}

fn map(
    cx: &mut Context<'_>,
    entries: &[Entry],
    span: Span,
    slot: Slot,
    side: Side,
    field: &str,
) -> Option<Value> {
    let interpreted = entries
        .first()
        .is_some_and(|entry| MATCHERS.contains(&entry.key.value.text.as_str()));
    let terms = match slot {
        Slot::Map(terms) | Slot::WordOrMap(_, terms) => terms(),
        Slot::Field(Kind::Record(specs)) if !interpreted => vocabulary::record(specs),
        _ => return matcher(cx, entries, span, slot, side, field),
    };
    // What an answer must look like is expected, whatever stands around it.
    let side = if field == "gets" {
        Side::Expected
    } else {
        side
    };
    Some(Value::Record(fields(
        cx,
        entries,
        &terms,
        side,
        &format!("`{field}`"),
    )))
}

fn matcher(
    cx: &mut Context<'_>,
    entries: &[Entry],
    span: Span,
    slot: Slot,
    side: Side,
    field: &str,
) -> Option<Value> {
    let Some((Entry { key, value }, others)) = entries.split_first() else {
        cx.report(Diagnostic::error(span, format!("`{field}` has no value")));
        return None;
    };
    let name = key.value.text.as_str();
    if !MATCHERS.contains(&name) {
        cx.report(
            Diagnostic::error(key.span, format!("`{field}` takes no `{name}`"))
                .suggest(name, MATCHERS),
        );
        return None;
    }
    if side == Side::Sent && !CONTENTS.contains(&name) && !matches!(slot, Slot::Untyped) {
        cx.report(
            Diagnostic::error(key.span, format!("`{name}` says nothing of what to send"))
                .help("it belongs to an expectation (`<-`, `receives`, `gets`)"),
        );
        return None;
    }
    if let Some(other) = others.iter().find(|other| {
        !matches!(
            (name, other.key.value.text.as_str()),
            ("near", "by") | ("by", "near")
        )
    }) {
        let message = format!("`{}` cannot stand beside `{name}`", other.key.value.text);
        cx.report(Diagnostic::error(other.key.span, message).and(key.span, "this says it all"));
        return None;
    }
    let matcher = match name {
        "any_of" => Matcher::AnyOf(alternatives(cx, value, slot, side, name)?),
        "not" => Matcher::Not(read(cx, value, slot, side, name)?),
        "any_order" => {
            if let Value::List(items) = read(cx, value, slot, side, name)?.value {
                Matcher::AnyOrder(items)
            } else {
                cx.report(Diagnostic::error(value.span, "`any_order` wants a list"));
                return None;
            }
        }
        "contains" => Matcher::Contains(read(cx, value, slot, side, name)?),
        "exactly" => Matcher::Exactly(read(cx, value, slot, side, name)?),
        "near" | "by" => near(cx, entries, span, slot)?,
        "below" => Matcher::Below(read(cx, value, numeric(slot), Side::Sent, name)?),
        "size" => Matcher::Size(read(cx, value, ANY_NUMBER, side, name)?),
        _ => content(cx, name, value)?,
    };
    Some(Value::Matcher(Box::new(matcher)))
}

/// The slot of a number beside a value of `slot`.
fn numeric(slot: Slot) -> Slot {
    if is_number(slot) { slot } else { ANY_NUMBER }
}

fn alternatives(
    cx: &mut Context<'_>,
    node: &Node,
    slot: Slot,
    side: Side,
    field: &str,
) -> Option<Vec<Spanned<Value>>> {
    let node::Kind::List { items, .. } = &node.kind else {
        cx.report(Diagnostic::error(
            node.span,
            format!("`{field}` wants a list"),
        ));
        return None;
    };
    let items: Vec<_> = items
        .iter()
        .map(|item| read(cx, item, slot, side, field))
        .collect();
    items.into_iter().collect()
}

fn near(cx: &mut Context<'_>, entries: &[Entry], span: Span, slot: Slot) -> Option<Matcher> {
    let mut number = |name: &str| {
        let entry = entries.iter().find(|entry| entry.key.value.text == name);
        if let Some(entry) = entry {
            read(cx, &entry.value, numeric(slot), Side::Sent, name)
        } else {
            cx.report(
                Diagnostic::error(span, format!("`{name}` is missing"))
                    .help("write `{ near: n, by: d }`"),
            );
            None
        }
    };
    let (near, by) = (number("near"), number("by"));
    Some(Matcher::Near {
        near: near?,
        by: by?,
    })
}

/// `hex: 00 ff`, `base64: AP8=`, `file: photo.jpg`.
fn content(cx: &mut Context<'_>, name: &str, node: &Node) -> Option<Matcher> {
    let Some(text) = node.text() else {
        // Two digits read alike as text or number; nothing at all is no byte.
        if matches!(node.kind, node::Kind::Null) {
            return Some(Matcher::Hex(Vec::new()));
        }
        cx.report(Diagnostic::error(node.span, format!("`{name}` wants text")));
        return None;
    };
    if name == "file" {
        return file(cx, &text.value.text, node.span).map(Matcher::Hex);
    }
    let read = if name == "hex" {
        bytes::hex(&text.value.text)
            .map(Matcher::Hex)
            .map_err(|error| (text.value.place(error.range, node.span), error.message))
    } else {
        BASE64_STANDARD
            .decode(&text.value.text)
            .map(Matcher::Base64)
            .map_err(|error| (node.span, format!("this is no base64: {error}")))
    };
    match read {
        Ok(matcher) => Some(matcher),
        Err((span, message)) => {
            cx.report(Diagnostic::error(span, message));
            None
        }
    }
}

/// The bytes of a file beside the scenario.
fn file(cx: &mut Context<'_>, name: &str, span: Span) -> Option<Vec<u8>> {
    let outside = name.is_empty()
        || name.contains(['\\', ':'])
        || name.split('/').any(|part| matches!(part, "" | "." | ".."));
    if outside {
        let message = format!("`{name}` is no file beside the scenario");
        cx.report(
            Diagnostic::error(span, message).help(
                "name a file in the scenario's folder or below it, such as payloads/photo.jpg",
            ),
        );
        return None;
    }
    match (cx.files)(name) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            let message = format!("the file `{name}` cannot be read: {error}");
            cx.report(
                Diagnostic::error(span, message)
                    .note("files are looked for from the folder of the scenario"),
            );
            None
        }
    }
}

/// An expression that stands alone: a variable that may be bound, or that stands for a whole value.
pub(crate) fn sole_expression(pieces: &[Piece]) -> Option<&Spanned<Expr>> {
    match pieces {
        [Piece::Expr(expression)] => Some(expression),
        _ => None,
    }
}
