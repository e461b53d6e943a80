//! PUBLISH to a client, and the PUBREL that follows it: what stands in them (sections 3.3.1, 3.3.2 and 3.6).

use codec::{
    Packet, PacketType, Properties, PropertiesBuf, PropertyId, Publish, Pubrel, ReasonCode, Text,
};

use super::alias::Naming;
use super::outgoing::Delivery;
use super::{ConnectionId, Core, acknowledge};
use crate::rules::{Rules, rule};

impl Core {
    /// Sends a PUBLISH; tells whether the client takes one of its size.
    pub(super) fn send_publish(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        delivery: &Delivery,
        packet_id: Option<u16>,
        dup: bool,
    ) -> bool {
        let message = &delivery.message;
        let Some(connection) = self.connections.get(&id) else {
            return false;
        };
        let dup = match packet_id {
            Some(_) => dup,
            None => rules.must(
                rule!(
                    "v3.1.1/MQTT-3.3.1-2",
                    "v3.1.1/MQTT-4.3.1-1",
                    "v5.0/MQTT-3.3.1-2",
                    "v5.0/MQTT-4.3.1-1"
                ),
                false,
                true,
            ),
        };
        let packet_id = match packet_id {
            None if rules.breaks(rule!("v3.1.1/MQTT-2.3.1-5", "v5.0/MQTT-2.2.1-2")) => Some(1),
            given => given,
        };
        let mut own = PropertiesBuf::new();
        let mut naming = Naming::Name;
        if rules.is_v5() {
            naming = connection.outgoing_aliases.name(&message.topic);
            self.add_own_properties(rules, delivery, naming, &mut own);
        }
        let properties = if !rules.is_v5() {
            Properties::EMPTY
        } else if own.is_empty() {
            Properties::new(&message.properties)
        } else {
            own.extend(Properties::new(&message.properties));
            own.as_properties()
        };
        let topic: &[u8] = match naming {
            Naming::Alias(_) => b"",
            Naming::Name | Naming::NameAndAlias(_) => &message.topic,
        };
        let topic: &[u8] = rules.must(
            rule!("v3.1.1/MQTT-3.3.2-3", "v5.0/MQTT-3.3.2-3"),
            topic,
            b"elsewhere",
        );
        let publish = Publish {
            dup,
            qos: delivery.qos,
            retain: delivery.retain,
            topic: Text::new(topic),
            packet_id,
            properties,
            payload: &message.payload,
        };
        let sent = self.send(id, &Packet::Publish(publish));
        if let Naming::NameAndAlias(alias) = naming
            && sent
            && let Some(connection) = self.connections.get_mut(&id)
        {
            connection.outgoing_aliases.give(&message.topic, alias);
        }
        sent
    }

    /// The properties that belong to this delivery rather than to the message.
    fn add_own_properties(
        &self,
        rules: &Rules,
        delivery: &Delivery,
        naming: Naming,
        properties: &mut PropertiesBuf,
    ) {
        if let Some(remaining) = delivery.message.remaining_expiry(self.now) {
            let whole = delivery.message.expiry_interval.unwrap_or(remaining);
            let interval = rules.must(
                rule!("v5.0/MQTT-3.3.2-6"),
                remaining,
                whole.saturating_add(1),
            );
            properties.four_byte_integer(PropertyId::MessageExpiryInterval, interval);
        }
        if let Naming::NameAndAlias(alias) | Naming::Alias(alias) = naming {
            let alias = rules.must(rule!("v5.0/MQTT-3.3.2-8"), alias, 0);
            properties.two_byte_integer(PropertyId::TopicAlias, alias);
        }
        for &identifier in &delivery.identifiers {
            properties.subscription_identifier(identifier);
        }
    }

    /// Sends PUBREL: the second half of a QoS 2 delivery.
    pub(super) fn send_pubrel(&mut self, id: ConnectionId, packet_id: u16, reason: ReasonCode) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        let rules = connection.rules.clone();
        let packet_id = acknowledge::same_id(&rules, packet_id);
        let reason_code = rules.must(rule!("v5.0/MQTT-3.6.2-1"), reason, ReasonCode(0x7F));
        let explanation = self.explanation(id, PacketType::Pubrel, None);
        self.send_explained(
            id,
            &Packet::Pubrel(Pubrel {
                packet_id,
                reason_code,
                properties: explanation.as_properties(),
            }),
        );
    }
}
