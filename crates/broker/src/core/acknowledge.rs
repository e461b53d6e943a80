//! The acknowledgements of QoS 1 and 2, both ways (sections 3.4 to 3.7 and 4.3).

use codec::{Packet, PacketType, Pubcomp, Pubrec, QoS, ReasonCode};

use super::persist::SessionChange;
use super::session::SessionKey;
use super::{ConnectionId, Core, Refusal};
use crate::rules::{Rules, rule};

/// The Packet Identifier of what is acknowledged, in its acknowledgement.
pub(super) fn same_id(rules: &Rules, packet_id: u16) -> u16 {
    rules.must(
        rule!("v3.1.1/MQTT-2.3.1-6", "v5.0/MQTT-2.2.1-5"),
        packet_id,
        packet_id.checked_add(1).unwrap_or(1),
    )
}

impl Core {
    /// PUBACK: the client has taken a QoS 1 message over, or refused it. Either way it is not sent again.
    pub(super) fn acknowledged(
        &mut self,
        rules: &Rules,
        key: SessionKey,
        packet_id: u16,
        reason: ReasonCode,
    ) {
        self.finish(rules, key, packet_id, QoS::AT_LEAST_ONCE, reason);
        self.send_waiting(key);
    }

    /// PUBREC: the client has taken a QoS 2 message over, or refused it.
    pub(super) fn received_by_client(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        key: SessionKey,
        pubrec: &Pubrec<'_>,
    ) {
        let packet_id = pubrec.packet_id;
        if pubrec.reason_code.is_error() {
            self.finish(rules, key, packet_id, QoS::EXACTLY_ONCE, pubrec.reason_code);
            self.send_waiting(key);
            return;
        }
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let outgoing = &mut session.outgoing;
        let in_flight = outgoing.position(packet_id, QoS::EXACTLY_ONCE);
        let expired = in_flight.is_some_and(|at| {
            outgoing.in_flight[at]
                .delivery
                .message
                .has_expired(self.now)
        });
        let known = in_flight.is_some() || outgoing.released.contains(&packet_id);
        if !known && rules.is_v5() {
            self.note_unknown_id(id, PacketType::Pubrec);
        }
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let outgoing = &mut session.outgoing;
        if let Some(at) = in_flight {
            // From here on the PUBLISH is not sent again.
            if rules.keeps(rule!("v3.1.1/MQTT-4.3.3-1", "v5.0/MQTT-4.3.3-6")) {
                outgoing.take_in_flight(at);
            }
            if !outgoing.released.contains(&packet_id) {
                outgoing.released.push_back(packet_id);
            }
            self.persist_session(key, || SessionChange::Released { packet_id });
        }
        let reason = if known {
            ReasonCode::SUCCESS
        } else {
            ReasonCode::PACKET_IDENTIFIER_NOT_FOUND
        };
        // The exchange is completed even if the message has expired meanwhile.
        if expired && rules.breaks(rule!("v5.0/MQTT-4.3.3-13")) {
            return;
        }
        if rules.keeps(rule!("v3.1.1/MQTT-4.3.3-1", "v5.0/MQTT-4.3.3-4")) {
            self.send_pubrel(id, packet_id, reason);
        }
    }

    /// PUBCOMP: a QoS 2 delivery is complete.
    pub(super) fn completed(&mut self, key: SessionKey, packet_id: u16) {
        if let Some(session) = self.sessions.get_mut(key) {
            let released = &mut session.outgoing.released;
            if let Some(at) = released.iter().position(|&id| id == packet_id) {
                released.remove(at);
                self.persist_session(key, || SessionChange::Completed { packet_id });
            }
        }
        self.send_waiting(key);
    }

    /// PUBREL: the client releases a QoS 2 message that it sent.
    pub(super) fn released(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        key: SessionKey,
        packet_id: u16,
    ) {
        // Afterwards the Packet Identifier means a new message.
        let forgets = rules.keeps(rule!("v3.1.1/MQTT-4.3.3-2", "v5.0/MQTT-4.3.3-12"));
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.receiving.remove(&packet_id);
        }
        let known = self.sessions.get_mut(key).is_some_and(|session| {
            if forgets {
                session.incoming.remove(&packet_id)
            } else {
                session.incoming.contains(&packet_id)
            }
        });
        if known {
            self.persist_session(key, || SessionChange::ReceivedReleased { packet_id });
        }
        if !known && rules.is_v5() {
            self.note_unknown_id(id, PacketType::Pubrel);
        }
        let reason = if known {
            ReasonCode::SUCCESS
        } else {
            ReasonCode::PACKET_IDENTIFIER_NOT_FOUND
        };
        self.send_pubcomp(id, rules, packet_id, reason);
    }

    /// Ends a delivery that the client has answered for good.
    fn finish(
        &mut self,
        rules: &Rules,
        key: SessionKey,
        packet_id: u16,
        qos: QoS,
        reason: ReasonCode,
    ) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let Some(at) = session.outgoing.position(packet_id, qos) else {
            return;
        };
        if reason.is_error() && rules.breaks(rule!("v5.0/MQTT-4.4.0-2")) {
            return;
        }
        let Some(finished) = session.outgoing.take_in_flight(at) else {
            return;
        };
        self.persist_session(key, || SessionChange::Completed { packet_id });
        if reason.is_error() {
            let because = "the client has refused it";
            self.note_dropped(key, &finished.message, rule!("v5.0/MQTT-4.4.0-2"), because);
        }
        // What one client of a Shared Subscription refuses goes to no other.
        if reason.is_error() && finished.share.is_some() && rules.breaks(rule!("v5.0/MQTT-4.8.2-6"))
        {
            self.share_once_more(&finished);
        }
    }

    /// Notes that an answer tells the client of a Packet Identifier that nothing is known of.
    fn note_unknown_id(&mut self, id: ConnectionId, packet_type: PacketType) {
        let clause = clauses::clause!("v5.0/MQTT-2.2.1-5");
        let refusal = Refusal::new(clause, ReasonCode::PACKET_IDENTIFIER_NOT_FOUND);
        let refusal = refusal.because("nothing is under way with this Packet Identifier");
        self.note_refused(id, packet_type, refusal);
    }

    fn send_pubcomp(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        packet_id: u16,
        reason: ReasonCode,
    ) {
        if rules.breaks(rule!("v3.1.1/MQTT-4.3.3-2", "v5.0/MQTT-4.3.3-11")) {
            return;
        }
        let packet_id = same_id(rules, packet_id);
        let reason_code = rules.must(rule!("v5.0/MQTT-3.7.2-1"), reason, ReasonCode(0x7F));
        let explanation = self.explanation(id, PacketType::Pubcomp, None);
        self.send_explained(
            id,
            &Packet::Pubcomp(Pubcomp {
                packet_id,
                reason_code,
                properties: explanation.as_properties(),
            }),
        );
    }
}
