//! Sending messages to a client, in their order and within its limits (sections 4.3, 4.4 and 4.6).

use std::sync::Arc;

use codec::{QoS, ReasonCode, Version};

use super::flow_control::keeps_quota;
use super::message::Message;
use super::outgoing::Delivery;
use super::persist::SessionChange;
use super::session::SessionKey;
use super::{ConnectionId, Core};
use crate::rules::{Rules, rule};

impl Core {
    /// Adds a message to those on their way to the client of a Session.
    pub(super) fn deliver(&mut self, key: SessionKey, delivery: Delivery) {
        let (limits, size) = (&self.config.limits, delivery.message.size());
        let (messages, bytes) = (limits.all_queued_messages, limits.all_queued_bytes);
        let all_full = self.sessions.held.is_full(size, messages, bytes);
        let waits = self
            .sessions
            .get(key)
            .is_some_and(|session| self.room_in_flight(session) == 0);
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        if !delivery.qos.is_acknowledged() {
            // What need not arrive is not kept for a client that is away or does not keep up.
            let connected = session.connection.filter(|id| {
                self.connections
                    .get(id)
                    .is_some_and(|connection| !connection.congested)
            });
            if let Some(id) = connected {
                let rules = session.rules.clone();
                if !self.send_publish(id, &rules, &delivery, None, false) {
                    self.note_too_large(key, &delivery);
                }
            } else {
                self.note_lost(key, &delivery.message);
            }
            return;
        }
        let connected = session.connection.is_some();
        if !connected
            && !session
                .rules
                .keeps(rule!("v3.1.1/MQTT-3.1.2-5", "v5.0/MQTT-4.5.0-1"))
        {
            return;
        }
        let outgoing = &mut session.outgoing;
        if outgoing.is_full(size, waits, limits) {
            self.overflows(key);
            return;
        }
        if all_full {
            self.all_overflow();
        }
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let outgoing = &mut session.outgoing;
        // Every topic is ordered: what comes later waits behind.
        let in_order = session.rules.keeps(rule!(
            "v3.1/V31-4.3-1",
            "v3.1.1/MQTT-4.6.0-5",
            "v3.1.1/MQTT-4.6.0-6",
            "v5.0/MQTT-4.6.0-5",
            "v5.0/MQTT-4.6.0-6"
        ));
        let copy = self.config.persistent.then(|| delivery.clone());
        outgoing.queue(delivery);
        if !in_order {
            outgoing.waiting.rotate_right(1);
        }
        if let Some(copy) = copy {
            self.persist_session(key, || SessionChange::Queued(copy));
        }
        self.send_waiting(key);
    }

    /// Goes on with a Session's deliveries on a new connection: what was released first, since the client took it
    /// over before, then what is in flight, then what waits.
    pub(super) fn resume_deliveries(&mut self, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let Some(id) = session.connection else {
            return;
        };
        // Both are sent again in the order that they were sent in first.
        if session.rules.breaks(rule!(
            "v3.1/V31-4.3-1",
            "v3.1.1/MQTT-4.6.0-1",
            "v5.0/MQTT-4.6.0-1"
        )) {
            session.outgoing.in_flight.make_contiguous().reverse();
        }
        if session.rules.breaks(rule!(
            "v3.1/V31-4.3-1",
            "v3.1.1/MQTT-4.6.0-4",
            "v5.0/MQTT-4.6.0-4"
        )) {
            session.outgoing.released.make_contiguous().reverse();
        }
        if session.rules.keeps(rule!(
            "v3.1/V31-4.2-1",
            "v3.1.1/MQTT-4.4.0-1",
            "v5.0/MQTT-4.4.0-1",
            "v5.0/MQTT-4.3.3-5"
        )) {
            let released: Vec<_> = session.outgoing.released.iter().copied().collect();
            for packet_id in released {
                self.send_pubrel(id, packet_id, ReasonCode::SUCCESS);
            }
        }
        self.send_waiting(key);
    }

    /// Sends what is in flight and not yet sent on this connection, then what waits, as far as the client's
    /// Receive Maximum allows. Nothing but PUBLISH waits for it.
    pub(super) fn send_waiting(&mut self, key: SessionKey) {
        loop {
            let Some(session) = self.sessions.get_mut(key) else {
                return;
            };
            let Some(id) = session.connection else {
                return;
            };
            let Some(connection) = self.connections.get(&id) else {
                return;
            };
            let rules = session.rules.clone();
            let outgoing = &mut session.outgoing;
            let unacknowledged = outgoing.unacknowledged();
            let full = unacknowledged >= usize::from(self.config.limits.in_flight)
                || unacknowledged >= usize::from(connection.receive_maximum)
                    && keeps_quota(&rules, connection.receive_maximum);
            if connection.congested || full {
                return;
            }
            if let Some(at) = outgoing.first_unsent() {
                self.send_again(key, id, &rules, at);
                continue;
            }
            let Some(delivery) = outgoing.take_waiting() else {
                return;
            };
            self.send_first(key, id, &rules, delivery);
        }
    }

