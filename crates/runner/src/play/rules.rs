//! The standing rules: what holds for every packet that a target sends, whatever a scenario is after.
//!
//! The strict decoder judges a packet by itself; the rules here need to know what was said before it.

use clauses::{ClauseId, clause};
use codec::draft::{Draft, Value};
use codec::{PacketType, Version};

use super::protocol::Protocol;
use super::session::Delivery;
use super::value::{bytes, flag, identifier, number};

/// A rule that a packet broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Breach {
    pub(super) clause: ClauseId,
    pub(super) message: String,
}

/// A packet at the moment of its arrival, with all that was said before it.
struct Arriving<'a> {
    packet: &'a Draft,
    /// The whole Control Packet in bytes.
    size: usize,
    before: &'a Protocol,
}

/// The rules, in the order in which their breaches are told.
const RULES: &[fn(&Arriving<'_>) -> Option<Breach>] = &[
    connack_comes_first,
    one_connack,
    nothing_after_disconnect,
    no_session_after_a_clean_start,
    no_session_with_a_refusal,
    no_response_information_unasked,
    within_maximum_packet_size,
    no_problem_information_unasked,
    no_authentication_unasked,
    alias_within_maximum,
    alias_is_mapped,
    packet_id_is_free,
    repeat_has_dup,
    first_sending_has_no_dup,
    within_receive_maximum,
    acknowledges_what_was_sent,
    acknowledges_by_qos,
    answers_what_was_asked,
    one_code_per_filter,
];

/// What rules a packet breaks; `size` counts the whole Control Packet.
///
/// The rules are those of 3.1.1 and 5.0: 3.1 has other sentences, and no flag that tells of a session.
pub(super) fn judge(packet: &Draft, size: usize, before: &Protocol) -> Vec<Breach> {
    if before.version == Version::V3_1 {
        return Vec::new();
    }
    let arriving = Arriving {
        packet,
        size,
        before,
    };
    RULES.iter().filter_map(|rule| rule(&arriving)).collect()
}

impl Arriving<'_> {
    fn is(&self, packet_type: PacketType) -> bool {
        self.packet.packet_type() == packet_type
    }

    fn is_v5(&self) -> bool {
        self.before.version == Version::V5_0
    }

    /// The clause of the connection's version.
    fn either(&self, v3_1_1: ClauseId, v5_0: ClauseId) -> ClauseId {
        if self.is_v5() { v5_0 } else { v3_1_1 }
    }

    /// The Packet Identifier of a PUBLISH at QoS 1 or 2.
    fn delivery(&self) -> Option<u16> {
        let counts = self.is(PacketType::Publish) && number(self.packet, "qos").unwrap_or(0) > 0;
        counts.then(|| identifier(self.packet)).flatten()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every rule ends with it")]
fn breach(clause: ClauseId, message: impl Into<String>) -> Option<Breach> {
    Some(Breach {
        clause,
        message: message.into(),
    })
}

fn connack_comes_first(arriving: &Arriving<'_>) -> Option<Breach> {
    let packet_type = arriving.packet.packet_type();
    let early = arriving.before.connack.is_none()
        && packet_type != PacketType::Connack
        && !(arriving.is_v5() && packet_type == PacketType::Auth);
    if !early {
        return None;
    }
    if arriving.is_v5() && packet_type == PacketType::Disconnect {
        return breach(
            clause!("v5.0/MQTT-3.14.0-1"),
            "the target sent DISCONNECT before it had accepted the connection",
        );
    }
    breach(
        arriving.either(clause!("v3.1.1/MQTT-3.2.0-1"), clause!("v5.0/MQTT-3.2.0-1")),
        format!("the target sent {packet_type} before CONNACK"),
    )
}

fn one_connack(arriving: &Arriving<'_>) -> Option<Breach> {
    let second = arriving.is(PacketType::Connack) && arriving.before.connack.is_some();
    if !second || !arriving.is_v5() {
        return None;
    }
    breach(
        clause!("v5.0/MQTT-3.2.0-2"),
        "the target sent a second CONNACK on one connection",
    )
}

fn nothing_after_disconnect(arriving: &Arriving<'_>) -> Option<Breach> {
    if !arriving.before.target_disconnected {
        return None;
    }
    breach(
        clause!("v5.0/MQTT-3.14.4-1"),
        format!(
            "the target sent {} after its DISCONNECT",
            arriving.packet.packet_type()
        ),
    )
}

fn no_session_after_a_clean_start(arriving: &Arriving<'_>) -> Option<Breach> {
    let connect = arriving.before.connect.as_ref()?;
    let clean = connect.get("clean").is_none() || flag(connect, "clean");
    let accepted =
        arriving.is(PacketType::Connack) && number(arriving.packet, "reason").unwrap_or(0) == 0;
    if !(accepted && clean && flag(arriving.packet, "session_present")) {
        return None;
    }
    breach(
        arriving.either(clause!("v3.1.1/MQTT-3.2.2-1"), clause!("v5.0/MQTT-3.2.2-2")),
        "CONNACK tells of a session although the client asked for a clean one",
    )
}

fn no_session_with_a_refusal(arriving: &Arriving<'_>) -> Option<Breach> {
    let refused =
        arriving.is(PacketType::Connack) && number(arriving.packet, "reason").unwrap_or(0) != 0;
    if !(refused && flag(arriving.packet, "session_present")) {
        return None;
    }
    breach(
        arriving.either(clause!("v3.1.1/MQTT-3.2.2-4"), clause!("v5.0/MQTT-3.2.2-6")),
        "CONNACK refuses the connection and tells of a session",
    )
}

fn no_response_information_unasked(arriving: &Arriving<'_>) -> Option<Breach> {
    let asked = arriving.before.announced("request_response_information", 0) != 0;
    let told =
        arriving.is(PacketType::Connack) && arriving.packet.get("response_information").is_some();
    if asked || !told {
        return None;
    }
    breach(
        clause!("v5.0/MQTT-3.1.2-28"),
        "CONNACK has Response Information that the client did not request",
    )
}

fn within_maximum_packet_size(arriving: &Arriving<'_>) -> Option<Breach> {
    let maximum = arriving.before.announced("maximum_packet_size", u64::MAX);
    // 0 is no size that a client may announce, so nothing is too large for it.
    if !arriving.is_v5() || maximum == 0 || arriving.size as u64 <= maximum {
        return None;
    }
    breach(
        clause!("v5.0/MQTT-3.1.2-24"),
        format!(
            "the target sent {} bytes to a client whose Maximum Packet Size is {maximum}",
            arriving.size
        ),
    )
}

fn no_problem_information_unasked(arriving: &Arriving<'_>) -> Option<Breach> {
    let asked = arriving.before.announced("request_problem_information", 1) != 0;
    let allowed = matches!(
        arriving.packet.packet_type(),
        PacketType::Publish | PacketType::Connack | PacketType::Disconnect
    );
    let told = ["reason_string", "user_properties"]
        .into_iter()
        .any(|field| arriving.packet.get(field).is_some());
    if asked || allowed || !told {
        return None;
    }
    breach(
        clause!("v5.0/MQTT-3.1.2-29"),
        format!(
            "{} has a Reason String or User Properties although the client declined them",
            arriving.packet.packet_type()
        ),
    )
}

fn no_authentication_unasked(arriving: &Arriving<'_>) -> Option<Breach> {
    let connect = arriving.before.connect.as_ref()?;
    let method =
        arriving.is(PacketType::Connack) && arriving.packet.get("authentication_method").is_some();
    if connect.get("authentication_method").is_some() || !(method || arriving.is(PacketType::Auth))
    {
        return None;
    }
    breach(
        clause!("v5.0/MQTT-4.12.0-6"),
        "the target began an enhanced authentication that CONNECT did not ask for",
    )
}

fn alias_within_maximum(arriving: &Arriving<'_>) -> Option<Breach> {
    let maximum = arriving.before.announced("topic_alias_maximum", 0);
    let alias = number(arriving.packet, "topic_alias")?;
    if !arriving.is(PacketType::Publish) || alias <= maximum {
        return None;
    }
    let clause = if maximum == 0 {
        clause!("v5.0/MQTT-3.1.2-27")
    } else {
        clause!("v5.0/MQTT-3.1.2-26")
    };
    breach(
        clause,
        format!(
            "the target used Topic Alias {alias}; the client's Topic Alias Maximum is {maximum}"
        ),
    )
}

fn alias_is_mapped(arriving: &Arriving<'_>) -> Option<Breach> {
    let alias = number(arriving.packet, "topic_alias")?;
    let named = !bytes(arriving.packet, "topic").is_empty();
    if !arriving.is(PacketType::Publish) || named || arriving.before.aliases.contains_key(&alias) {
        return None;
    }
    breach(
        clause!("v5.0/U50-3.3.4-4"),
        format!(
            "the target used Topic Alias {alias} without a topic and never said what it stands for"
        ),
    )
}

fn packet_id_is_free(arriving: &Arriving<'_>) -> Option<Breach> {
    let id = arriving.delivery()?;
    let session = arriving.before.session.borrow();
    let unfinished = session.deliveries.get(&id)?;
    // With the same content it is a repeat, whose flag is another rule's matter.
    let repeat =
        *unfinished == Delivery::of(arriving.packet) && !arriving.before.in_flight.contains(&id);
    if flag(arriving.packet, "dup") || repeat {
        return None;
    }
    breach(
        arriving.either(clause!("v3.1.1/MQTT-2.3.1-4"), clause!("v5.0/MQTT-2.2.1-4")),
        format!("Packet Identifier {id} is in use by a delivery that the client has not finished"),
    )
}

fn repeat_has_dup(arriving: &Arriving<'_>) -> Option<Breach> {
    let id = arriving.delivery()?;
    let session = arriving.before.session.borrow();
    let repeat = session.deliveries.get(&id) == Some(&Delivery::of(arriving.packet));
    if !repeat || flag(arriving.packet, "dup") || arriving.before.in_flight.contains(&id) {
        return None;
    }
    breach(
        arriving.either(clause!("v3.1.1/MQTT-3.3.1-1"), clause!("v5.0/MQTT-3.3.1-1")),
        format!("the delivery with Packet Identifier {id} is sent again without DUP"),
    )
}

/// On a connection that found no session, every Packet Identifier is delivered for the first time.
fn first_sending_has_no_dup(arriving: &Arriving<'_>) -> Option<Breach> {
    let id = arriving.delivery()?;
    let connack = arriving.before.connack.as_ref()?;
    let known = arriving.before.session.borrow().delivered.contains(&id);
    if !flag(arriving.packet, "dup") || flag(connack, "session_present") || known {
        return None;
    }
    breach(
        arriving.either(clause!("v3.1.1/MQTT-3.3.1-3"), clause!("v5.0/MQTT-3.3.1-3")),
        format!("the first delivery with Packet Identifier {id} has DUP set"),
    )
}

fn within_receive_maximum(arriving: &Arriving<'_>) -> Option<Breach> {
    let id = arriving.delivery()?;
    let maximum = arriving.before.announced("receive_maximum", 65_535);
    let in_flight = &arriving.before.in_flight;
    let more = in_flight.len() as u64 + u64::from(!in_flight.contains(&id));
    // 0 is no quota that a client may announce.
    if !arriving.is_v5() || maximum == 0 || more <= maximum {
        return None;
    }
    breach(
        clause!("v5.0/MQTT-3.3.4-9"),
        format!("{more} deliveries are under way; the client's Receive Maximum is {maximum}"),
    )
}

fn acknowledges_what_was_sent(arriving: &Arriving<'_>) -> Option<Breach> {
    let id = identifier(arriving.packet)?;
    let known = match arriving.packet.packet_type() {
        PacketType::Puback | PacketType::Pubrec => arriving
            .before
            .session
            .borrow()
            .outstanding
            .contains_key(&id),
        PacketType::Pubcomp => {
            arriving.before.released.contains(&id)
                || arriving
                    .before
                    .session
                    .borrow()
                    .outstanding
                    .contains_key(&id)
        }
        _ => return None,
    };
    if known || arriving.before.obscure {
        return None;
    }
    breach(
        arriving.either(clause!("v3.1.1/MQTT-2.3.1-6"), clause!("v5.0/MQTT-2.2.1-5")),
        format!(
            "{} has Packet Identifier {id}, which no packet of the client waits for",
            arriving.packet.packet_type()
        ),
    )
}

fn acknowledges_by_qos(arriving: &Arriving<'_>) -> Option<Breach> {
    let id = identifier(arriving.packet)?;
    let qos = *arriving.before.session.borrow().outstanding.get(&id)?;
    let wrong = match arriving.packet.packet_type() {
        PacketType::Puback => qos != 1,
        PacketType::Pubrec | PacketType::Pubcomp => qos != 2,
        _ => return None,
    };
    if !wrong || arriving.before.obscure {
        return None;
    }
    breach(
        arriving.either(clause!("v3.1.1/MQTT-3.3.4-1"), clause!("v5.0/MQTT-3.3.4-1")),
        format!(
            "a PUBLISH at QoS {qos} is answered with {}",
            arriving.packet.packet_type()
        ),
    )
}

fn answers_what_was_asked(arriving: &Arriving<'_>) -> Option<Breach> {
    let asked = match arriving.packet.packet_type() {
        PacketType::Suback => PacketType::Subscribe,
        PacketType::Unsuback => PacketType::Unsubscribe,
        _ => return None,
    };
    let id = identifier(arriving.packet)?;
    let known = arriving
        .before
        .requests
        .get(&id)
        .is_some_and(|(request, _)| *request == asked);
    if known || arriving.before.obscure {
        return None;
    }
    breach(
        arriving.either(clause!("v3.1.1/MQTT-2.3.1-7"), clause!("v5.0/MQTT-2.2.1-6")),
        format!(
            "{} has Packet Identifier {id}, which no {asked} of the client has",
            arriving.packet.packet_type()
        ),
    )
}

fn one_code_per_filter(arriving: &Arriving<'_>) -> Option<Breach> {
    let id = identifier(arriving.packet)?;
    let (_, filters) = *arriving.before.requests.get(&id)?;
    let clause = match arriving.packet.packet_type() {
        PacketType::Suback => {
            arriving.either(clause!("v3.1.1/MQTT-3.8.4-5"), clause!("v5.0/MQTT-3.8.4-6"))
        }
        PacketType::Unsuback if arriving.is_v5() => clause!("v5.0/MQTT-3.11.3-1"),
        _ => return None,
    };
    let codes = match arriving.packet.get("codes") {
        Some(Value::Numbers(codes)) => codes.len(),
        _ => 0,
    };
    if codes == filters || arriving.before.obscure {
        return None;
    }
    breach(
        clause,
        format!("{codes} Reason Codes answer {filters} Topic Filters"),
    )
}
