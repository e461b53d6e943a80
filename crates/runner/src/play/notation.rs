//! Notation: expectations and values as a scenario would write them, with all names replaced.

use codec::PacketType;
use codec::draft::Value;
use scenario::Spanned;
use scenario::ast::{self, Fields, Matcher};

use super::scope::{Datum, Scope};
use crate::Namespace;
use crate::event::{Entry, Finding, Happening};

impl Scope<'_> {
    /// A packet that is expected.
    pub(super) fn packet_notation(&self, packet_type: PacketType, fields: &Fields) -> String {
        if fields.0.is_empty() {
            packet_type.name().to_owned()
        } else {
            format!("{packet_type}: {}", self.fields_notation(fields))
        }
    }

    /// Fields in braces.
    pub(super) fn fields_notation(&self, fields: &Fields) -> String {
        let fields: Vec<_> = fields
            .0
            .iter()
            .map(|(name, written)| format!("{}: {}", name.value, self.notation(written)))
            .collect();
        format!("{{ {} }}", fields.join(", "))
    }

    /// A value that is expected.
    pub(super) fn notation(&self, written: &Spanned<ast::Value>) -> String {
        let one = |value: &Spanned<ast::Value>| self.notation(value);
        match &written.value {
            ast::Value::Absent => "<absent>".to_owned(),
            ast::Value::Scalar(pieces) => self.scalar_notation(pieces),
            ast::Value::List(items) => list(items.iter().map(one)),
            ast::Value::Record(fields) => self.fields_notation(fields),
            ast::Value::Matcher(matcher) => match &**matcher {
                Matcher::AnyOf(items) => format!("{{ any_of: {} }}", list(items.iter().map(one))),
                Matcher::AnyOrder(items) => {
                    format!("{{ any_order: {} }}", list(items.iter().map(one)))
                }
                Matcher::Not(value) => format!("{{ not: {} }}", one(value)),
                Matcher::Contains(value) => format!("{{ contains: {} }}", one(value)),
                Matcher::Exactly(value) => format!("{{ exactly: {} }}", one(value)),
                Matcher::Near { near, by } => format!("{{ near: {}, by: {} }}", one(near), one(by)),
                Matcher::Below(bound) => format!("{{ below: {} }}", one(bound)),
                Matcher::Range(low, high) => format!("{}..{}", one(low), one(high)),
                Matcher::Size(size) => format!("{{ size: {} }}", one(size)),
                Matcher::Hex(bytes) | Matcher::Base64(bytes) => data(bytes),
            },
        }
    }

    fn scalar_notation(&self, pieces: &[ast::Piece]) -> String {
        match pieces {
            [ast::Piece::Expr(expr)] => match self.evaluate(&expr.value) {
                Ok(datum) => self.datum_notation(&datum),
                Err(_) => match self.unbound(pieces) {
                    Ok(Some(name)) => format!("<{name}>"),
                    _ => "<…>".to_owned(),
                },
            },
            _ => match self.scalar(pieces) {
                Ok(text) => text_notation(&text),
                Err(_) => "<…>".to_owned(),
            },
        }
    }

    fn datum_notation(&self, datum: &Datum) -> String {
        match datum {
            Datum::Absent => "<absent>".to_owned(),
            Datum::Written(written) => self.notation(written),
            Datum::Field(value) => of_value(value),
            _ => self
                .text(datum)
                .map_or("<…>".to_owned(), |text| text_notation(&text)),
        }
    }
}

/// A value of a field as a scenario writes it.
pub(super) fn of_value(value: &Value) -> String {
    match value {
        Value::Flag(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Text(text) | Value::Binary(text) => text_notation(text),
        Value::Numbers(numbers) => list(numbers.iter().map(u64::to_string)),
        Value::Texts(texts) => list(texts.iter().map(|text| text_notation(text))),
        Value::Pairs(pairs) => {
            list(pairs.iter().map(|(name, value)| {
                list([name, value].into_iter().map(|side| text_notation(side)))
            }))
        }
        Value::Filters(records) => list(
            records
                .iter()
                .map(|record| of_value(&Value::Record(record.clone()))),
        ),
        Value::Record(record) => {
            let fields: Vec<_> = record
                .iter()
                .map(|(spec, value)| format!("{}: {}", spec.name, of_value(value)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// Text as it can stand in a scenario: plain where YAML leaves it alone, else quoted, else as hex.
fn text_notation(text: &[u8]) -> String {
    const SHOWN: usize = 80;
    let Ok(text) = std::str::from_utf8(text) else {
        return data(text);
    };
    if text.len() > SHOWN {
        return format!("{{ size: {} }}", text.len());
    }
    let plain = !text.is_empty()
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "/_.$+- ".contains(letter))
        && !text.starts_with(['-', ' ', '+'])
        && !text.ends_with(' ');
    if plain {
        text.to_owned()
    } else {
        format!("{text:?}")
    }
}

fn data(bytes: &[u8]) -> String {
    format!("{{ hex: {} }}", super::connection::hex(bytes))
}
/// Writes `<t>` for the token of the case wherever it stands, so that what is told of one run can be pasted into a
/// scenario and reads as that of any other.
pub(super) fn generalise(
    namespace: &Namespace,
    trace: &mut [Entry],
    findings: &mut [Finding],
    notes: &mut [String],
) {
    for entry in trace {
        match &mut entry.what {
            Happening::Sent { notation, .. } | Happening::Received { notation, .. } => {
                *notation = pasteable(namespace, notation);
            }
            Happening::Remark(text) => *text = named(namespace, text),
            _ => {}
        }
    }
    for finding in findings {
        generalise_finding(namespace, finding);
    }
    for note in notes {
        *note = named(namespace, note);
    }
}

/// The same for one finding.
pub(super) fn generalise_finding(namespace: &Namespace, finding: &mut Finding) {
    finding.message = named(namespace, &finding.message);
    for text in [&mut finding.expected, &mut finding.received]
        .into_iter()
        .flatten()
    {
        *text = named(namespace, text);
    }
}

/// What went over the wire, as a scenario writes it.
fn pasteable(namespace: &Namespace, notation: &str) -> String {
    named(namespace, &notation.replace('<', "<<"))
}

fn named(namespace: &Namespace, text: &str) -> String {
    text.replace(&namespace.token, "<t>")
}
