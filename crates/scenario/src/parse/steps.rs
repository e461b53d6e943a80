//! Steps: a head, its value, and what stands beside it.

use codec::PacketType;

use super::head::{self, Head, LinkWord, Received, Sent, StepWord};
use super::values::{self, Side};
use super::{Context, top};
use crate::ast::{Action, But, Fields, LinkAct, Name, Packet, Step, Subject, Timing, Verb};
use crate::bytes::{self, Part};
use crate::diagnostic::Diagnostic;
use crate::node::{Entry, Kind, Node, Scalar};
use crate::source::{Span, Spanned};
use crate::vocabulary::{self, Slot};
use crate::{duration, typing};

/// Reads a list of steps; `field` is its name, for messages.
pub(super) fn list(cx: &mut Context, node: &Node, field: &str) -> Vec<Step> {
    match &node.kind {
        Kind::List { items, .. } if !items.is_empty() => {
            let mut steps = Vec::new();
            for item in items {
                if cx.is_full() {
                    break;
                }
                steps.extend(step(cx, item));
            }
            steps
        }
        Kind::List { .. } => {
            cx.report(Diagnostic::error(
                node.span,
                format!("`{field}` holds no step"),
            ));
            Vec::new()
        }
        _ => {
            cx.report(
                Diagnostic::error(
                    node.span,
                    format!(
                        "`{field}` wants a list of steps, and here is {}",
                        node.noun()
                    ),
                )
                .help("write each step on a line of its own, behind `- `"),
            );
            Vec::new()
        }
    }
}

fn step(cx: &mut Context, node: &Node) -> Option<Step> {
    match &node.kind {
        Kind::Scalar(text) => {
            let nothing = Node {
                kind: Kind::Null,
                span: node.span,
            };
            let action = action(cx, text, node.span, &nothing)?;
            Some(Step {
                action: Spanned::new(action, node.span),
                why: None,
                clause: Vec::new(),
            })
        }
        Kind::Map { entries, .. } => step_with_value(cx, entries, node.span),
        _ => {
            cx.report(Diagnostic::error(
                node.span,
                format!("a step was expected, and here is {}", node.noun()),
            ));
            None
        }
    }
}

fn step_with_value(cx: &mut Context, entries: &[Entry], span: Span) -> Option<Step> {
    let mut why = None;
    let mut clause = Vec::new();
    let mut heads: Vec<&Entry> = Vec::new();
    for entry in entries {
        match entry.key.value.text.as_str() {
            "why" => why = cx.text(&entry.value, "why"),
            "clause" => clause = top::clauses_of(cx, &entry.value),
            _ => heads.push(entry),
        }
    }
    let Some((first, others)) = heads.split_first() else {
        cx.report(Diagnostic::error(
            span,
            "here are `why` and `clause`, and no step",
        ));
        return None;
    };
    for other in others {
        cx.report(
            Diagnostic::error(
                other.key.span,
                format!("`{}` cannot stand beside a step", other.key.value.text),
            )
            .and(first.key.span, "the step")
            .help("a new step begins with `- `; beside a step stand `why` and `clause` only"),
        );
    }
    let action = action(cx, &first.key.value, first.key.span, &first.value)?;
    Some(Step {
        action: Spanned::new(action, first.key.span),
        why,
        clause,
    })
}

fn action(cx: &mut Context, text: &Scalar, span: Span, value: &Node) -> Option<Action> {
    match head::read(cx, text, span)? {
        Head::Send {
            who,
            forbidden,
            object,
            capture,
        } => send(cx, who, forbidden, object, capture, value),
        Head::Receive {
            who,
            object,
            timing,
        } => receive(cx, who, object, timing, value),
        Head::Verb { who, verb, timing } => does(cx, who, verb, timing, value),
        Head::Link { who, act, capture } => {
            let act = match act {
                LinkWord::Opens => LinkAct::Opens(opens(cx, value)?),
                LinkWord::Stalls => LinkAct::Stalls(seconds(cx, value, "stalls")?),
                LinkWord::Closes => bare(cx, value, LinkAct::Closes)?,
                LinkWord::HalfCloses => bare(cx, value, LinkAct::HalfCloses)?,
                LinkWord::Cuts => bare(cx, value, LinkAct::Cuts)?,
            };
            Some(Action::Link { who, act, capture })
        }
        Head::Word(word) => word_step(cx, word, value),
        Head::TargetRestarts => bare(cx, value, Action::TargetRestarts),
        Head::TargetDies => bare(cx, value, Action::TargetDies),
        Head::For { variable, over } => Some(Action::For {
            variable,
            over,
            steps: list(cx, value, "for"),
        }),
        Head::If(condition) => Some(Action::If {
            condition,
            steps: list(cx, value, "if"),
        }),
        Head::InVersion(versions) => Some(Action::InVersion {
            versions,
            steps: list(cx, value, "in"),
        }),
    }
}

