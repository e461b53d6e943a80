//! `<- PUBLISH` acknowledges nothing: someone must, or say why not.

use codec::PacketType;

use super::walk;
use crate::ast::{Action, Fields, LinkAct, Piece, Scenario, Step, Value};
use crate::diagnostic::Diagnostic;

/// Warns of a `<- PUBLISH` at QoS above 0 that nobody acknowledges and no `why` explains.
pub(super) fn check(scenario: &Scenario, warnings: &mut Vec<Diagnostic>) {
    if scenario.why.is_some() {
        return;
    }
    let acknowledged = walk::any_step(&scenario.steps, &answers);
    if acknowledged {
        return;
    }
    walk::each_step(&scenario.steps, &mut |step: &Step| {
        let Action::Expect { packet, .. } = &step.action.value else {
            return;
        };
        if packet.packet_type.value == PacketType::Publish
            && above_0(&packet.fields)
            && step.why.is_none()
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
    match action {
        Action::Send { packet, .. } => matches!(
            packet.packet_type.value,
            PacketType::Puback | PacketType::Pubrec | PacketType::Pubcomp
        ),
        Action::Together { packets, .. } => packets.iter().any(|packet| {
            matches!(
                packet.packet_type.value,
                PacketType::Puback | PacketType::Pubrec | PacketType::Pubcomp
            )
        }),
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
