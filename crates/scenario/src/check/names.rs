//! Names: every variable is bound before it is used, used after it is bound, and means one thing.

use std::collections::{BTreeMap, BTreeSet};

use super::{members, walk};
use crate::ast::{
    Action, Expr, Fields, LinkAct, Matcher, Over, Packet, Scenario, Step, Subject, Timing, Value,
    Verb,
};
use crate::bytes::Part;
use crate::diagnostic::Diagnostic;
use crate::parse::sole_expression;
use crate::source::{Span, Spanned};

/// Names that mean something everywhere.
const TAKEN: [&str; 8] = ["t", "g", "target", "auth", "absent", "since", "min", "max"];
/// Checks the names of a scenario.
pub(super) fn check(scenario: &Scenario, faults: &mut Vec<Diagnostic>) {
    let mut names = Names::new(scenario, faults);
    names.rows(scenario);
    for client in &scenario.clients {
        names.uses(&client.options);
    }
    let start = names.bound.clone();
    if let Some(control) = &scenario.control {
        names.steps(control);
        names.bound = start;
    }
    names.steps(&scenario.steps);
    names.unused();
}

/// How a name came to be bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Axis,
    Loop,
    Capture,
    Expectation,
}

struct Names<'a> {
    clients: BTreeMap<&'a str, Span>,
    bound: BTreeMap<&'a str, (Origin, Span)>,
    /// Every binding that must be used, by its place.
    bindings: BTreeMap<(usize, &'a str), Span>,
    /// Names bound by `as`, which compare nothing anyway.
    captures: BTreeSet<&'a str>,
    used: BTreeSet<&'a str>,
    faults: &'a mut Vec<Diagnostic>,
}

impl<'a> Names<'a> {
    fn new(scenario: &'a Scenario, faults: &'a mut Vec<Diagnostic>) -> Self {
        let mut clients = BTreeMap::new();
        for client in &scenario.clients {
            clients.insert(client.name.value.as_str(), client.name.span);
        }
        let all = scenario.control.iter().chain([&scenario.steps]);
        for steps in all {
            walk::each_step(steps, &mut |step| {
                let subject = step.action.value.subject();
                for name in subject.map_or(&[][..], Subject::names) {
                    clients.entry(&name.value).or_insert(name.span);
                }
            });
        }
        Self {
            clients,
            bound: BTreeMap::new(),
            bindings: BTreeMap::new(),
            captures: BTreeSet::new(),
            used: BTreeSet::new(),
            faults,
        }
    }

    fn rows(&mut self, scenario: &'a Scenario) {
        for row in &scenario.each {
            for (name, value) in &row.bindings {
                if !self.bound.contains_key(name.value.as_str()) {
                    self.bind(name, Origin::Axis);
                }
                let mut wrong = Vec::new();
                walk::each_expression(value, &mut |expression, span| {
                    if !matches!(expression, Expr::Variable(name) if TAKEN.contains(&name.as_str()))
                        && !matches!(expression, Expr::Member(_))
                    {
                        wrong.push(span);
                    }
                });
                self.faults.extend(wrong.into_iter().map(|span| {
                    Diagnostic::error(span, "a variable in the value of an axis")
                        .note("rows are made before anything is bound; `<t>` and `<g>` are known")
                }));
            }
        }
        // A row that lacks an axis of another row would leave the variable unbound in its case.
        let axes: Vec<(&str, Span)> = self
            .bound
            .iter()
            .map(|(name, (_, span))| (*name, *span))
            .collect();
        for row in &scenario.each {
            for (axis, span) in &axes {
                if !row.bindings.iter().any(|(name, _)| name.value == *axis) {
                    self.faults.push(Diagnostic::error(
                        *span,
                        format!("the row `{}` gives no value for `<{axis}>`", row.name),
                    ));
                }
            }
        }
    }

    fn bind(&mut self, name: &'a Spanned<String>, origin: Origin) {
        let text = name.value.as_str();
        if TAKEN.contains(&text) {
            self.taken(text, name.span);
            return;
        }
        if let Some(client) = self.clients.get(text) {
            self.faults.push(
                Diagnostic::error(name.span, format!("`{text}` is the name of a client"))
                    .and(*client, "the client"),
            );
            return;
        }
        if let Some((_, first)) = self.bound.get(text) {
            self.faults.push(
                Diagnostic::error(name.span, format!("`<{text}>` is bound already"))
                    .and(*first, "first here"),
            );
            return;
        }
        self.bound.insert(text, (origin, name.span));
        if origin != Origin::Loop {
            self.bindings.insert((name.span.start, text), name.span);
        }
    }