fn word_step(cx: &mut Context, word: StepWord, value: &Node) -> Option<Action> {
    Some(match word {
        StepWord::Wait => Action::Wait(seconds(cx, value, "wait")?),
        StepWord::Skip => Action::Skip(cx.text(value, "skip")?),
        StepWord::Note => Action::Note(values::read(
            cx,
            value,
            Slot::Untyped,
            Side::Expected,
            "note",
        )?),
        StepWord::Any => Action::Any(alternatives(cx, value)?),
        StepWord::All => Action::All(list(cx, value, "all")),
        StepWord::InOrder => Action::InOrder(list(cx, value, "in order")),
        StepWord::AtOnce => Action::AtOnce(list(cx, value, "at once")),
        StepWord::Should => Action::Should(list(cx, value, "should")),
    })
}

fn send(
    cx: &mut Context,
    who: Subject,
    forbidden: bool,
    object: Sent,
    capture: Option<Name>,
    value: &Node,
) -> Option<Action> {
    match object {
        Sent::Packet(packet_type) => Some(Action::Send {
            who,
            packet: sent_packet(cx, packet_type, value, forbidden)?,
            forbidden,
            capture,
        }),
        Sent::Together => {
            let Kind::List { items, .. } = &value.kind else {
                cx.report(
                    Diagnostic::error(value.span, "`together` wants a list of packets")
                        .help("write `- PACKET: {fields}` for each"),
                );
                return None;
            };
            let packets = items
                .iter()
                .filter_map(|item| packet_of_together(cx, item, forbidden))
                .collect();
            Some(Action::Together {
                who,
                packets,
                forbidden,
            })
        }
        Sent::Bytes => Some(Action::SendBytes {
            who,
            bytes: raw_bytes(cx, value)?,
            forbidden,
        }),
    }
}

fn packet_of_together(cx: &mut Context, item: &Node, forbidden: bool) -> Option<Packet> {
    let nothing = Node {
        kind: Kind::Null,
        span: item.span,
    };
    let (name, span, value) = match &item.kind {
        Kind::Scalar(name) => (name, item.span, &nothing),
        Kind::Map { entries, .. } if entries.len() == 1 => {
            let Entry { key, value } = &entries[0];
            (&key.value, key.span, value)
        }
        _ => {
            cx.report(Diagnostic::error(
                item.span,
                format!("a packet was expected, and here is {}", item.noun()),
            ));
            return None;
        }
    };
    match head::packet_type(&name.text, span, &[]) {
        Ok(packet_type) => sent_packet(cx, packet_type, value, forbidden),
        Err(fault) => {
            cx.report(fault);
            None
        }
    }
}

fn sent_packet(
    cx: &mut Context,
    packet_type: Spanned<PacketType>,
    value: &Node,
    forbidden: bool,
) -> Option<Packet> {
    let entries = map_or_nothing(cx, value, packet_type.value.name())?;
    let (but, sound): (Vec<&Entry>, Vec<&Entry>) = entries
        .iter()
        .partition(|entry| entry.key.value.text == "but");
    let sound: Vec<Entry> = sound.into_iter().cloned().collect();
    let fields = values::fields(
        cx,
        &sound,
        &vocabulary::packet_sent(packet_type.value),
        Side::Sent,
        packet_type.value.name(),
    );
    let but = but
        .first()
        .and_then(|entry| defect(cx, packet_type.value, entry, forbidden));
    Some(Packet {
        packet_type,
        fields,
        but,
    })
}

