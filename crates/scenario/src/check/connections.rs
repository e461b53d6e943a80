//! Connections: a client that is not connected before the first step must open one before anything else.

use std::collections::BTreeSet;

use codec::PacketType;

use crate::ast::{Action, LinkAct, Name, Scenario, Step, Subject, Verb};
use crate::diagnostic::{Diagnostic, nearest};

/// Checks that every client opens a connection before it uses it.
pub(super) fn check(scenario: &Scenario, faults: &mut Vec<Diagnostic>) {
    let connected: BTreeSet<&str> = scenario
        .clients
        .iter()
        .map(|client| client.name.value.as_str())
        .collect();
    let mut reported = BTreeSet::new();
    for steps in scenario.control.iter().chain([&scenario.steps]) {
        let mut walk = Walk {
            listed: &connected,
            opened: connected.clone(),
            gone: BTreeSet::new(),
            reported: &mut reported,
            faults,
        };
        walk.steps(steps);
    }
}

struct Walk<'a, 'f> {
    listed: &'f BTreeSet<&'a str>,
    /// Clients that have had a connection.
    opened: BTreeSet<&'a str>,
    /// Clients that have surely none now.
    gone: BTreeSet<&'a str>,
    reported: &'f mut BTreeSet<&'a str>,
    faults: &'f mut Vec<Diagnostic>,
}

impl<'a> Walk<'a, '_> {
    fn steps(&mut self, steps: &'a [Step]) {
        for step in steps {
            let action = &step.action.value;
            if let Some(subject) = action.subject() {
                for name in subject.names() {
                    self.client(name, action);
                }
                continue;
            }
            let blocks = action.blocks();
            let opened = self.opened.clone();
            let gone = self.gone.clone();
            let mut opened_after = opened.clone();
            let mut gone_after: Option<BTreeSet<&str>> = None;
            for block in blocks {
                self.opened.clone_from(&opened);
                self.gone.clone_from(&gone);
                self.steps(block);
                opened_after.extend(self.opened.iter().copied());
                let surely = match action {
                    // A block that may be left out proves nothing about what follows.
                    Action::If { .. } | Action::InVersion { .. } | Action::For { .. } => {
                        self.gone.intersection(&gone).copied().collect()
                    }
                    _ => self.gone.clone(),
                };
                gone_after = Some(match gone_after {
                    None => surely,
                    Some(other) => other.intersection(&surely).copied().collect(),
                });
            }
            self.opened = opened_after;
            self.gone = gone_after.unwrap_or(gone);
            if matches!(action, Action::TargetRestarts | Action::TargetDies) {
                self.gone.clone_from(&self.opened);
            }
        }
    }

    fn client(&mut self, name: &'a Name, action: &'a Action) {
        let text = name.value.as_str();
        if opens(action) {
            self.opened.insert(text);
            self.gone.remove(text);
            return;
        }
        if !self.opened.contains(text) {
            if self.reported.insert(text) {
                let fault = Diagnostic::error(
                    name.span,
                    format!("the client `{text}` has opened no connection"),
                );
                let fault = match nearest(text, self.listed.iter().copied()) {
                    Some(near) => fault.help(format!("did you mean `{near}`?")),
                    None => fault.help(format!(
                        "list `{text}` in `clients`, or let its first step be `{text} connects`"
                    )),
                };
                self.faults.push(fault);
            }
            return;
        }
        if self.gone.contains(text) && wants_a_connection(action) {
            let fault = Diagnostic::error(name.span, format!("`{text}` is not connected here"));
            self.faults
                .push(if matches!(action, Action::Nothing { .. }) {
                    fault.note(
                        "an absent client receives nothing in any case, so this proves nothing",
                    )
                } else {
                    fault.help(format!("let `{text} connects` come first"))
                });
            // One fault is told once.
            self.gone.remove(text);
            return;
        }
        if ends(action) {
            self.gone.insert(text);
        }
    }
}

/// Whether a client without a connection can begin with this.
fn opens(action: &Action) -> bool {
    match action {
        Action::Send {
            packet, forbidden, ..
        } => *forbidden || packet.packet_type.value == PacketType::Connect,
        Action::SendBytes { forbidden, .. } => *forbidden,
        Action::Together { .. }
        | Action::Do {
            verb: Verb::Connects,
            ..
        }
        | Action::Link {
            act: LinkAct::Opens(_),
            ..
        } => true,
        _ => false,
    }
}

/// Whether a client without a connection cannot do this.
fn wants_a_connection(action: &Action) -> bool {
    !matches!(action, Action::Closed { .. } | Action::Link { .. })
}

/// Whether a client surely has no connection after this.
fn ends(action: &Action) -> bool {
    match action {
        Action::Link {
            act: LinkAct::Closes | LinkAct::Cuts,
            ..
        }
        | Action::Do {
            verb: Verb::Disconnects,
            ..
        } => true,
        Action::Closed { who, .. } => !matches!(who, Subject::OneOf(_)),
        _ => false,
    }
}