    fn taken(&mut self, name: &str, span: Span) {
        let fault = Diagnostic::error(span, format!("`<{name}>` is taken"));
        self.faults.push(match name {
            "t" => fault.note("`<t>` stands for the case's own topic level"),
            "g" => fault.note("`<g>` stands for the case's own share name"),
            _ => fault.note("the word has a meaning in `<…>`"),
        });
    }

    fn steps(&mut self, steps: &'a [Step]) {
        for step in steps {
            self.step(step);
        }
    }

    fn step(&mut self, step: &'a Step) {
        let action = &step.action.value;
        if let Some(Subject::Captured(name)) = action.subject() {
            self.use_name(&name.value, name.span);
        }
        match action {
            Action::Send {
                packet, capture, ..
            } => {
                self.packet_sent(packet);
                self.capture(capture.as_ref());
            }
            Action::Together { packets, .. } => {
                for packet in packets {
                    self.packet_sent(packet);
                }
            }
            Action::SendBytes { bytes, .. } => self.bytes(&bytes.value),
            Action::ExpectBytes { bytes, timing, .. } => {
                self.bytes(&bytes.value);
                self.timing(timing);
            }
            Action::Expect { packet, timing, .. } => {
                self.expects(&packet.fields);
                self.timing(timing);
            }
            Action::Closed { timing, .. } => self.timing(timing),
            Action::Nothing { period, timing, .. } => {
                self.optional(period.as_ref());
                self.timing(timing);
            }
            Action::Do {
                verb,
                fields,
                gets,
                timing,
                ..
            } => {
                if *verb == Verb::Receives {
                    self.expects(fields);
                } else {
                    self.uses(fields);
                }
                self.expects(gets);
                self.timing(timing);
            }
            Action::Link { act, capture, .. } => {
                match act {
                    LinkAct::Opens(options) => self.opens(options),
                    LinkAct::Stalls(period) => self.expression(&period.value, period.span),
                    LinkAct::Closes | LinkAct::HalfCloses | LinkAct::Cuts => {}
                }
                self.capture(capture.as_ref());
            }
            Action::Wait(period) => self.expression(&period.value, period.span),
            Action::Note(value) => self.uses_value(value),
            Action::Any(alternatives) => {
                let before = self.bound.clone();
                let mut after = before.clone();
                for (_, steps) in alternatives {
                    self.bound.clone_from(&before);
                    self.steps(steps);
                    after.append(&mut self.bound);
                }
                self.bound = after;
            }
            Action::For {
                variable,
                over,
                steps,
            } => {
                match over {
                    Over::Range(low, high) => {
                        self.expression(&low.value, low.span);
                        self.expression(&high.value, high.span);
                    }
                    Over::List(values) => {
                        for value in values {
                            self.uses_value(value);
                        }
                    }
                }
                self.bind(variable, Origin::Loop);
                self.steps(steps);
                self.bound
                    .retain(|_, (origin, span)| *origin != Origin::Loop || *span != variable.span);
            }
            Action::If { condition, steps } => {
                let condition = &condition.value;
                self.expression(&condition.left.value, condition.left.span);
                self.uses_value(&condition.right);
                self.steps(steps);
            }
            Action::All(steps)
            | Action::InOrder(steps)
            | Action::AtOnce(steps)
            | Action::Should(steps)
            | Action::InVersion { steps, .. } => self.steps(steps),
            Action::TargetRestarts | Action::TargetDies | Action::Skip(_) => {}
        }
    }

    fn packet_sent(&mut self, packet: &'a Packet) {
        self.uses(&packet.fields);
        if let Some(but) = &packet.but {
            self.uses(&but.value.fields);
            for (_, value) in &but.value.lies {
                self.uses_value(value);
            }
        }
    }

    fn opens(&mut self, options: &'a Fields) {
        for (name, value) in &options.0 {
            if name.value == "gets" {
                self.expects_value(value);
            } else {
                self.uses_value(value);
            }
        }
    }

    fn bytes(&mut self, parts: &'a [Part]) {
        for part in parts {
            match part {
                Part::Bytes(_) => {}
                Part::Text(pieces) | Part::String(pieces) => {
                    for piece in pieces {
                        if let crate::ast::Piece::Expr(expression) = piece {
                            self.expression(&expression.value, expression.span);
                        }
                    }
                }
                Part::Inserted(value) | Part::Number { value, .. } => {
                    self.expression(&value.value, value.span);
                }
            }
        }
    }

    fn timing(&mut self, timing: &'a Timing) {
        self.optional(timing.after.as_ref());
        self.optional(timing.within.as_ref());
        if let Some(since) = &timing.since {
            self.use_name(&since.value, since.span);
        }
        self.capture(timing.capture.as_ref());
    }

    fn capture(&mut self, capture: Option<&'a Spanned<String>>) {
        if let Some(name) = capture {
            self.captures.insert(&name.value);
            self.bind(name, Origin::Capture);
        }
    }

