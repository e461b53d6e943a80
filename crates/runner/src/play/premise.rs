//! Session Present as a premise: when it is wrong, it is not what the scenario is about that fails.

use clauses::{ClauseId, clause};
use codec::draft::Value;
use codec::{PacketType, Version};
use scenario::ast::{Action, Fields, Verb};

use super::stage::Stage;
use super::stop::Stop;

/// Lets a wrong Session Present speak for its own clauses, unless the step, or a clause of the case that is about
/// sessions, has the say.
pub(super) fn settle(stage: &Stage<'_>, action: &Action, mut stop: Stop) -> Stop {
    let Stop::Miss(finding) = &mut stop else {
        return stop;
    };
    let expected = match action {
        Action::Do {
            verb: Verb::Connects,
            gets,
            ..
        } => gets,
        Action::Expect { packet, .. } if packet.packet_type.value == PacketType::Connack => {
            &packet.fields
        }
        _ => return stop,
    };
    let missed = |fields: &Fields| {
        let session_present = fields.get("session_present");
        session_present.is_some_and(|value| value.span == finding.span)
    };
    let spoken_for =
        !finding.clauses.is_empty() || stage.case.clauses.iter().copied().any(is_about_sessions);
    if spoken_for || !missed(expected) {
        return stop;
    }
    let names = action.subject().map_or(&[][..], |who| who.names());
    let Some(clean) = names
        .iter()
        .find_map(|name| began_clean(stage, &name.value))
    else {
        return stop;
    };
    finding.clauses = clauses_of(clean).to_vec();
    stop
}

/// How a client connected: its version, and Clean Session or Clean Start.
fn began_clean(stage: &Stage<'_>, name: &str) -> Option<(Version, bool)> {
    let client = stage.client(name).ok()?;
    let connection = client.connection()?;
    let clean = connection.look(|state| {
        let connect = state.protocol.connect.as_ref()?;
        Some(matches!(connect.get("clean"), Some(Value::Flag(true))))
    });
    Some((client.version, clean?))
}

/// What Session Present must be, by how the client connected.
fn clauses_of(connected: (Version, bool)) -> &'static [ClauseId] {
    match connected {
        (Version::V3_1, _) => &[],
        (Version::V3_1_1, true) => &[clause!("v3.1.1/MQTT-3.2.2-1")],
        (Version::V3_1_1, false) => &[
            clause!("v3.1.1/MQTT-3.2.2-2"),
            clause!("v3.1.1/MQTT-3.2.2-3"),
        ],
        (Version::V5_0, true) => &[clause!("v5.0/MQTT-3.2.2-2")],
        (Version::V5_0, false) => &[clause!("v5.0/MQTT-3.2.2-3")],
    }
}

/// Whether a clause is about what sessions there are: Clean Session or Clean Start, Session Expiry, Session Present,
/// and how long a session is kept (sections 3.1.2.4, 3.1.2.11.2, 3.2.2, 3.14.2.2.2 and 4.1).
fn is_about_sessions(clause: ClauseId) -> bool {
    const SECTIONS: [&str; 5] = ["3.1.2.4", "3.1.2.11.2", "3.2.2", "3.14.2.2.2", "4.1"];
    let section = clause.clause().section;
    SECTIONS.iter().any(|about| {
        section
            .strip_prefix(about)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}
