//! What the server does not take over of what its clients publish, and how it tells them (sections 3.2.2.3 and 3.4).

use codec::{PacketType, Publish, QoS, ReasonCode};

use super::session::SessionKey;
use super::{ConnectionId, Core, Refusal, topic};
use crate::rules::{Rules, rule};

impl Core {
    /// What CONNACK has announced that the server does not do.
    pub(super) fn check_capabilities(
        &self,
        rules: &Rules,
        publish: &Publish<'_>,
    ) -> Result<(), Refusal> {
        let features = &self.config.features;
        rules.refuse_if(
            publish.qos > features.maximum_qos && publish.qos.is_valid(),
            rule!("v5.0/MQTT-3.2.2-11", "v5.0/U50-3.2.2.3.4-2"),
            ReasonCode::QOS_NOT_SUPPORTED,
        )?;
        rules.refuse_if(
            publish.retain && !features.retain,
            rule!("v5.0/MQTT-3.2.2-14", "v5.0/U50-3.2.2.3.5-2"),
            ReasonCode::RETAIN_NOT_SUPPORTED,
        )
    }

    /// Why the server does not take a message over that is sound in itself.
    pub(super) fn objection(
        &self,
        rules: &Rules,
        key: SessionKey,
        publish: &Publish<'_>,
        topic: &[u8],
    ) -> Option<Refusal> {
        let session = self.sessions.get(key)?;
        let checks = || {
            // Topics below $SYS are the server's own. Other topics with a dollar are left to the clients,
            // which shows how wildcards pass them over.
            rules.refuse_if(
                topic.starts_with(b"$SYS/"),
                rule!("v3.1.1/U311-4.7.2-1", "v5.0/U50-4.7.2-1"),
                ReasonCode::NOT_AUTHORIZED,
            )?;
            let access = &self.config.access;
            if !access.may_publish(session.user.as_deref(), topic) {
                let clause = rule!("v3.1.1/MQTT-3.3.5-2", "v5.0/MQTT-3.4.2-1");
                let refusal = Refusal::new(
                    clause.clauses(rules.version())[0],
                    ReasonCode::NOT_AUTHORIZED,
                );
                return Err(refusal.because("this client may not publish there"));
            }
            self.check_room(rules, publish, topic)?;
            // A receiver may look at the payload; it shows more.
            if publish.properties.payload_format_indicator() == Some(1)
                && std::str::from_utf8(publish.payload).is_err()
            {
                let clause = clauses::clause!("v5.0/U50-3.3.2.3.2-1");
                return Err(Refusal::new(clause, ReasonCode::PAYLOAD_FORMAT_INVALID));
            }
            rules.refuse_if(
                publish.qos == QoS::AT_LEAST_ONCE
                    && publish
                        .packet_id
                        .is_some_and(|id| session.incoming.contains(&id)),
                rule!("v5.0/MQTT-2.2.1-3"),
                ReasonCode::PACKET_IDENTIFIER_IN_USE,
            )?;
            // The server's own Packet Identifiers do not matter: each side assigns its own.
            let own = publish
                .packet_id
                .is_some_and(|id| session.outgoing.is_in_use(id));
            if own && rules.breaks(rule!("v5.0/U50-2.2.1-1")) {
                let clause = clauses::clause!("v5.0/U50-2.2.1-1");
                return Err(Refusal::new(clause, ReasonCode::PACKET_IDENTIFIER_IN_USE));
            }
            Ok(())
        };
        checks().err()
    }

    /// What the server has no room for. A message of QoS 0 is dropped where there is none.
    fn check_room(
        &self,
        rules: &Rules,
        publish: &Publish<'_>,
        topic: &[u8],
    ) -> Result<(), Refusal> {
        let limits = &self.config.limits;
        if topic::levels(topic).count() > limits.topic_levels {
            let clause = rule!("v3.1.1/MQTT-3.3.5-2", "v5.0/MQTT-3.4.2-1");
            let clause = clause.clauses(rules.version())[0];
            let refusal = Refusal::new(clause, ReasonCode::TOPIC_NAME_INVALID);
            return Err(refusal.because("the topic has too many levels"));
        }
        if !publish.qos.is_acknowledged() {
            return Ok(());
        }
        let size = topic.len() + publish.payload.len();
        let retains = publish.retain && !publish.payload.is_empty();
        let because = if retains && !self.retained.has_room(topic, size, limits) {
            "there are as many retained messages as there may be"
        } else if self.sessions.held.is_full(
            size,
            limits.all_queued_messages,
            limits.all_queued_bytes,
        ) {
            "as many messages are on their way as may be"
        } else {
            return Ok(());
        };
        let reason = ReasonCode::QUOTA_EXCEEDED;
        if rules.is_v5() {
            let clause = clauses::clause!("v5.0/MQTT-3.4.2-1");
            return Err(Refusal::new(clause, reason).because(because));
        }
        // What a server has no room for is a transient error, which ends the connection.
        rules
            .refuse_if(true, rule!("v3.1.1/MQTT-4.8.0-2"), reason)
            .map_err(|refusal| refusal.because(because))
    }

    /// Does not take the message over. 5.0 tells why in the acknowledgement; before, it is acknowledged as
    /// any other and goes no further. With QoS 0 there is nothing to tell it in.
    pub(super) fn decline(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        publish: &Publish<'_>,
        refusal: Refusal,
    ) -> Result<(), Refusal> {
        let Some(packet_id) = publish.packet_id else {
            if refusal.reason == ReasonCode::PAYLOAD_FORMAT_INVALID {
                return Err(refusal);
            }
            self.note_refused(id, PacketType::Publish, refusal);
            return Ok(());
        };
        if refusal.reason == ReasonCode::QUOTA_EXCEEDED && !rules.is_v5() {
            return Err(refusal);
        }
        self.note_refused(id, PacketType::Publish, refusal);
        // 3.1.1 has it acknowledged, or the connection closed.
        if rules.breaks(rule!("v3.1/V31-3.3-1", "v3.1.1/MQTT-3.3.5-2")) {
            return Ok(());
        }
        if publish.qos == QoS::AT_LEAST_ONCE {
            self.send_puback(id, rules, packet_id, refusal.reason, Some(refusal));
        } else {
            if !rules.is_v5()
                && let Some(key) = self.session_of(id)
            {
                self.take_over_from_client(id, rules, key, packet_id);
            }
            // A PUBREC with an error code ends the exchange: the Packet Identifier is free again.
            self.send_pubrec(id, rules, packet_id, refusal.reason, Some(refusal));
            if rules.is_v5()
                && rules.breaks(rule!("v5.0/MQTT-4.3.3-9"))
                && let Some(key) = self.session_of(id)
            {
                self.take_over_from_client(id, rules, key, packet_id);
            }
        }
        Ok(())
    }
}