/// `but: {…}`.
fn defect(
    cx: &mut Context,
    packet_type: PacketType,
    entry: &Entry,
    forbidden: bool,
) -> Option<Spanned<But>> {
    if !forbidden {
        cx.report(
            Diagnostic::error(entry.key.span, "`but` in a packet that is sent as sound")
                .help("write `!>` for what the specification forbids"),
        );
    }
    let Kind::Map { entries, .. } = &entry.value.kind else {
        cx.report(Diagnostic::error(
            entry.value.span,
            format!("`but` is a map, and here is {}", entry.value.noun()),
        ));
        return None;
    };
    if entries.is_empty() {
        cx.report(Diagnostic::error(
            entry.value.span,
            "`but` names no difference",
        ));
    }
    let lie_terms = vocabulary::lies();
    let is_lie = |entry: &&Entry| {
        lie_terms
            .iter()
            .any(|term| term.name == entry.key.value.text)
    };
    let mut lies = Vec::new();
    for Entry { key, value } in entries.iter().filter(is_lie) {
        let name = key.value.text.as_str();
        let Some(term) = lie_terms.iter().find(|term| term.name == name) else {
            continue;
        };
        if let Some(value) = values::read(cx, value, term.slot, Side::Sent, name) {
            lies.push((Spanned::new(name.to_owned(), key.span), value));
        }
    }
    let others: Vec<Entry> = entries
        .iter()
        .filter(|entry| !is_lie(entry))
        .cloned()
        .collect();
    let mut terms = vocabulary::forbidden(packet_type);
    // Known names of lies help when neither kind of name fits.
    terms.extend(lie_terms.iter().copied());
    let fields = values::fields(cx, &others, &terms, Side::Sent, packet_type.name());
    Some(Spanned::new(But { fields, lies }, entry.value.span))
}

fn receive(
    cx: &mut Context,
    who: Subject,
    object: Received,
    timing: Timing,
    value: &Node,
) -> Option<Action> {
    Some(match object {
        Received::Packet(packet_type) => {
            let entries = map_or_nothing(cx, value, packet_type.value.name())?;
            let fields = values::fields(
                cx,
                entries,
                &vocabulary::packet_expected(packet_type.value),
                Side::Expected,
                packet_type.value.name(),
            );
            Action::Expect {
                who,
                packet: Packet {
                    packet_type,
                    fields,
                    but: None,
                },
                timing,
            }
        }
        Received::Bytes => Action::ExpectBytes {
            who,
            bytes: raw_bytes(cx, value)?,
            timing,
        },
        Received::Closed => Action::Closed {
            who,
            reasons: reasons(cx, value),
            timing,
        },
        Received::Nothing(period) => bare(
            cx,
            value,
            Action::Nothing {
                who,
                period,
                timing,
            },
        )?,
    })
}

/// `closed: [reasons]`.
fn reasons(cx: &mut Context, value: &Node) -> Vec<Spanned<codec::ReasonCode>> {
    if matches!(value.kind, Kind::Null) {
        return Vec::new();
    }
    let mut reasons = Vec::new();
    for name in cx.texts(value, "closed") {
        match typing::reason_code(&name.value, codec::Version::V5_0) {
            Ok(code) => reasons.push(Spanned::new(code, name.span)),
            Err(error) => {
                let fault = Diagnostic::error(name.span, error.message);
                cx.report(match error.suggestion {
                    Some(near) => fault.help(format!("did you mean `{near}`?")),
                    None => fault,
                });
            }
        }
    }
    reasons
}

fn does(
    cx: &mut Context,
    who: Subject,
    verb: Verb,
    timing: Timing,
    value: &Node,
) -> Option<Action> {
    let name = head::VERBS
        .iter()
        .find(|(_, known)| *known == verb)
        .map_or("", |(name, _)| name);
    let entries = map_or_nothing(cx, value, &format!("`{name}`"))?;
    let (answer, own): (Vec<&Entry>, Vec<&Entry>) = entries
        .iter()
        .partition(|entry| entry.key.value.text == "gets");
    let own: Vec<Entry> = own.into_iter().cloned().collect();
    let side = if verb == Verb::Receives {
        Side::Expected
    } else {
        Side::Sent
    };
    let place = format!("`{name}`");
    let fields = values::fields(cx, &own, &vocabulary::verb(verb), side, &place);
    let mut gets = Fields::default();
    if let Some(entry) = answer.first() {
        gets = answered(cx, verb, &place, entry);
    }
    Some(Action::Do {
        who,
        verb,
        fields,
        gets,
        timing,
    })
}

