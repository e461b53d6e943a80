//! Clauses that no step of a scenario can exercise: those about an exchange that none of its steps brings about.

use clauses::{ClauseId, Standard};
use codec::PacketType;

use super::clauses::all;
use crate::ast::{Action, Fields, LinkAct, Packet, Scenario, Step, Value, Verb};
use crate::diagnostic::Diagnostic;

/// A clause about an exchange that no step of its version brings about.
pub(super) fn warnings(scenario: &Scenario, warnings: &mut Vec<Diagnostic>) {
    for clause in all(scenario) {
        let Some(exchange) = Exchange::of(clause.value) else {
            continue;
        };
        let standard = clause.value.standard();
        let by_options = scenario
            .clients
            .iter()
            .any(|client| exchange.is_asked_for_by(&client.options));
        let mut steps = scenario.control.iter().chain([&scenario.steps]);
        if by_options || steps.any(|steps| exchange.is_in(steps, standard)) {
            continue;
        }
        let message = format!("no step can exercise `{}`", clause.value);
        warnings.push(
            Diagnostic::warning(clause.span, message)
                .note(format!(
                    "it speaks of {}: {}",
                    exchange.name(),
                    clause.value.clause().summary
                ))
                .help("add such a step, or remove the clause"),
        );
    }
}

/// What a clause speaks of and not every case brings about. Each has clients that connect and leave, and a PINGREQ that
/// proves that nothing more comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exchange {
    Publishing,
    Subscribing,
    Unsubscribing,
    Authenticating,
    Framing,
}

impl Exchange {
    fn of(clause: ClauseId) -> Option<Self> {
        let clause = clause.clause();
        if clause.needs.contains(&"websocket") {
            return Some(Self::Framing);
        }
        clause.packet?.parse().ok().and_then(Self::of_packet)
    }

    fn of_packet(packet_type: PacketType) -> Option<Self> {
        match packet_type {
            PacketType::Publish
            | PacketType::Puback
            | PacketType::Pubrec
            | PacketType::Pubrel
            | PacketType::Pubcomp => Some(Self::Publishing),
            PacketType::Subscribe | PacketType::Suback => Some(Self::Subscribing),
            PacketType::Unsubscribe | PacketType::Unsuback => Some(Self::Unsubscribing),
            PacketType::Auth => Some(Self::Authenticating),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Publishing => "a PUBLISH or what acknowledges it",
            Self::Subscribing => "SUBSCRIBE or SUBACK",
            Self::Unsubscribing => "UNSUBSCRIBE or UNSUBACK",
            Self::Authenticating => "AUTH",
            Self::Framing => "a WebSocket",
        }
    }

    /// Whether a step that the version of this standard is played with brings it about.
    fn is_in(self, steps: &[Step], standard: Standard) -> bool {
        steps.iter().any(|step| {
            let action = &step.action.value;
            let played = match action {
                Action::InVersion { versions, .. } => versions
                    .iter()
                    .any(|version| version.standard() == standard),
                _ => true,
            };
            played
                && (self.is_of(action)
                    || action
                        .blocks()
                        .into_iter()
                        .any(|block| self.is_in(block, standard)))
        })
    }

    fn is_of(self, action: &Action) -> bool {
        match action {
            Action::Send { packet, .. } | Action::Expect { packet, .. } => {
                self.is_of_packet(packet)
            }
            Action::Together { packets, .. } => {
                packets.iter().any(|packet| self.is_of_packet(packet))
            }
            // Whatever they are.
            Action::SendBytes { .. } | Action::ExpectBytes { .. } => self != Self::Framing,
            Action::Do { verb, fields, .. } => {
                let of_verb = match verb {
                    Verb::Publishes | Verb::Receives => Some(Self::Publishing),
                    Verb::Subscribes => Some(Self::Subscribing),
                    Verb::Unsubscribes => Some(Self::Unsubscribing),
                    Verb::Authenticates => Some(Self::Authenticating),
                    Verb::Connects | Verb::Disconnects | Verb::Pings => None,
                };
                of_verb == Some(self) || self.is_asked_for_by(fields)
            }
            Action::Link {
                act: LinkAct::Opens(fields),
                ..
            } => self == Self::Framing && frames(fields),
            _ => false,
        }
    }

    fn is_of_packet(self, packet: &Packet) -> bool {
        let lies = packet.but.iter().flat_map(|but| &but.value.lies);
        // Who lies about the type, or writes other bytes instead, may send anything.
        let disguised = lies
            .into_iter()
            .any(|(name, _)| matches!(name.value.as_str(), "type" | "bytes"));
        Self::of_packet(packet.packet_type.value) == Some(self)
            || (disguised && self != Self::Framing)
            || (packet.packet_type.value == PacketType::Connect
                && self.is_asked_for_by(&packet.fields))
    }

    /// Whether the fields of a CONNECT, or the options of a client, bring it about.
    fn is_asked_for_by(self, fields: &Fields) -> bool {
        match self {
            // A Will is published.
            Self::Publishing => fields.get("will").is_some(),
            Self::Authenticating => fields.get("authentication_method").is_some(),
            Self::Framing => match fields.get("link").map(|link| &link.value) {
                Some(Value::Record(link)) => frames(link),
                _ => false,
            },
            Self::Subscribing | Self::Unsubscribing => false,
        }
    }
}

/// Whether a link has frames: those of a WebSocket.
fn frames(link: &Fields) -> bool {
    ["transport", "frames", "offer"]
        .iter()
        .any(|option| link.get(option).is_some())
}
