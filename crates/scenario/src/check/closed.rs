//! `closed` proves something only where something else would have kept the connection open.

use codec::{PacketType, ReasonCode};

use super::walk;
use crate::ast::{Action, Expr, Fields, LinkAct, Piece, Scenario, Step, Value, Verb};
use crate::diagnostic::Diagnostic;
use crate::typing;

/// `closed` in a scenario that gives the target no reason to close.
pub(super) fn errors(scenario: &Scenario, faults: &mut Vec<Diagnostic>) {
    if scenario.control.is_some() || walk::any_step(&scenario.steps, &gives_a_reason) {
        return;
    }
    let mut first = None;
    walk::each_step(&scenario.steps, &mut |step: &Step| {
        if first.is_none() && matches!(step.action.value, Action::Closed { .. }) {
            first = Some(step.action.span);
        }
    });
    if let Some(span) = first {
        faults.push(
            Diagnostic::error(span, "nothing here is a reason to close")
                .note("a target that closes every connection would pass")
                .help("write `!>` before what the specification forbids, or give a `control` that must stay open"),
        );
    }
}

/// Whether a target may rightly close because of this: something forbidden, a takeover, a refusal, or the client's own end.
fn gives_a_reason(action: &Action) -> bool {
    match action {
        Action::Send {
            who,
            packet,
            forbidden,
            ..
        } => {
            *forbidden
                || packet.packet_type.value == PacketType::Disconnect
                || (packet.packet_type.value == PacketType::Connect
                    && takes_over(
                        &packet.fields,
                        who.names().first().map(|name| name.value.as_str()),
                    ))
        }
        Action::Together { forbidden, .. } | Action::SendBytes { forbidden, .. } => *forbidden,
        Action::Expect { packet, .. } => {
            packet.packet_type.value == PacketType::Connack && refuses(&packet.fields)
        }
        Action::Do {
            who,
            verb: Verb::Connects,
            fields,
            gets,
            ..
        } => {
            refuses(gets) || takes_over(fields, who.names().first().map(|name| name.value.as_str()))
        }
        Action::Link {
            act: LinkAct::HalfCloses,
            ..
        }
        | Action::TargetRestarts
        | Action::TargetDies => true,
        _ => false,
    }
}

/// A client id that is another's, or one that two clients share.
fn takes_over(fields: &Fields, own: Option<&str>) -> bool {
    let Some(id) = fields.get("client_id") else {
        return false;
    };
    match &id.value {
        Value::Scalar(pieces) => match &pieces[..] {
            [Piece::Text(text)] => !text.is_empty(),
            [Piece::Expr(expression)] => match &expression.value {
                Expr::Member(path) => path.first().map(String::as_str) != own,
                _ => true,
            },
            _ => true,
        },
        _ => true,
    }
}

fn refuses(fields: &Fields) -> bool {
    let reason = fields.get("reason").or_else(|| fields.get("code"));
    match reason.map(|value| &value.value) {
        Some(Value::Scalar(pieces)) => match &pieces[..] {
            [Piece::Text(text)] => typing::reason_code(text, codec::Version::V5_0)
                .is_ok_and(|code| code != ReasonCode::SUCCESS),
            _ => true,
        },
        Some(_) => true,
        None => false,
    }
}

/// `!>` that says neither what the sound packet would be nor why it is forbidden.
pub(super) fn warnings(scenario: &Scenario, warnings: &mut Vec<Diagnostic>) {
    walk::each_step(&scenario.steps, &mut |step: &Step| {
        let (difference, subject) = match &step.action.value {
            Action::Send {
                packet,
                forbidden: true,
                ..
            } => (packet.but.is_some(), packet.packet_type.value.name()),
            Action::Together {
                packets,
                forbidden: true,
                ..
            } => (
                packets.iter().any(|packet| packet.but.is_some()),
                "together",
            ),
            Action::SendBytes {
                forbidden: true, ..
            } => (false, "bytes"),
            _ => return,
        };
        if !difference && step.why.is_none() && scenario.why.is_none() {
            warnings.push(
                Diagnostic::warning(
                    step.action.span,
                    format!("`!> {subject}` says neither `but` nor `why`"),
                )
                .note("without `but` the control twin leaves the step out")
                .help("say in `why:` beside the step what the specification forbids"),
            );
        }
    });
}
