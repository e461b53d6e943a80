//! Steps: a head, its value, and what stands beside it.

use super::head::{self, Head, LinkWord, StepWord};
use super::packets;
use super::values::{self, Side};
use super::{Context, top};
use crate::ast::{Action, Fields, LinkAct, Name, Step, Subject, Timing, Verb};
use crate::diagnostic::Diagnostic;
use crate::duration;
use crate::node::{Entry, Kind, Node, Scalar};
use crate::source::{Span, Spanned};
use crate::vocabulary::{self, Slot};

/// Reads a list of steps; `field` is its name, for messages.
pub(super) fn list(cx: &mut Context<'_>, node: &Node, field: &str) -> Vec<Step> {
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

fn step(cx: &mut Context<'_>, node: &Node) -> Option<Step> {
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

fn step_with_value(cx: &mut Context<'_>, entries: &[Entry], span: Span) -> Option<Step> {
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
    // `a publishes:` with its fields in its own column is one mistake, whatever the number of fields.
    let is_field = |entry: &&Entry| !entry.key.value.text.contains(' ');
    let unindented = matches!(first.value.kind, Kind::Null) && others.iter().all(is_field);
    let told = if unindented { 1 } else { others.len() };
    for other in others.iter().take(told) {
        let fault = Diagnostic::error(
            other.key.span,
            format!("`{}` cannot stand beside a step", other.key.value.text),
        );
        cx.report(fault.and(first.key.span, "the step").help(if unindented {
            "indent the fields of a step deeper than the step, or write `{ … }` behind it"
        } else {
            "a new step begins with `- `; beside a step stand `why` and `clause` only"
        }));
    }
    if unindented && !others.is_empty() {
        return None;
    }
    let action = action(cx, &first.key.value, first.key.span, &first.value)?;
    Some(Step {
        action: Spanned::new(action, first.key.span),
        why,
        clause,
    })
}

fn action(cx: &mut Context<'_>, text: &Scalar, span: Span, value: &Node) -> Option<Action> {
    match head::read(cx, text, span)? {
        Head::Send {
            who,
            forbidden,
            object,
            capture,
        } => packets::send(cx, who, forbidden, object, capture, value),
        Head::Receive {
            who,
            object,
            timing,
        } => packets::receive(cx, who, object, timing, value),
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

fn word_step(cx: &mut Context<'_>, word: StepWord, value: &Node) -> Option<Action> {
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

fn does(
    cx: &mut Context<'_>,
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
fn answered(cx: &mut Context<'_>, verb: Verb, place: &str, entry: &Entry) -> Fields {
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

fn opens(cx: &mut Context<'_>, value: &Node) -> Option<Fields> {
    let entries = map_or_nothing(cx, value, "`opens`")?;
    Some(values::fields(
        cx,
        entries,
        &vocabulary::opens(),
        Side::Sent,
        "`opens`",
    ))
}

fn alternatives(cx: &mut Context<'_>, value: &Node) -> Option<Vec<(Name, Vec<Step>)>> {
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

fn seconds(cx: &mut Context<'_>, value: &Node, field: &str) -> Option<Spanned<crate::ast::Expr>> {
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

/// The entries of a map that may be left out.
pub(super) fn map_or_nothing<'a>(
    cx: &mut Context<'_>,
    value: &'a Node,
    what: &str,
) -> Option<&'a [Entry]> {
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
pub(super) fn bare<T>(cx: &mut Context<'_>, value: &Node, done: T) -> Option<T> {
    if matches!(value.kind, Kind::Null) {
        return Some(done);
    }
    cx.report(Diagnostic::error(value.span, "this step takes no value"));
    None
}
