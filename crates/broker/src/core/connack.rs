//! CONNACK of a client that is let in, and what it tells of the server (section 3.2).

use codec::{
    Connack, Connect, Packet, PacketType, Pingresp, PropertiesBuf, PropertyId, QoS, ReasonCode,
    Version,
};

use super::{ConnectionId, Core};
use crate::rules::{Rules, rule};

impl Core {
    /// The properties by which CONNACK tells what this server can and cannot do (section 3.2.2.3).
    pub(super) fn capabilities(
        &self,
        id: ConnectionId,
        rules: &Rules,
        connect: &Connect<'_>,
        assigned: Option<&str>,
        expiry: u32,
    ) -> PropertiesBuf {
        let mut properties = PropertiesBuf::new();
        if !rules.is_v5() {
            return properties;
        }
        let (features, limits) = (&self.config.features, &self.config.limits);
        if expiry != connect.properties.session_expiry_interval().unwrap_or(0) {
            properties.four_byte_integer(PropertyId::SessionExpiryInterval, expiry);
        }
        properties.two_byte_integer(PropertyId::ReceiveMaximum, limits.receive_maximum);
        if features.maximum_qos < QoS::EXACTLY_ONCE && rules.keeps(rule!("v5.0/MQTT-3.2.2-9")) {
            properties.byte(PropertyId::MaximumQoS, features.maximum_qos.value());
        }
        properties.four_byte_integer(PropertyId::MaximumPacketSize, limits.maximum_packet_size);
        if let Some(assigned) = assigned
            && rules.keeps(rule!("v5.0/MQTT-3.1.3-7", "v5.0/MQTT-3.2.2-16"))
        {
            properties.utf8_string(PropertyId::AssignedClientIdentifier, assigned);
        }
        if limits.topic_alias_maximum > 0 {
            properties.two_byte_integer(PropertyId::TopicAliasMaximum, limits.topic_alias_maximum);
        }
        for (offered, property) in [
            (features.retain, PropertyId::RetainAvailable),
            (
                features.wildcards,
                PropertyId::WildcardSubscriptionAvailable,
            ),
            (
                features.subscription_identifiers,
                PropertyId::SubscriptionIdentifierAvailable,
            ),
            (
                features.shared_subscriptions,
                PropertyId::SharedSubscriptionAvailable,
            ),
        ] {
            if !offered {
                properties.byte(property, 0);
            }
        }
        if let Some(seconds) = limits.server_keep_alive {
            properties.two_byte_integer(PropertyId::ServerKeepAlive, seconds);
        }
        let requested = connect.properties.request_response_information() == Some(1);
        if let Some(information) = &self.config.answers.response_information
            && (requested || rules.breaks(rule!("v5.0/MQTT-3.1.2-28")))
        {
            properties.utf8_string(PropertyId::ResponseInformation, information.as_str());
        }
        self.conclude_authentication(id, rules, &mut properties);
        properties.extend(
            self.explanation(id, PacketType::Connack, None)
                .as_properties(),
        );
        properties
    }

    pub(super) fn send_connack(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        connect: &Connect<'_>,
        present: bool,
        properties: &PropertiesBuf,
    ) {
        if rules.breaks(rule!("v3.1.1/MQTT-3.1.4-4", "v5.0/MQTT-3.1.4-5")) {
            return;
        }
        let session_present = match (rules.version(), connect.clean_start) {
            // The byte is unused in 3.1.
            (Version::V3_1, _) => false,
            (_, true) => rules.must(
                rule!("v3.1.1/MQTT-3.2.2-1", "v5.0/MQTT-3.2.2-2"),
                present,
                true,
            ),
            (_, false) if present => rules.must(
                rule!("v3.1.1/MQTT-3.2.2-2", "v5.0/MQTT-3.2.2-3"),
                true,
                false,
            ),
            (_, false) => rules.must(
                rule!("v3.1.1/MQTT-3.2.2-3", "v5.0/MQTT-3.2.2-3"),
                false,
                true,
            ),
        };
        if rules.breaks(rule!("v3.1.1/MQTT-3.2.0-1", "v5.0/MQTT-3.2.0-1")) {
            self.send(id, &Packet::Pingresp(Pingresp));
        }
        let reason_code = rules.must(rule!("v3.1/V31-3.2-2"), ReasonCode::SUCCESS, ReasonCode(6));
        let copies = rules.must(rule!("v5.0/MQTT-3.2.0-2"), 1, 2);
        for _ in 0..copies {
            self.send_explained(
                id,
                &Packet::Connack(Connack {
                    session_present,
                    reason_code,
                    properties: properties.as_properties(),
                }),
            );
        }
        if connect.properties.authentication_method().is_none() {
            self.send_auth_unasked(id, rules);
        }
    }
}