    fn send_first(&mut self, key: SessionKey, id: ConnectionId, rules: &Rules, delivery: Delivery) {
        if delivery.message.has_expired(self.now) && !rules.breaks(rule!("v5.0/MQTT-3.3.2-5")) {
            self.persist_session(key, || SessionChange::Dropped);
            self.note_expired(key, &delivery);
            return;
        }
        // The Session may have gone on with another user since it was queued, or with other permissions.
        if !self.may_receive(key, &delivery.message) {
            self.persist_session(key, || SessionChange::Dropped);
            self.note_withheld(key, &delivery.message);
            return;
        }
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let packet_id = rules.must(
            if delivery.qos == QoS::AT_LEAST_ONCE {
                rule!(
                    "v3.1/V31-2.4-1",
                    "v3.1.1/MQTT-2.3.1-4",
                    "v3.1.1/MQTT-4.3.2-1",
                    "v5.0/MQTT-2.2.1-4",
                    "v5.0/MQTT-4.3.2-1"
                )
            } else {
                rule!(
                    "v3.1/V31-2.4-1",
                    "v3.1.1/MQTT-2.3.1-4",
                    "v3.1.1/MQTT-4.3.3-1",
                    "v5.0/MQTT-2.2.1-4",
                    "v5.0/MQTT-4.3.3-1"
                )
            },
            session.outgoing.next_id(),
            // 3.1 says of 0 alone that it is none.
            u16::from(rules.version() != Version::V3_1),
        );
        self.persist_session(key, || SessionChange::Sent { packet_id });
        let dup = rules.must(
            if delivery.qos == QoS::AT_LEAST_ONCE {
                rule!(
                    "v3.1.1/MQTT-3.3.1-3",
                    "v3.1.1/MQTT-4.3.2-1",
                    "v5.0/MQTT-3.3.1-3",
                    "v5.0/MQTT-4.3.2-2"
                )
            } else {
                rule!(
                    "v3.1.1/MQTT-3.3.1-3",
                    "v3.1.1/MQTT-4.3.3-1",
                    "v5.0/MQTT-3.3.1-3",
                    "v5.0/MQTT-4.3.3-2"
                )
            },
            false,
            true,
        );
        let sent = self.send_publish(id, rules, &delivery, Some(packet_id), dup);
        // What is too large for the client is dropped as if it had been delivered. Otherwise the message stays
        // outstanding until it is acknowledged.
        if !sent {
            self.note_too_large(key, &delivery);
        }
        let outstanding = if sent {
            rules.keeps(rule!(
                "v3.1.1/MQTT-4.3.2-1",
                "v3.1.1/MQTT-4.3.3-1",
                "v5.0/MQTT-4.3.2-3",
                "v5.0/MQTT-4.3.3-3"
            ))
        } else {
            rules.breaks(rule!("v5.0/MQTT-3.1.2-25"))
        };
        if let Some(session) = self.sessions.get_mut(key)
            && outstanding
        {
            session.outgoing.sent(packet_id, delivery);
        } else {
            self.persist_session(key, || SessionChange::Completed { packet_id });
        }
    }

    fn note_expired(&mut self, key: SessionKey, delivery: &Delivery) {
        let clause = rule!("v5.0/MQTT-3.3.2-5");
        let because = "its Message Expiry Interval has passed";
        self.note_dropped(key, &delivery.message, clause, because);
    }

    fn note_too_large(&mut self, key: SessionKey, delivery: &Delivery) {
        let rule = rule!("v5.0/MQTT-3.1.2-25");
        let because = "it is larger than the client's Maximum Packet Size";
        self.note_dropped(key, &delivery.message, rule, because);
    }

    /// Sends a message again after a reconnect, with its old Packet Identifier. It does not expire any more.
    fn send_again(&mut self, key: SessionKey, id: ConnectionId, rules: &Rules, at: usize) {
        let Some(message) = self
            .sessions
            .get_mut(key)
            .and_then(|session| session.outgoing.in_flight.get_mut(at))
        else {
            return;
        };
        message.sent = true;
        let (packet_id, delivery) = (message.packet_id, message.delivery.clone());
        if !self.may_receive(key, &delivery.message) {
            self.withhold_in_flight(key, packet_id, &delivery.message);
            return;
        }
        let resends = rules.keeps(rule!(
            "v3.1/V31-4.2-1",
            "v3.1.1/MQTT-4.4.0-1",
            "v5.0/MQTT-4.4.0-1"
        ));
        let expires = delivery.message.has_expired(self.now)
            && rules.is_v5()
            && rules.breaks(rule!("v5.0/MQTT-4.3.3-7"));
        if resends && !expires {
            let dup = rules.must(
                rule!(
                    "v3.1/V31-2.1-1",
                    "v3.1/V31-4.2-3",
                    "v3.1.1/MQTT-3.3.1-1",
                    "v5.0/MQTT-3.3.1-1"
                ),
                true,
                false,
            );
            self.send_publish(id, rules, &delivery, Some(packet_id), dup);
        }
    }

    /// Ends a delivery that was begun to somebody who might receive it, and whose Session goes on with others.
    fn withhold_in_flight(&mut self, key: SessionKey, packet_id: u16, message: &Arc<Message>) {
        if let Some(session) = self.sessions.get_mut(key) {
            session.outgoing.finish(packet_id);
            self.persist_session(key, || SessionChange::Completed { packet_id });
            self.note_withheld(key, message);
        }
    }
}
