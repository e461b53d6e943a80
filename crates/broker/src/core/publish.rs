//! PUBLISH from a client (section 3.3), and the first half of its acknowledgement.

use std::borrow::Cow;
use std::sync::Arc;

use codec::{
    Packet, PacketType, Properties, PropertiesBuf, PropertyId, PropertyValue, Puback, Publish,
    Pubrec, QoS, ReasonCode,
};

use super::message::Message;
use super::persist::SessionChange;
use super::session::SessionKey;
use super::{ConnectionId, Core, Refusal, acknowledge, topic};
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
        let topic = as_it_is(rules, self.topic_of(id, rules, publish)?);
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
            properties: forwarded(rules, publish.properties),
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

    /// What CONNACK has announced that the server does not do.
    fn check_capabilities(&self, rules: &Rules, publish: &Publish<'_>) -> Result<(), Refusal> {
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

    /// Flow control towards the server (section 4.9). QoS 1 is acknowledged at once and never under way for long.
    fn check_receive_maximum(
        &self,
        id: ConnectionId,
        rules: &Rules,
        publish: &Publish<'_>,
    ) -> Result<(), Refusal> {
        let Some(packet_id) = publish.packet_id else {
            return Ok(());
        };
        let Some(connection) = self.connections.get(&id) else {
            return Ok(());
        };
        let under_way = connection.receiving.len();
        rules.refuse_if(
            under_way >= usize::from(self.config.limits.receive_maximum)
                && !connection.receiving.contains(&packet_id),
            rule!("v5.0/MQTT-3.3.4-7", "v5.0/U50-3.3.4-5"),
            ReasonCode::RECEIVE_MAXIMUM_EXCEEDED,
        )
    }

    /// Why the server does not take a message over that is sound in itself.
    fn objection(
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
    fn decline(
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

    /// Remembers a QoS 2 message of the client until it is released.
    fn take_over_from_client(
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

    fn send_puback(
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

    fn send_pubrec(
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

/// The topic, neither normalised nor stripped of a byte order mark.
fn as_it_is<'t>(rules: &Rules, topic: Cow<'t, [u8]>) -> Cow<'t, [u8]> {
    if rules.breaks(rule!(
        "v3.1/V31-A-3",
        "v3.1.1/MQTT-4.7.3-4",
        "v5.0/MQTT-4.7.3-4"
    )) {
        return Cow::Owned(topic.to_ascii_lowercase());
    }
    let mark = "\u{FEFF}".as_bytes();
    if topic.starts_with(mark) && rules.breaks(rule!("v3.1.1/MQTT-1.5.3-3", "v5.0/MQTT-1.5.4-3")) {
        return Cow::Owned(topic[mark.len()..].to_vec());
    }
    topic
}

/// The properties that reach subscribers as the publisher set them, and in their order (section 3.3.2.3).
pub(super) fn forwarded(rules: &Rules, properties: Properties<'_>) -> Box<[u8]> {
    if properties.is_empty() {
        return Box::default();
    }
    let mut kept = PropertiesBuf::new();
    for property in properties {
        let reaches = match property.id {
            PropertyId::PayloadFormatIndicator => rules.keeps(rule!("v5.0/MQTT-3.3.2-4")),
            PropertyId::ResponseTopic => rules.keeps(rule!("v5.0/MQTT-3.3.2-15")),
            PropertyId::CorrelationData => rules.keeps(rule!("v5.0/MQTT-3.3.2-16")),
            PropertyId::UserProperty => rules.keeps(rule!("v5.0/MQTT-3.3.2-17")),
            PropertyId::ContentType => rules.keeps(rule!("v5.0/MQTT-3.3.2-20")),
            _ => false,
        };
        if reaches {
            kept.push(property);
        }
    }
    let kept: Box<[u8]> = kept.as_properties().as_bytes().into();
    if properties.contains(PropertyId::UserProperty) && rules.breaks(rule!("v5.0/MQTT-3.3.2-18")) {
        return with_user_properties_reversed(&kept);
    }
    kept
}

/// What a broker makes of User Properties that does not keep their order.
pub(super) fn with_user_properties_reversed(properties: &[u8]) -> Box<[u8]> {
    let properties = Properties::new(properties);
    let is_user = |value: &PropertyValue<'_>| matches!(value, PropertyValue::Utf8StringPair(..));
    let (mut user, other): (Vec<_>, Vec<_>) = properties
        .iter()
        .partition(|property| is_user(&property.value));
    user.reverse();
    let reversed: PropertiesBuf = other.into_iter().chain(user).collect();
    reversed.as_properties().as_bytes().into()
}
