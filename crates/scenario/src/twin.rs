//! The control twin: the same exchange without the defect. The connection must survive it.

use codec::{PacketType, Version};

use crate::ast::{
    Action, Fields, LinkAct, Name, Over, Packet, Piece, Row, Step, Subject, Timing, Value, Verb,
};
use crate::condition;
use crate::expand::Case;
use crate::sample::sample;
use crate::source::{Span, Spanned};

/// The control twin of a case; none where nothing is forbidden and no `control` is given.
///
/// It is `control`, or else the steps up to the first `!>` that the case plays. With `but` the sound packet is sent, without
/// it the step is left out; a client that has no session yet is connected in front. It ends with a PINGREQ that must be
/// answered. What else arrives in a twin is no failure.
pub fn twin(case: &Case) -> Option<Vec<Step>> {
    if let Some(control) = &case.scenario.control {
        return Some(control.clone());
    }
    let mut walk = Walk {
        row: case.row(),
        version: case.version,
        connected: case
            .scenario
            .clients
            .iter()
            .map(|client| client.name.value.clone())
            .collect(),
    };
    match walk.steps(&case.scenario.steps) {
        Cut::Here(steps) => Some(steps),
        Cut::Nowhere(_) => None,
    }
}

/// Whether steps reach a `!>`, and what the twin plays of them.
enum Cut {
    Here(Vec<Step>),
    Nowhere(Vec<Step>),
}

struct Walk<'a> {
    row: &'a Row,
    version: Version,
    /// Clients that have sent a CONNECT.
    connected: Vec<String>,
}