/// `gets: {…}` of a verb.
fn answered(cx: &mut Context, verb: Verb, place: &str, entry: &Entry) -> Fields {
    let Some(terms) = vocabulary::gets(verb) else {
        cx.report(Diagnostic::error(
            entry.key.span,
            format!("{place} gets no answer that could be described"),
        ));
        return Fields::default();
    };
    let Kind::Map { entries, .. } = &entry.value.kind else {
        cx.report(Diagnostic::error(
            entry.value.span,
            format!("`gets` is a map, and here is {}", entry.value.noun()),
        ));
        return Fields::default();
    };
    let place = format!("the answer to {place}");
    values::fields(cx, entries, &terms, Side::Expected, &place)
}

fn opens(cx: &mut Context, value: &Node) -> Option<Fields> {
    let entries = map_or_nothing(cx, value, "`opens`")?;
    Some(values::fields(
        cx,
        entries,
        &vocabulary::opens(),
        Side::Sent,
        "`opens`",
    ))
}

fn alternatives(cx: &mut Context, value: &Node) -> Option<Vec<(Name, Vec<Step>)>> {
    let Kind::Map { entries, .. } = &value.kind else {
        cx.report(
            Diagnostic::error(
                value.span,
                format!("`any` is a map, and here is {}", value.noun()),
            )
            .help("give each alternative a name: `one copy: [steps]`"),
        );
        return None;
    };
    let alternatives = entries
        .iter()
        .map(|Entry { key, value }| {
            let name = Spanned::new(key.value.text.clone(), key.span);
            (name, list(cx, value, &key.value.text))
        })
        .collect();
    Some(alternatives)
}

fn seconds(cx: &mut Context, value: &Node, field: &str) -> Option<Spanned<crate::ast::Expr>> {
    let Some(text) = value.text() else {
        cx.report(
            Diagnostic::error(value.span, format!("`{field}` wants a duration"))
                .help(head::DURATION_HELP),
        );
        return None;
    };
    match duration::expression(&text.value.text, &|range| {
        text.value.place(range, value.span)
    }) {
        Ok(seconds) => Some(seconds),
        Err(error) => {
            let place = text.value.place(error.range, value.span);
            cx.report(Diagnostic::error(place, error.message).help(head::DURATION_HELP));
            None
        }
    }
}

fn raw_bytes(cx: &mut Context, value: &Node) -> Option<Spanned<Vec<Part>>> {
    let Some(text) = value.text() else {
        cx.report(
            Diagnostic::error(
                value.span,
                format!("`bytes` wants text, and here is {}", value.noun()),
            )
            .help("write hex such as `10 0c`, `string(text)` and `u16(60)`"),
        );
        return None;
    };
    match bytes::parse(&text.value.text, &|range| {
        text.value.place(range, value.span)
    }) {
        Ok(parts) => Some(Spanned::new(parts, value.span)),
        Err(error) => {
            let place = text.value.place(error.range, value.span);
            cx.report(
                Diagnostic::error(place, error.message)
                    .help("write hex such as `10 0c`, `string(text)` and `u16(60)`"),
            );
            None
        }
    }
}

fn map_or_nothing<'a>(cx: &mut Context, value: &'a Node, what: &str) -> Option<&'a [Entry]> {
    match &value.kind {
        Kind::Null => Some(&[]),
        Kind::Map { entries, .. } => Some(entries),
        _ => {
            cx.report(
                Diagnostic::error(
                    value.span,
                    format!(
                        "the fields of {what} are a map, and here is {}",
                        value.noun()
                    ),
                )
                .help("write `{ field: value, field: value }`"),
            );
            None
        }
    }
}

/// A step that takes no value.
fn bare<T>(cx: &mut Context, value: &Node, done: T) -> Option<T> {
    if matches!(value.kind, Kind::Null) {
        return Some(done);
    }
    cx.report(Diagnostic::error(value.span, "this step takes no value"));
    None
}
