//! PUBLISH from a client (section 3.3), and the first half of its acknowledgement.

use std::sync::Arc;

use codec::{Packet, PacketType, Puback, Publish, Pubrec, QoS, ReasonCode};

use super::message::Message;
use super::persist::SessionChange;
use super::session::SessionKey;
use super::{ConnectionId, Core, Refusal, acknowledge, as_published};
use crate::rules::{Rules, rule};

impl Core {
    /// The client publishes a message.
    pub(super) fn publish(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        key: SessionKey,
        publish: &Publish<'_>,
    ) -> Result<(), Refusal> {
        self.check_capabilities(rules, publish)?;
        let topic = as_published::as_it_is(rules, self.topic_of(id, rules, publish)?);
        self.check_receive_maximum(id, rules, publish)?;
        let Some(session) = self.sessions.get(key) else {
            return Ok(());
        };
        let publisher = Arc::clone(&session.client_id);

        if publish.qos >= QoS::EXACTLY_ONCE
            && let Some(packet_id) = publish.packet_id
            && session.incoming.contains(&packet_id)
            && rules.keeps(rule!(
                "v3.1/V31-4.1-2",
                "v3.1.1/MQTT-4.3.3-2",
                "v5.0/MQTT-4.3.3-10"
            ))
        {
            // The same message once more: it was passed on already.
            self.take_over_from_client(id, rules, key, packet_id);
            self.send_pubrec(id, rules, packet_id, ReasonCode::SUCCESS, None);
            return Ok(());
        }
        // With QoS 1 a Packet Identifier that was acknowledged means a new message, whatever DUP says.
        if publish.qos == QoS::AT_LEAST_ONCE
            && publish.dup
            && rules.breaks(rule!(
                "v3.1/V31-2.1-2",
                "v3.1/V31-4.1-1",
                "v3.1.1/MQTT-4.3.2-2",
                "v5.0/MQTT-4.3.2-5"
            ))
            && let Some(packet_id) = publish.packet_id
        {
            self.send_puback(id, rules, packet_id, ReasonCode::SUCCESS, None);
            return Ok(());
        }
        if publish.retain {
            self.drop_expired_retained();
        }
        if let Some(refusal) = self.objection(rules, key, publish, &topic) {
            return self.decline(id, rules, publish, refusal);
        }

        let message = Message {
            topic: topic.as_ref().into(),
            payload: publish.payload.into(),
            qos: publish.qos,
            retain: publish.retain,
            properties: as_published::forwarded(rules, publish.properties),
            expiry_interval: publish.properties.message_expiry_interval(),
            received: self.now,
            publisher: Some(publisher),
        };
        let found = self.take_message(rules, message);
        let reason = if found {
            ReasonCode::SUCCESS
        } else {
            // The server may tell so; it shows more.
            ReasonCode::NO_MATCHING_SUBSCRIBERS
        };
        if let Some(packet_id) = publish.packet_id {
            if publish.qos == QoS::AT_LEAST_ONCE {
                self.send_puback(id, rules, packet_id, reason, None);
            } else {
                self.take_over_from_client(id, rules, key, packet_id);
                self.send_pubrec(id, rules, packet_id, reason, None);
            }
        }
        Ok(())
    }

    /// Remembers a QoS 2 message of the client until it is released.
    pub(super) fn take_over_from_client(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        key: SessionKey,
        packet_id: u16,
    ) {
        if let Some(connection) = self.connections.get_mut(&id)
            && rules.is_v5()
        {
            connection.receiving.insert(packet_id);
        }
        if let Some(session) = self.sessions.get_mut(key)
            && session.incoming.insert(packet_id)
        {
            self.persist_session(key, || SessionChange::Received { packet_id });
        }
    }

    pub(super) fn send_puback(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        packet_id: u16,
        reason: ReasonCode,
        why: Option<Refusal>,
    ) {
        let rule = rule!(
            "v3.1.1/MQTT-3.3.4-1",
            "v3.1.1/MQTT-4.3.2-2",
            "v5.0/MQTT-3.3.4-1",
            "v5.0/MQTT-4.3.2-4"
        );
        if rules.breaks(rule) {
            return;
        }
        let packet_id = acknowledge::same_id(rules, packet_id);
        let reason_code = rules.must(rule!("v5.0/MQTT-3.4.2-1"), reason, ReasonCode(0x7F));
        let explanation = self.explanation(id, PacketType::Puback, why);
        self.send_explained(
            id,
            &Packet::Puback(Puback {
                packet_id,
                reason_code,
                properties: explanation.as_properties(),
            }),
        );
    }

    pub(super) fn send_pubrec(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        packet_id: u16,
        reason: ReasonCode,
        why: Option<Refusal>,
    ) {
        let rule = rule!(
            "v3.1.1/MQTT-3.3.4-1",
            "v3.1.1/MQTT-4.3.3-2",
            "v5.0/MQTT-3.3.4-1",
            "v5.0/MQTT-4.3.3-8"
        );
        if rules.breaks(rule) {
            return;
        }
        let packet_id = acknowledge::same_id(rules, packet_id);
        let reason_code = rules.must(rule!("v5.0/MQTT-3.5.2-1"), reason, ReasonCode(0x7F));
        let explanation = self.explanation(id, PacketType::Pubrec, why);
        self.send_explained(
            id,
            &Packet::Pubrec(Pubrec {
                packet_id,
                reason_code,
                properties: explanation.as_properties(),
            }),
        );
    }

    /// A broker that processes what follows a refused CONNECT publishes for a client that it does not know.
    pub(super) fn publish_of_nobody(&mut self, rules: &Rules, publish: &Publish<'_>) {
        let message = Message {
            topic: publish.topic.as_bytes().into(),
            payload: publish.payload.into(),
            qos: publish.qos,
            retain: publish.retain,
            properties: Box::default(),
            expiry_interval: None,
            received: self.now,
            publisher: None,
        };
        self.take_message(rules, message);
    }
}