    fn optional(&mut self, expression: Option<&'a Spanned<Expr>>) {
        if let Some(expression) = expression {
            self.expression(&expression.value, expression.span);
        }
    }

    fn uses(&mut self, fields: &'a Fields) {
        for (_, value) in &fields.0 {
            self.uses_value(value);
        }
    }

    fn uses_value(&mut self, value: &'a Spanned<Value>) {
        let mut found = Vec::new();
        walk::each_expression(value, &mut |expression, span| {
            found.push((expression, span));
        });
        for (expression, span) in found {
            self.expression(expression, span);
        }
    }

    fn expects(&mut self, fields: &'a Fields) {
        for (_, value) in &fields.0 {
            self.expects_value(value);
        }
    }

    /// A variable that stands alone in an expectation is bound there, unless it is bound already.
    fn expects_value(&mut self, value: &'a Spanned<Value>) {
        match &value.value {
            Value::Scalar(pieces) => match sole_expression(pieces) {
                Some(expression) => match &expression.value {
                    Expr::Variable(name) if !self.is_known(name) => {
                        self.bound
                            .insert(name, (Origin::Expectation, expression.span));
                        self.bindings
                            .insert((expression.span.start, name), expression.span);
                    }
                    Expr::Variable(name) if name == "g" => self.taken(name, expression.span),
                    Expr::Indexed(name, index) => {
                        self.expression(index, expression.span);
                        if self.is_known(name) {
                            self.use_name(name, expression.span);
                        } else {
                            self.bound
                                .insert(name, (Origin::Expectation, expression.span));
                            self.bindings
                                .insert((expression.span.start, name), expression.span);
                        }
                    }
                    other => self.expression(other, expression.span),
                },
                None => self.uses_value(value),
            },
            Value::List(items) => {
                for item in items {
                    self.expects_value(item);
                }
            }
            Value::Record(fields) => self.expects(fields),
            Value::Matcher(matcher) => match &**matcher {
                Matcher::Exactly(value) => self.expects_value(value),
                _ => self.uses_value(value),
            },
            Value::Absent => {}
        }
    }

    fn is_known(&self, name: &str) -> bool {
        self.bound.contains_key(name) || TAKEN.contains(&name) || self.clients.contains_key(name)
    }

    fn expression(&mut self, expression: &'a Expr, span: Span) {
        match expression {
            Expr::Number(_) => {}
            Expr::Variable(name) | Expr::Since(name) | Expr::AuthAnswer(name) => {
                self.use_name(name, span);
            }
            Expr::Indexed(name, index) => {
                self.use_name(name, span);
                self.expression(index, span);
            }
            Expr::Member(path) => self.member(path, span),
            Expr::Binary(_, left, right) => {
                self.expression(left, span);
                self.expression(right, span);
            }
        }
    }

    fn use_name(&mut self, name: &'a str, span: Span) {
        if matches!(name, "t" | "g") {
            return;
        }
        if self.bound.contains_key(name) {
            self.used.insert(name);
            return;
        }
        // That it is never used behind its binding says nothing new.
        self.used.insert(name);
        let fault = Diagnostic::error(span, format!("`<{name}>` is bound nowhere before this"))
            .help("an expectation binds it, an axis of `each`, or `as`");
        let known = self.bound.keys().copied().chain(["t", "g"]);
        self.faults.push(if self.clients.contains_key(name) {
            fault.help(format!("`{name}` is a client; its id is `<{name}.id>`"))
        } else {
            fault.suggest_only(name, known)
        });
    }

    fn member(&mut self, path: &'a [String], span: Span) {
        let fault = match path {
            [first, ..] if matches!(first.as_str(), "target" | "auth") => {
                members::of_the_target(path, span)
            }
            [client, rest @ ..] if self.clients.contains_key(client.as_str()) => {
                members::of_a_client(rest, span)
            }
            [variable, rest @ ..] if self.bound.contains_key(variable.as_str()) => {
                self.used.insert(variable);
                members::of_a_client(rest, span)
            }
            [first, ..] => {
                let known = self.clients.keys().copied().chain(["target", "auth"]);
                Some(
                    Diagnostic::error(span, format!("there is no client `{first}`"))
                        .suggest(first, known),
                )
            }
            [] => None,
        };
        self.faults.extend(fault);
    }

    fn unused(&mut self) {
        for ((_, name), span) in &self.bindings {
            if !self.used.contains(name) {
                let message = format!("`<{name}>` is never used");
                let fault = if self.captures.contains(name) {
                    Diagnostic::warning(*span, message)
                } else {
                    Diagnostic::error(*span, message)
                        .note("a variable that is bound and not used compares nothing")
                };
                self.faults
                    .push(fault.help("remove it, or use it in a later step"));
            }
        }
    }
}
