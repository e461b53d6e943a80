//! UNSUBSCRIBE and its UNSUBACK (sections 3.10 and 3.11).

use codec::{Packet, PacketType, ReasonCode, ReasonCodes, Unsuback, Unsubscribe};

use super::persist::SessionChange;
use super::session::SessionKey;
use super::{ConnectionId, Core};
use crate::rules::{Rules, rule};

impl Core {
    /// The client wants no more messages. Deliveries that have begun are finished.
    pub(super) fn unsubscribe(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        key: SessionKey,
        unsubscribe: &Unsubscribe<'_>,
    ) {
        let mut codes = Vec::new();
        for filter in unsubscribe.filters.iter() {
            let existed = self.delete_subscription(rules, key, filter.as_bytes());
            codes.push(if existed {
                ReasonCode::SUCCESS.0
            } else {
                ReasonCode::NO_SUBSCRIPTION_EXISTED.0
            });
            // Several filters act like one UNSUBSCRIBE for each.
            if rules.breaks(rule!("v3.1.1/MQTT-3.10.4-6", "v5.0/MQTT-3.10.4-6")) {
                break;
            }
        }
        self.send_unsuback(id, rules, unsubscribe.packet_id, codes);
    }

    /// Deletes the subscription whose filter is the same, character by character; tells whether there was one.
    fn delete_subscription(&mut self, rules: &Rules, key: SessionKey, filter: &[u8]) -> bool {
        let Some(session) = self.sessions.get_mut(key) else {
            return false;
        };
        if !session.subscriptions.contains_key(filter) {
            return false;
        }
        if rules.breaks(rule!(
            "v3.1.1/MQTT-3.10.4-1",
            "v3.1.1/MQTT-3.10.4-2",
            "v5.0/MQTT-3.10.4-1",
            "v5.0/MQTT-3.10.4-2"
        )) {
            return true;
        }
        // A delivery that has begun is finished all the same.
        if rules.breaks(rule!("v3.1.1/MQTT-3.10.4-3", "v5.0/MQTT-3.10.4-3")) {
            session.outgoing.keep_in_flight(|_| false);
            session.outgoing.released.clear();
        }
        let Some(subscription) = session.subscriptions.remove(filter) else {
            return false;
        };
        self.subscriptions
            .remove(subscription.requested(filter), key);
        self.persist_session(key, || SessionChange::Unsubscribed {
            filter: filter.into(),
        });
        true
    }

    fn send_unsuback(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        packet_id: u16,
        mut codes: Vec<u8>,
    ) {
        if rules.breaks(rule!("v3.1.1/MQTT-3.10.4-4", "v5.0/MQTT-3.10.4-4")) {
            return;
        }
        let deleted = codes.contains(&ReasonCode::SUCCESS.0);
        if !deleted && rules.breaks(rule!("v3.1.1/MQTT-3.10.4-5", "v5.0/MQTT-3.10.4-5")) {
            return;
        }
        let packet_id = rules.must(
            rule!("v3.1.1/MQTT-2.3.1-7", "v5.0/MQTT-2.2.1-6"),
            packet_id,
            packet_id.checked_add(1).unwrap_or(1),
        );
        if rules.breaks(rule!("v5.0/MQTT-3.11.3-1")) && rules.is_v5() {
            codes.reverse();
        }
        if rules.breaks(rule!("v5.0/MQTT-3.11.3-2")) && rules.is_v5() {
            codes.fill(0x7F);
        }
        let explanation = self.explanation(id, PacketType::Unsuback, None);
        self.send_explained(
            id,
            &Packet::Unsuback(Unsuback {
                packet_id,
                properties: explanation.as_properties(),
                codes: ReasonCodes::new(&codes),
            }),
        );
    }
}
