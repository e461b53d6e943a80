//! Packets in steps: what is sent, forbidden or expected, and raw bytes.

use codec::{PacketType, ReasonCode, Version};

use super::Context;
use super::head::{self, Received, Sent};
use super::steps::{bare, map_or_nothing};
use super::values::{self, Side};
use crate::ast::{Action, But, Name, Packet, Subject, Timing};
use crate::bytes::{self, Part};
use crate::diagnostic::Diagnostic;
use crate::node::{Entry, Kind, Node};
use crate::source::Spanned;
use crate::{typing, vocabulary};

/// `a -> …` and `a !> …`.
pub(super) fn send(
    cx: &mut Context<'_>,
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

fn packet_of_together(cx: &mut Context<'_>, item: &Node, forbidden: bool) -> Option<Packet> {
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
    cx: &mut Context<'_>,
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
    cx: &mut Context<'_>,
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

/// `a <- …`.
pub(super) fn receive(
    cx: &mut Context<'_>,
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
fn reasons(cx: &mut Context<'_>, value: &Node) -> Vec<Spanned<ReasonCode>> {
    if matches!(value.kind, Kind::Null) {
        return Vec::new();
    }
    let mut reasons = Vec::new();
    for name in cx.texts(value, "closed") {
        match typing::reason_code(&name.value, Version::V5_0) {
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

fn raw_bytes(cx: &mut Context<'_>, value: &Node) -> Option<Spanned<Vec<Part>>> {
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
