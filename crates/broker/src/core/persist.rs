//! What must be persisted before it is acknowledged, and the broker as it was (section 4.1).
//!
//! A store commits the changes of one call of [`Core::handle`] together, before it lets any of its other actions
//! happen. Then a message that was acknowledged is never lost, and one of QoS 2 never doubled.

use std::sync::Arc;
use std::time::Duration;

use super::message::Message;
use super::outgoing::Delivery;
use super::session::{NEVER, Session, SessionKey};
use super::subscriptions::Subscription;
use super::{Action, Core};
use crate::Config;

/// A change of the Session State or of the retained messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Persist {
    /// A Session changes.
    Session {
        /// The Client Identifier.
        client_id: Arc<[u8]>,
        /// How.
        change: SessionChange,
    },
    /// A message is retained, in place of an earlier one of its topic.
    Retained(Arc<Message>),
    /// The retained message of a topic is removed.
    RetainedRemoved {
        /// The topic.
        topic: Box<[u8]>,
    },
}

/// A change of a Session that outlives its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionChange {
    /// It begins. What an earlier one of this client left is void, told or not: a server that fails ends the
    /// Sessions that do not outlive their connections.
    Begun {
        /// The Session Expiry Interval in seconds; `u32::MAX` never expires.
        expiry_interval: u32,
    },
    /// It changes for how long it outlives its connection.
    Kept {
        /// The Session Expiry Interval in seconds; `u32::MAX` never expires.
        expiry_interval: u32,
    },
    /// It ends, with all that belongs to it.
    Ended,
    /// A subscription is made or replaced.
    Subscribed {
        /// The Topic Filter as it was requested, with its Share Name.
        filter: Box<[u8]>,
        /// What it asks for.
        subscription: Subscription,
    },
    /// A subscription is deleted.
    Unsubscribed {
        /// The Topic Filter.
        filter: Box<[u8]>,
    },
    /// A QoS 1 or 2 message waits, behind the others.
    Queued(Delivery),
    /// The first message that waits is given up: it has expired.
    Dropped,
    /// The first message that waits is sent for the first time.
    Sent {
        /// Its Packet Identifier from now on.
        packet_id: u16,
    },
    /// The client has taken a QoS 2 message over: PUBREL follows.
    Released {
        /// The Packet Identifier.
        packet_id: u16,
    },
    /// A delivery is complete, and its Packet Identifier free again.
    Completed {
        /// The Packet Identifier.
        packet_id: u16,
    },
    /// A QoS 2 message came from the client and was passed on.
    Received {
        /// The Packet Identifier.
        packet_id: u16,
    },
    /// The client has released a QoS 2 message.
    ReceivedReleased {
        /// The Packet Identifier.
        packet_id: u16,
    },
}

impl Core {
    /// The broker as it was, by the changes that it persisted, in their order. It goes on at `now`, counted from
    /// the start of the first; nobody is connected. Wills are not persisted: a server that fails may defer them,
    /// and this one forgets them.
    pub fn restore(
        config: Config,
        changes: impl IntoIterator<Item = Persist>,
        now: Duration,
    ) -> Self {
        let mut core = Self::new(config);
        core.now = now;
        for change in changes {
            match change {
                Persist::Session { client_id, change } => core.replay(&client_id, change),
                Persist::Retained(message) => {
                    core.store_retained(&message);
                }
                Persist::RetainedRemoved { topic } => {
                    core.retained.remove(&topic);
                }
            }
        }
        let sessions: Vec<_> = core.sessions.keys().collect();
        for session in sessions {
            core.begin_expiry(session);
        }
        core.actions.clear();
        core
    }

    /// The state as the changes that give it, and no more: what a store puts in place of a long history.
    pub fn snapshot(&self) -> Vec<Persist> {
        let mut changes: Vec<_> = self
            .retained
            .all()
            .cloned()
            .map(Persist::Retained)
            .collect();
        for session in self.sessions.all().filter(|session| session.kept) {
            let told = session.changes().map(|change| Persist::Session {
                client_id: Arc::clone(&session.client_id),
                change,
            });
            changes.extend(told);
        }
        changes
    }

    fn replay(&mut self, client_id: &Arc<[u8]>, change: SessionChange) {
        if let SessionChange::Begun { .. } = change {
            if let Some(earlier) = self.sessions.find(client_id) {
                self.end_session(earlier);
            }
            let rules = self.rules.of(codec::Version::V5_0);
            self.sessions.begin(client_id, None, rules, None, NEVER);
        }
        let Some(key) = self.sessions.find(client_id) else {
            return;
        };
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let outgoing = &mut session.outgoing;
        match change {
            SessionChange::Begun { expiry_interval } | SessionChange::Kept { expiry_interval } => {
                session.expiry = expiry_interval;
                session.kept = true;
            }
            SessionChange::Ended => self.end_session(key),
            SessionChange::Subscribed {
                filter,
                subscription,
            } => {
                let requested = subscription.requested(&filter);
                self.subscriptions.insert(requested, key, subscription);
                session.subscriptions.insert(filter, subscription);
            }
            SessionChange::Unsubscribed { filter } => {
                if let Some(subscription) = session.subscriptions.remove(&filter) {
                    let requested = subscription.requested(&filter);
                    self.subscriptions.remove(requested, key);
                }
            }
            SessionChange::Queued(delivery) => outgoing.queue(delivery),
            SessionChange::Dropped => {
                outgoing.take_waiting();
            }
            SessionChange::Sent { packet_id } => {
                if let Some(delivery) = outgoing.take_waiting() {
                    outgoing.sent(packet_id, delivery);
                    outgoing.interrupted();
                }
            }
            SessionChange::Released { packet_id } => {
                outgoing.finish(packet_id);
                outgoing.released.push_back(packet_id);
            }
            SessionChange::Completed { packet_id } => outgoing.finish(packet_id),
            SessionChange::Received { packet_id } => {
                session.incoming.insert(packet_id);
            }
            SessionChange::ReceivedReleased { packet_id } => {
                session.incoming.remove(&packet_id);
            }
        }
    }

