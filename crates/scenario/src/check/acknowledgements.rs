//! `<- PUBLISH` acknowledges nothing: someone must, or say why not.

use std::collections::BTreeSet;

use codec::PacketType;

use super::walk;
use crate::ast::{Action, Fields, LinkAct, Piece, Scenario, Step, Subject, Value};
use crate::diagnostic::Diagnostic;

/// Warns of a `<- PUBLISH` at QoS above 0 that its client never acknowledges and no `why` explains.
pub(super) fn check(scenario: &Scenario, warnings: &mut Vec<Diagnostic>) {
    if scenario.why.is_some() {
        return;
    }
    let mut answering = BTreeSet::new();
    let mut anyone = false;
    walk::each_step(&scenario.steps, &mut |step: &Step| {
        let action = &step.action.value;
        if matches!(action, Action::TargetRestarts | Action::TargetDies) {
            anyone = true;
        } else if answers(action) {
            match action.subject() {
                Some(Subject::Captured(_)) | None => anyone = true,
                Some(who) => {
                    answering.extend(who.names().iter().map(|name| name.value.as_str()));
                }
            }
        }
    });
    if anyone {
        return;
    }
    walk::each_step(&scenario.steps, &mut |step: &Step| {
        let Action::Expect { who, packet, .. } = &step.action.value else {
            return;
        };
        let acknowledged = who
            .names()
            .iter()
            .any(|name| answering.contains(name.value.as_str()));
        if packet.packet_type.value == PacketType::Publish
            && above_0(&packet.fields)
            && step.why.is_none()
            && !acknowledged
        {
            warnings.push(
                Diagnostic::warning(step.action.span, "nobody acknowledges this PUBLISH")
                    .note("`<-` only looks; `receives` completes the flow")
                    .help(
                        "write `receives`, send the acknowledgement, or say `why:` it is left open",
                    ),
            );
        }
    });
}

/// Whether it acknowledges a PUBLISH, or ends the connection so that it stays open on purpose.
fn answers(action: &Action) -> bool {
    let acknowledges = |packet_type| {
        matches!(
            packet_type,
            PacketType::Puback | PacketType::Pubrec | PacketType::Pubcomp
        )
    };
    match action {
        Action::Send { packet, .. } => acknowledges(packet.packet_type.value),
        Action::Together { packets, .. } => packets
            .iter()
            .any(|packet| acknowledges(packet.packet_type.value)),
        Action::SendBytes { .. } => true,
        Action::Link { act, .. } => matches!(act, LinkAct::Cuts | LinkAct::Closes),
        _ => false,
    }
}

fn above_0(fields: &Fields) -> bool {
    match fields.get("qos").map(|value| &value.value) {
        Some(Value::Scalar(pieces)) => !matches!(&pieces[..], [Piece::Text(text)] if text == "0"),
        Some(_) => true,
        None => fields
            .get("id")
            .is_some_and(|value| !matches!(value.value, Value::Absent)),
    }
}