impl Walk<'_> {
    fn steps(&mut self, steps: &[Step]) -> Cut {
        let mut played = Vec::new();
        for step in steps {
            match self.step(step) {
                Cut::Here(last) => {
                    played.extend(last);
                    return Cut::Here(played);
                }
                Cut::Nowhere(step) => played.extend(step),
            }
        }
        Cut::Nowhere(played)
    }

    fn step(&mut self, step: &Step) -> Cut {
        let again = |action| Step {
            action: Spanned::new(action, step.action.span),
            why: step.why.clone(),
            clause: step.clause.clone(),
        };
        // A block that reaches a `!>` is played up to there, and nothing behind it.
        let wrapped = |cut, wrap: &dyn Fn(Vec<Step>) -> Action| match cut {
            Cut::Here(steps) => Cut::Here(vec![again(wrap(steps))]),
            Cut::Nowhere(steps) => Cut::Nowhere(vec![again(wrap(steps))]),
        };
        match &step.action.value {
            Action::Send {
                who,
                packet,
                forbidden: true,
                ..
            } => Cut::Here(self.sound(step, who, std::slice::from_ref(packet), false)),
            Action::Together {
                who,
                packets,
                forbidden: true,
            } => Cut::Here(self.sound(step, who, packets, true)),
            Action::SendBytes {
                who,
                forbidden: true,
                ..
            } => Cut::Here(self.sound(step, who, &[], false)),
            Action::InVersion { versions, steps } => {
                if versions.contains(&self.version) {
                    self.steps(steps)
                } else {
                    Cut::Nowhere(Vec::new())
                }
            }
            Action::If { condition, steps } => {
                match condition::decide(&condition.value, self.row) {
                    Some(true) => self.steps(steps),
                    Some(false) => Cut::Nowhere(Vec::new()),
                    None => wrapped(self.steps(steps), &|steps| Action::If {
                        condition: condition.clone(),
                        steps,
                    }),
                }
            }
            Action::For {
                variable,
                over,
                steps,
            } => match self.steps(steps) {
                Cut::Here(steps) => Cut::Here(vec![again(Action::For {
                    variable: variable.clone(),
                    over: first_round(over),
                    steps,
                })]),
                Cut::Nowhere(_) => Cut::Nowhere(vec![step.clone()]),
            },
            Action::Any(alternatives) => {
                let mut cut = false;
                let mut played = Vec::new();
                for (name, steps) in alternatives {
                    match self.steps(steps) {
                        Cut::Here(steps) => {
                            cut = true;
                            played.push((name.clone(), steps));
                        }
                        Cut::Nowhere(steps) => played.push((name.clone(), steps)),
                    }
                }
                let step = again(Action::Any(played));
                if cut {
                    Cut::Here(vec![step])
                } else {
                    Cut::Nowhere(vec![step])
                }
            }
            Action::All(steps) => wrapped(self.steps(steps), &Action::All),
            Action::InOrder(steps) => wrapped(self.steps(steps), &Action::InOrder),
            Action::AtOnce(steps) => wrapped(self.steps(steps), &Action::AtOnce),
            Action::Should(steps) => wrapped(self.steps(steps), &Action::Should),
            action => {
                self.note_connection(action);
                Cut::Nowhere(vec![step.clone()])
            }
        }
    }

    /// The twin's own end: the sound packets, and the proof that the connection lives.
    fn sound(
        &mut self,
        step: &Step,
        who: &Subject,
        packets: &[Packet],
        together: bool,
    ) -> Vec<Step> {
        let span = step.action.span;
        let at = |action| Step {
            action: Spanned::new(action, span),
            why: None,
            clause: Vec::new(),
        };
        let defect = packets.iter().any(|packet| packet.but.is_some());
        let ends = packets
            .iter()
            .any(|packet| packet.packet_type.value == PacketType::Disconnect);
        let mut sent: Vec<Packet> = Vec::new();
        if defect && !ends {
            sent.extend(
                packets
                    .iter()
                    .cloned()
                    .map(|packet| self.whole(packet, span)),
            );
        }
        let connect = sent
            .iter()
            .any(|packet| packet.packet_type.value == PacketType::Connect);
        let mut steps = Vec::new();
        if !connect && !self.is_connected(who) {
            steps.push(at(verb(who, Verb::Connects)));
        }
        if together && !sent.is_empty() {
            steps.push(at(Action::Together {
                who: who.clone(),
                packets: sent,
                forbidden: false,
            }));
        } else {
            steps.extend(sent.into_iter().map(|packet| {
                at(Action::Send {
                    who: who.clone(),
                    packet,
                    forbidden: false,
                    capture: None,
                })
            }));
        }
        if connect {
            steps.push(at(accepted(who, span)));
        }
        steps.push(at(verb(who, Verb::Pings)));
        steps
    }

    /// The packet without its defect. What `twice` doubles must stand there once.
    fn whole(&self, packet: Packet, span: Span) -> Packet {
        let mut fields = packet.fields;
        let doubled = packet
            .but
            .as_ref()
            .and_then(|but| {
                but.value
                    .lies
                    .iter()
                    .find(|(name, _)| name.value == "twice")
            })
            .and_then(|(_, value)| condition::literal(&value.value, self.row));
        if let Some(property) = doubled
            && fields.get(property).is_none()
            && !property.starts_with("authentication")
            && let Some(sample) = sample(packet.packet_type.value, property)
        {
            fields.0.push((
                Spanned::new(property.to_owned(), span),
                Spanned::new(sample, span),
            ));
        }
        Packet {
            packet_type: packet.packet_type,
            fields,
            but: None,
        }
    }

    fn is_connected(&self, who: &Subject) -> bool {
        who.names()
            .iter()
            .all(|name| self.connected.contains(&name.value))
    }

    fn note_connection(&mut self, action: &Action) {
        let names = action.subject().map_or(&[][..], Subject::names);
        let connects = match action {
            Action::Do {
                verb: Verb::Connects,
                ..
            } => true,
            Action::Send { packet, .. } => packet.packet_type.value == PacketType::Connect,
            Action::Together { packets, .. } => packets
                .iter()
                .any(|packet| packet.packet_type.value == PacketType::Connect),
            _ => false,
        };
        let ends = matches!(
            action,
            Action::Link {
                act: LinkAct::Closes | LinkAct::Cuts,
                ..
            } | Action::Closed { .. }
                | Action::Do {
                    verb: Verb::Disconnects,
                    ..
                }
        );
        for Name { value: name, .. } in names {
            if connects && !self.connected.contains(name) {
                self.connected.push(name.clone());
            } else if ends {
                self.connected.retain(|other| other != name);
            }
        }
    }
}

fn verb(who: &Subject, verb: Verb) -> Action {
    Action::Do {
        who: who.clone(),
        verb,
        fields: Fields::default(),
        gets: Fields::default(),
        timing: Timing::default(),
    }
}

/// `<- CONNACK: { reason: success }`.
fn accepted(who: &Subject, span: Span) -> Action {
    let success = Value::Scalar(vec![Piece::Text("success".to_owned())]);
    Action::Expect {
        who: who.clone(),
        packet: Packet {
            packet_type: Spanned::new(PacketType::Connack, span),
            fields: Fields(vec![(
                Spanned::new("reason".to_owned(), span),
                Spanned::new(success, span),
            )]),
            but: None,
        },
        timing: Timing::default(),
    }
}

