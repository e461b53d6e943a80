//! Versions: no step sends or expects what the version that it is played in does not have, and what it sends as sound is.

use std::collections::{BTreeMap, BTreeSet};

use codec::draft::Kind;
use codec::{Direction, PacketType, Version, Violation};

use super::sound;
use crate::ast::{Action, Fields, Packet, Piece, Row, Scenario, Step, Value, Verb};
use crate::bytes::{self, Part};
use crate::condition;
use crate::diagnostic::Diagnostic;
use crate::expand;
use crate::source::{Span, Spanned};
use crate::vocabulary::{self, Slot, Term};

/// Checks every case of the scenario: each row in each of its versions, along the branches that it takes.
pub(super) fn check(scenario: &Scenario, faults: &mut Vec<Diagnostic>) {
    let mut seen = BTreeSet::new();
    let mut unsound = Vec::new();
    let others = faults.len();
    for row in &scenario.each {
        for version in expand::versions(scenario, row) {
            let mut walk = Walk {
                row,
                version,
                clients: BTreeMap::new(),
                seen: &mut seen,
                faults,
                unsound: &mut unsound,
            };
            for client in &scenario.clients {
                let version = walk.client_version(&client.options, Some(version));
                walk.clients.insert(&client.name.value, version);
                walk.fields(&client.options, &vocabulary::client(), version);
            }
            let start = walk.clients.clone();
            for steps in scenario.control.iter().chain([&scenario.steps]) {
                walk.clients.clone_from(&start);
                walk.steps(steps);
            }
        }
    }
    // Whoever confuses two versions is not helped by what the wrong one forbids.
    if faults.len() == others {
        faults.append(&mut unsound);
    }
}

struct Walk<'a, 'f> {
    row: &'a Row,
    version: Version,
    /// The version that each client speaks; `None` where only the case knows it.
    clients: BTreeMap<&'a str, Option<Version>>,
    /// Places that are reported already, for another row or version.
    seen: &'f mut BTreeSet<(usize, usize)>,
    faults: &'f mut Vec<Diagnostic>,
    /// What is wrong with packets that stand there as sound.
    unsound: &'f mut Vec<Diagnostic>,
}