    /// Adds a change to the actions, where changes are persisted at all.
    pub(super) fn persist(&mut self, change: impl FnOnce() -> Persist) {
        if self.config.persistent {
            self.actions.push(Action::Persist(change()));
        }
    }

    /// Adds a change of a Session, if it outlives its connection.
    pub(super) fn persist_session(
        &mut self,
        key: SessionKey,
        change: impl FnOnce() -> SessionChange,
    ) {
        if let Some(session) = self.sessions.get(key)
            && session.kept
        {
            let client_id = Arc::clone(&session.client_id);
            self.persist(|| Persist::Session {
                client_id,
                change: change(),
            });
        }
    }

    /// Adds that a Session has begun that outlives its connection.
    pub(super) fn persist_begin(&mut self, key: SessionKey) {
        if let Some(session) = self.sessions.get_mut(key)
            && session.expiry > 0
        {
            session.kept = true;
            let expiry_interval = session.expiry;
            self.persist_session(key, || SessionChange::Begun { expiry_interval });
        }
    }

    /// Adds for how long a Session now outlives its connection.
    pub(super) fn persist_expiry(&mut self, key: SessionKey) {
        if let Some(session) = self.sessions.get(key) {
            let expiry_interval = session.expiry;
            self.persist_session(key, || SessionChange::Kept { expiry_interval });
        }
    }
}

impl Session {
    /// The changes that give this Session.
    fn changes(&self) -> impl Iterator<Item = SessionChange> + '_ {
        let begun = SessionChange::Begun {
            expiry_interval: self.expiry,
        };
        let subscribed =
            self.subscriptions
                .iter()
                .map(|(filter, &subscription)| SessionChange::Subscribed {
                    filter: filter.clone(),
                    subscription,
                });
        let received = self.incoming.iter();
        let received = received.map(|&packet_id| SessionChange::Received { packet_id });
        let released = self.outgoing.released.iter();
        let released = released.map(|&packet_id| SessionChange::Released { packet_id });
        let in_flight = self.outgoing.in_flight.iter().flat_map(|message| {
            let packet_id = message.packet_id;
            let delivery = message.delivery.clone();
            [
                SessionChange::Queued(delivery),
                SessionChange::Sent { packet_id },
            ]
        });
        let waiting = self.outgoing.waiting.iter().cloned();
        std::iter::once(begun)
            .chain(subscribed)
            .chain(received)
            .chain(released)
            .chain(in_flight)
            .chain(waiting.map(SessionChange::Queued))
    }
}

#[cfg(test)]
mod tests {
    use crate::core::{ConnectionId, Event};

    use super::*;

    #[test]
    fn what_is_acknowledged_was_persisted_before() {
        let mut core = Core::new(Config {
            persistent: true,
            ..Config::default()
        });
        let (absent, publisher) = (ConnectionId(0), ConnectionId(1));
        let mut send = |connection, bytes: &[u8]| {
            let mut actions = Vec::new();
            let received = Event::Received { connection, bytes };
            core.handle(Event::Opened { connection }, Duration::ZERO, &mut actions);
            core.handle(received, Duration::ZERO, &mut actions);
            actions
        };
        // Client `a` with Clean Session 0 subscribes to `t` with QoS 1 and leaves.
        let connect = b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x00\x00\x01a";
        let subscribe = b"\x82\x06\x00\x01\x00\x01t\x01";
        let leave = b"\xe0\x00";
        send(absent, &[connect, &subscribe[..], leave].concat());
        let connect = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01p";
        let publish = b"\x32\x05\x00\x01t\x00\x07";
        let actions = send(publisher, &[connect, &publish[..]].concat());
        let queued = |action: &Action| {
            matches!(
                action,
                Action::Persist(Persist::Session {
                    change: SessionChange::Queued(_),
                    ..
                })
            )
        };
        let puback = |action: &Action| matches!(action, Action::Send { bytes, .. } if bytes.ends_with(&[0x40, 2, 0, 7]));
        let queued = actions.iter().position(queued).unwrap();
        let acknowledged = actions.iter().position(puback).unwrap();
        assert!(queued < acknowledged, "{actions:?}");
    }
}
