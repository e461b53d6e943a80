//! What must be persisted before it is acknowledged (section 4.1).
//!
//! A store commits the changes of one call of [`Core::handle`] together, before it lets any of its other actions
//! happen. Then a message that was acknowledged is never lost, and one of QoS 2 never doubled.

use std::sync::Arc;
use std::time::Duration;

use codec::Version;

use super::message::Message;
use super::outgoing::Delivery;
use super::session::{Session, SessionKey};
use super::subscriptions::Subscription;
use super::will::Will;
use super::{Action, Core};
use crate::rules::rule;

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

impl Persist {
    /// The bytes of its message, if it has one.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Retained(message) => message.size(),
            Self::Session {
                change: SessionChange::Queued(delivery),
                ..
            } => delivery.message.size(),
            Self::Session { .. } | Self::RetainedRemoved { .. } => 0,
        }
    }
}

/// What a Session is kept by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The Session Expiry Interval in seconds; `u32::MAX` never expires.
    pub expiry_interval: u32,
    /// The version that the client spoke last.
    pub version: Version,
    /// The User Name that it connected with, whose permissions hold while it is away.
    pub user: Option<Arc<[u8]>>,
}

/// A change of a Session that outlives its connection, or that has a Will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionChange {
    /// It begins, connected. What an earlier one of this client left is void, told or not: a server that fails
    /// ends the Sessions that do not outlive their connections.
    Begun(Terms),
    /// Its client is back, or changes for how long it outlives its connection.
    Kept(Terms),
    /// Its connection has ended: its expiry and the delay of its Will count from now on.
    Left {
        /// When, counted like every time of the core.
        at: Duration,
    },
    /// It ends, with all that belongs to it.
    Ended,
    /// Its Will is this one from now on, or none.
    Will(Option<Will>),
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
    /// The state as the changes that give it, and no more: what a store puts in place of a long history.
    pub fn snapshot(&self) -> Vec<Persist> {
        let mut changes = Vec::new();
        if self.keeps_retained() {
            changes.extend(self.retained.all().cloned().map(Persist::Retained));
        }
        let told = |session: &&Session| session.kept || session.will.is_some();
        for session in self.sessions.all().filter(told) {
            let told = session.changes().map(|change| Persist::Session {
                client_id: Arc::clone(&session.client_id),
                change,
            });
            changes.extend(told);
        }
        changes
    }

    /// Whether retained messages survive a restart of the broker.
    pub(super) fn keeps_retained(&self) -> bool {
        self.rules.keeps_in_every_version(rule!("v3.1/V31-2.1-6"))
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
        if self.sessions.get(key).is_some_and(|session| session.kept) {
            self.persist_told(key, change);
        }
    }

    /// Adds a change of a Session, if its beginning was told.
    fn persist_told(&mut self, key: SessionKey, change: impl FnOnce() -> SessionChange) {
        if let Some(session) = self.sessions.get(key)
            && session.told
        {
            let client_id = Arc::clone(&session.client_id);
            self.persist(|| Persist::Session {
                client_id,
                change: change(),
            });
        }
    }

    /// Adds that a Session has begun, if it outlives its connection.
    pub(super) fn persist_begin(&mut self, key: SessionKey) {
        if let Some(session) = self.sessions.get_mut(key)
            && session.expiry > 0
        {
            session.kept = true;
            session.told = true;
            let terms = session.terms();
            self.persist_told(key, || SessionChange::Begun(terms));
        }
    }

    /// Adds what a Session is kept by now.
    pub(super) fn persist_terms(&mut self, key: SessionKey) {
        if let Some(session) = self.sessions.get(key) {
            let terms = session.terms();
            self.persist_told(key, || SessionChange::Kept(terms));
        }
    }

    /// Adds that a Session is without its connection now.
    pub(super) fn persist_leaving(&mut self, key: SessionKey, at: Duration) {
        self.persist_told(key, || SessionChange::Left { at });
    }

    /// Adds the Will that a Session has now. A Session that does not outlive its connection is told for its sake.
    pub(super) fn persist_will(&mut self, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let will = session.will.clone();
        if !session.told && will.is_some() {
            session.told = true;
            let terms = session.terms();
            self.persist_told(key, || SessionChange::Begun(terms));
        }
        self.persist_told(key, || SessionChange::Will(will));
    }
}

impl Session {
    fn terms(&self) -> Terms {
        Terms {
            expiry_interval: self.expiry,
            version: self.rules.version(),
            user: self.user.clone(),
        }
    }

    /// The changes that give this Session.
    fn changes(&self) -> impl Iterator<Item = SessionChange> + '_ {
        let begun = SessionChange::Begun(self.terms());
        let will = self
            .will
            .clone()
            .map(|will| SessionChange::Will(Some(will)));
        // A Session that does not outlive its connection is told for its Will alone.
        let state = self.kept.then(|| self.state()).into_iter().flatten();
        let left = self.left.map(|at| SessionChange::Left { at });
        std::iter::once(begun).chain(will).chain(state).chain(left)
    }

    fn state(&self) -> impl Iterator<Item = SessionChange> + '_ {
        let subscribed =
            self.subscriptions
                .iter()
                .map(|(filter, &subscription)| SessionChange::Subscribed {
                    filter: filter.as_slice().into(),
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
        subscribed
            .chain(received)
            .chain(released)
            .chain(in_flight)
            .chain(waiting.map(SessionChange::Queued))
    }
}

#[cfg(test)]
mod tests {
    use crate::Config;
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