impl<'a> Walk<'a, '_> {
    fn steps(&mut self, steps: &'a [Step]) {
        for step in steps {
            self.step(step);
        }
    }

    fn step(&mut self, step: &'a Step) {
        let action = &step.action.value;
        match action {
            Action::InVersion { versions, .. } if !versions.contains(&self.version) => return,
            Action::If { condition, .. }
                if condition::decide(&condition.value, self.row) == Some(false) =>
            {
                return;
            }
            Action::Do {
                who,
                verb: Verb::Connects,
                fields,
                ..
            } => {
                for name in who.names() {
                    let old = self.spoken(&name.value);
                    let version = self.client_version(fields, old);
                    self.clients.insert(&name.value, version);
                }
            }
            _ => {}
        }
        let names = action.subject().map_or(&[][..], |who| who.names());
        let version = match names.first() {
            Some(name) => self.spoken(&name.value),
            None => Some(self.version),
        };
        if let Some(version) = version {
            self.action(action, version);
        }
        for block in action.blocks() {
            self.steps(block);
        }
    }

    fn spoken(&self, client: &str) -> Option<Version> {
        self.clients
            .get(client)
            .copied()
            .unwrap_or(Some(self.version))
    }

    /// The version that a client speaks with these options.
    fn client_version(&self, options: &Fields, otherwise: Option<Version>) -> Option<Version> {
        let Some(value) = options.get("version") else {
            return otherwise;
        };
        condition::literal(&value.value, self.row).and_then(|text| text.parse().ok())
    }

    fn action(&mut self, action: &Action, version: Version) {
        match action {
            Action::Send {
                packet, forbidden, ..
            } => self.sent(packet, *forbidden, version),
            Action::Together {
                packets, forbidden, ..
            } => {
                for packet in packets {
                    self.sent(packet, *forbidden, version);
                }
            }
            Action::SendBytes { bytes, .. } | Action::ExpectBytes { bytes, .. } => {
                for part in &bytes.value {
                    self.inserted(part);
                }
            }
            Action::Expect { packet, .. } => {
                let packet_type = packet.packet_type.value;
                if !self.travels(packet, Direction::ToClient, version) {
                    return;
                }
                let terms = vocabulary::packet_expected(packet_type);
                self.fields(&packet.fields, &terms, Some(version));
                self.reasons(&packet.fields, &terms);
            }
            Action::Do {
                verb, fields, gets, ..
            } => {
                self.fields(fields, &vocabulary::verb(*verb), Some(version));
                self.done(*verb, fields, version);
                if let Some(terms) = vocabulary::gets(*verb) {
                    self.fields(gets, &terms, Some(version));
                    self.reasons(gets, &terms);
                }
            }
            _ => {}
        }
    }

    fn sent(&mut self, packet: &Packet, forbidden: bool, version: Version) {
        if forbidden && packet.but.is_none() {
            return;
        }
        let packet_type = packet.packet_type.value;
        if !self.travels(packet, Direction::ToServer, version) {
            return;
        }
        let terms = vocabulary::packet_sent(packet_type);
        self.fields(&packet.fields, &terms, Some(version));
        let Some(violation) = sound::violation(packet_type, &packet.fields, self.row, version)
        else {
            return;
        };
        self.unsound(
            packet.packet_type.span,
            &packet.fields,
            &violation,
            if forbidden {
                "put what is wrong under `but`: the control twin sends the packet without it"
            } else {
                "write `!>`, and what is wrong under `but`"
            },
        );
    }

    /// Verbs send sound packets only.
    fn done(&mut self, verb: Verb, fields: &Fields, version: Version) {
        let packet_type = match verb {
            Verb::Connects => PacketType::Connect,
            Verb::Publishes => PacketType::Publish,
            Verb::Subscribes => PacketType::Subscribe,
            Verb::Disconnects => PacketType::Disconnect,
            _ => return,
        };
        let violation = sound::violation(packet_type, fields, self.row, version);
        if let (Some((_, first)), Some(violation)) = (fields.0.first(), violation) {
            let help = format!("write `!> {packet_type}`, and what is wrong under `but`");
            self.unsound(first.span, fields, &violation, &help);
        }
    }

    fn unsound(&mut self, span: Span, fields: &Fields, violation: &Violation, help: &str) {
        let (outer, inner) = violation
            .field
            .split_once('.')
            .unwrap_or((violation.field, ""));
        let named = |wanted: &str| fields.0.iter().find(|(name, _)| name.value == wanted);
        let field = named(inner).or_else(|| named(outer));
        let place = field.map_or(span, |(_, value)| value.span);
        if !self.seen.insert((place.start, place.end)) {
            return;
        }
        let clause = violation.clause.clause();
        self.unsound.push(
            Diagnostic::error(
                place,
                format!(
                    "the standard forbids this: {} must be {}, and here is {}",
                    violation.field, violation.expected, violation.found
                ),
            )
            .note(format!("{}: {}", violation.clause.name(), clause.summary))
            .note(self.case())
            .help(help),
        );
    }

    /// Whether such a packet may travel this way; reports it if not.
    fn travels(&mut self, packet: &Packet, direction: Direction, version: Version) -> bool {
        let Spanned {
            value: packet_type,
            span,
        } = packet.packet_type;
        let sender = match direction {
            Direction::ToServer => "client",
            Direction::ToClient => "server",
        };
        if packet_type.travels(direction, version) {
            return true;
        }
        if Version::ALL
            .into_iter()
            .any(|other| packet_type.travels(direction, other))
        {
            self.report(
                span,
                format!("a {sender} sends no {packet_type} in {version}"),
            );
        } else if self.seen.insert((span.start, span.end)) {
            let fault = Diagnostic::error(span, format!("a {sender} sends no {packet_type}"));
            self.faults.push(match direction {
                Direction::ToServer => fault.help("write `!>` for what the specification forbids"),
                Direction::ToClient => fault,
            });
        }
        false
    }

    fn fields(&mut self, fields: &Fields, terms: &[Term], version: Option<Version>) {
        let Some(version) = version else {
            return;
        };
        for (name, value) in &fields.0 {
            let Some(term) = terms.iter().find(|term| term.name == name.value) else {
                continue;
            };
            if !term.versions.contains(&version) && !matches!(value.value, Value::Absent) {
                self.report(
                    name.span,
                    format!("the field `{}` does not exist in {version}", name.value),
                );
            } else {
                self.value(value, term.slot, version);
            }
        }
    }

    /// A reason that is left out means `success`, so none is ever absent.
    fn reasons(&mut self, fields: &Fields, terms: &[Term]) {
        for (name, value) in &fields.0 {
            let term = terms.iter().find(|term| term.name == name.value);
            let is_reason =
                term.is_some_and(|term| matches!(term.slot, Slot::Field(Kind::ReasonCode)));
            if is_reason
                && matches!(value.value, Value::Absent)
                && self.seen.insert((value.span.start, value.span.end))
            {
                self.faults.push(
                    Diagnostic::error(value.span, "a reason is never absent")
                        .note("a packet that leaves it out means `success`")
                        .help(format!("write `{}: success`", name.value)),
                );
            }
        }
    }

    fn value(&mut self, value: &Spanned<Value>, slot: Slot, version: Version) {
        match (&value.value, slot) {
            (Value::Record(fields), Slot::Field(Kind::Record(specs) | Kind::Records(specs))) => {
                self.fields(fields, &vocabulary::record(specs), Some(version));
            }
            (Value::List(items), Slot::Field(Kind::Records(_))) => {
                for item in items {
                    self.value(item, slot, version);
                }
            }
            (Value::Scalar(pieces), Slot::Field(_)) => self.row_value(pieces, slot, value.span),
            _ => {}
        }
    }

    /// A field that takes an axis takes every value of the axis.
    fn row_value(&mut self, pieces: &[Piece], slot: Slot, span: Span) {
        let Some((axis, bound)) = condition::axis(pieces, self.row) else {
            return;
        };
        let Value::Scalar(written) = &bound.value else {
            return;
        };
        if let [Piece::Text(text)] = &written[..]
            && !text.contains("..")
            && let Some(fault) = crate::parse::literal_fault(text, bound.span, slot)
            && self.seen.insert((bound.span.start, span.start))
        {
            self.faults
                .push(fault.and(span, format!("taken by this field as `<{axis}>`")));
        }
    }

    /// An axis that stands bare among raw bytes has values in their notation.
    fn inserted(&mut self, part: &Part) {
        let Part::Inserted(expression) = part else {
            return;
        };
        let Some((axis, bound)) = condition::axis_of(expression, self.row) else {
            return;
        };
        if let Value::Scalar(pieces) = &bound.value
            && let [Piece::Text(text)] = &pieces[..]
            && let Err(error) = bytes::parse(text, &|_| bound.span)
            && self.seen.insert((bound.span.start, expression.span.start))
        {
            self.faults.push(
                Diagnostic::error(bound.span, error.message)
                    .and(expression.span, format!("inserted here as `<{axis}>`")),
            );
        }
    }

    /// Which case the fault is of.
    fn case(&self) -> String {
        if self.row.name.is_empty() {
            format!("the scenario is played in {}", self.version)
        } else {
            format!("the row `{}` is played in {}", self.row.name, self.version)
        }
    }

    fn report(&mut self, span: Span, message: String) {
        if self.seen.insert((span.start, span.end)) {
            let case = self.case();
            self.faults
                .push(Diagnostic::error(span, message).note(case).help(
                "put the step under `in v5.0:` (or the version that has it), or name `versions`",
            ));
        }
    }
}