fn first_round(over: &Over) -> Over {
    match over {
        Over::Range(low, _) => Over::Range(low.clone(), low.clone()),
        Over::List(values) => Over::List(values.iter().take(1).cloned().collect()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::expand::expand;
    use crate::parse;

    /// The twins of all cases of a scenario with these steps, each step in a word or two.
    fn twins(top: &str, steps: &str) -> Vec<Option<String>> {
        let text = format!(
            "title: x\nclauses: [v3.1.1/MQTT-3.1.4-1, v5.0/MQTT-3.1.4-1]\n{top}steps:\n{steps}"
        );
        let scenario = Arc::new(parse("x", &text).unwrap());
        expand(&scenario)
            .iter()
            .map(|case| twin(case).map(|steps| shown(&steps)))
            .collect()
    }

    fn shown(steps: &[Step]) -> String {
        let words: Vec<String> = steps
            .iter()
            .map(|step| match &step.action.value {
                Action::Send { packet, .. } => {
                    format!("->{}/{}", packet.packet_type.value, packet.fields.0.len())
                }
                Action::Together { packets, .. } => format!("->together/{}", packets.len()),
                Action::Expect { packet, .. } => format!("<-{}", packet.packet_type.value),
                Action::Do { verb, .. } => format!("{verb:?}").to_lowercase(),
                other => {
                    let blocks: Vec<String> = other.blocks().into_iter().map(shown).collect();
                    format!("({})", blocks.join("|"))
                }
            })
            .collect();
        words.join(" ")
    }

    #[test]
    fn the_sound_packet_is_sent_and_nothing_behind_it() {
        let twins = twins(
            "versions: [v5.0]\nclients: [a]\n",
            "  - a pings\n  - a !> PUBLISH: { topic: x, payload: y, qos: 0, but: { qos: 3 } }\n  - a <- closed\n",
        );
        assert_eq!(twins, [Some("pings ->PUBLISH/3 pings".to_owned())]);
    }

    #[test]
    fn without_a_difference_the_step_is_left_out() {
        let twins = twins(
            "versions: [v5.0]\nclients: [a]\n",
            "  - a !> bytes: 00 00\n    why: no packet\n  - a <- closed\n",
        );
        assert_eq!(twins, [Some("pings".to_owned())]);
    }

    #[test]
    fn before_connack_the_handshake_is_put_in_front() {
        let first = "  - a opens\n  - a !> PINGREQ:\n    why: before CONNECT\n  - a <- closed\n";
        assert_eq!(
            twins("versions: [v5.0]\n", first),
            [Some("() connects pings".to_owned())]
        );
        let connect = "  - a !> CONNECT: { client_id: <a.id>, but: { protocol_version: 9 } }\n  - a <- closed\n";
        assert_eq!(
            twins("versions: [v5.0]\n", connect),
            [Some("->CONNECT/1 <-CONNACK pings".to_owned())]
        );
    }

    #[test]
    fn a_sound_disconnect_would_end_the_proof() {
        let steps = "  - a !> DISCONNECT: { but: { flags: 1 } }\n  - a <- closed\n";
        assert_eq!(
            twins("versions: [v5.0]\nclients: [a]\n", steps),
            [Some("pings".to_owned())]
        );
    }

    #[test]
    fn a_case_has_the_twin_of_its_own_branch() {
        let steps = "  - if <how> = one:\n      - a !> PINGREQ: { but: { flags: 1 } }\n  - in v5.0:\n      - a !> PUBLISH: { topic: x, payload: y, qos: 0, but: { qos: 3 } }\n  - a <- closed\n";
        assert_eq!(
            twins("each: { how: [one, two] }\nclients: [a]\n", steps),
            [
                Some("->PINGREQ/0 pings".to_owned()),
                Some("->PINGREQ/0 pings".to_owned()),
                None,
                Some("->PUBLISH/3 pings".to_owned()),
            ]
        );
    }

    #[test]
    fn a_loop_is_played_once_and_what_is_doubled_stands_once() {
        let steps = "  - for <i> in 1..3:\n      - a connects\n      - b !> CONNECT: { client_id: <b.id>, but: { twice: session_expiry } }\n      - b <- closed\n";
        assert_eq!(
            twins("versions: [v5.0]\n", steps),
            [Some("(connects ->CONNECT/2 <-CONNACK pings)".to_owned())]
        );
    }

    #[test]
    fn control_is_the_twin() {
        let steps = "  - a <- closed\n";
        assert_eq!(
            twins(
                "versions: [v5.0]\nclients: [a]\ncontrol: [a pings]\n",
                steps
            ),
            [Some("pings".to_owned())]
        );
        let sound = "  - a pings\n";
        assert_eq!(twins("versions: [v5.0]\nclients: [a]\n", sound), [None]);
    }
}
