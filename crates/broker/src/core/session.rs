//! Sessions: their state, and how they begin, pause and end (sections 3.1.2.4, 3.1.2.11.2 and 4.1).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

use super::deadlines::Deadline;
use super::few::Few;
use super::outgoing::{Outgoing, Tally};
use super::persist::{Persist, SessionChange};
use super::subscriptions::Subscription;
use super::will::Will;
use super::{ConnectionId, Core};
use crate::rules::{Rules, rule};

/// A Session, for the time that it lives. A number is never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SessionKey(pub(crate) u64);

/// The Session Expiry Interval of a Session that does not expire.
pub(crate) const NEVER: u32 = u32::MAX;

/// What a client subscribed to, by the Topic Filter as it was requested.
pub(crate) type SubscriptionsByFilter = Few<SmallVec<[u8; 24]>, Subscription, 2>;

/// The Session State that a server holds (section 4.1).
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client_id: Arc<[u8]>,
    pub(crate) connection: Option<ConnectionId>,
    /// The rules in the version that the client spoke last.
    pub(crate) rules: Rules,
    pub(crate) user: Option<Arc<[u8]>>,
    /// The Session Expiry Interval in seconds.
    pub(crate) expiry: u32,
    pub(crate) expires: Option<Duration>,
    /// When its connection ended; none while it has one.
    pub(crate) left: Option<Duration>,
    /// Whether it was to outlive a connection, so that its changes are persisted.
    pub(crate) kept: bool,
    /// Whether its beginning was persisted: it is kept, or it had a Will.
    pub(crate) told: bool,
    pub(crate) subscriptions: SubscriptionsByFilter,
    pub(crate) will: Option<Will>,
    pub(crate) will_due: Option<Duration>,
    /// What is on its way to the client.
    pub(crate) outgoing: Outgoing,
    /// The QoS 2 messages from the client that were passed on and are not yet released.
    pub(crate) incoming: BTreeSet<u16>,
    /// Topic Aliases of an earlier connection: nothing but a broken rule keeps them.
    pub(crate) stale_aliases: BTreeMap<u16, Box<[u8]>>,
}

/// All Sessions.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    by_key: Few<SessionKey, Box<Session>, 4>,
    by_client_id: Few<Arc<[u8]>, SessionKey, 4>,
    begun: u64,
    /// What is on its way to all clients.
    pub(crate) held: Arc<Tally>,
    /// How many Client Identifiers were assigned.
    pub(crate) assigned: u64,
}

impl Sessions {
    pub(crate) fn get(&self, session: SessionKey) -> Option<&Session> {
        self.by_key.get(&session).map(Box::as_ref)
    }

    pub(crate) fn get_mut(&mut self, session: SessionKey) -> Option<&mut Session> {
        self.by_key.get_mut(&session).map(Box::as_mut)
    }

    pub(crate) fn find(&self, client_id: &[u8]) -> Option<SessionKey> {
        self.by_client_id.get(client_id).copied()
    }

    /// Somebody's Session: what a server might resume that does not go by the Client Identifier.
    pub(crate) fn any(&self) -> Option<SessionKey> {
        let mut sessions = self.by_key.iter();
        let free = sessions.find(|(_, session)| session.connection.is_none());
        free.map(|(&key, _)| key)
    }

    pub(crate) fn connection_of(&self, client_id: &[u8]) -> Option<ConnectionId> {
        self.get(self.find(client_id)?)?.connection
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Session> {
        self.by_key.values().map(Box::as_ref)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = SessionKey> + '_ {
        self.by_key.keys().copied()
    }

    /// The Session that the most bytes wait for or are in flight to. It walks all of them.
    pub(crate) fn with_most_waiting(&self) -> Option<SessionKey> {
        let most = self
            .by_key
            .iter()
            .max_by_key(|(_, session)| session.outgoing.bytes_held());
        most.map(|(&key, _)| key)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(crate) fn begin(
        &mut self,
        client_id: &Arc<[u8]>,
        connection: Option<ConnectionId>,
        rules: Rules,
        user: Option<Arc<[u8]>>,
        expiry: u32,
    ) -> SessionKey {
        let key = SessionKey(self.begun);
        self.begun += 1;
        let session = Session {
            client_id: Arc::clone(client_id),
            connection,
            rules,
            user,
            expiry,
            expires: None,
            left: None,
            kept: false,
            told: false,
            subscriptions: Few::default(),
            will: None,
            will_due: None,
            outgoing: Outgoing::counted_in(&self.held),
            incoming: BTreeSet::new(),
            stale_aliases: BTreeMap::new(),
        };
        self.by_key.insert(key, Box::new(session));
        self.by_client_id.insert(Arc::clone(client_id), key);
        key
    }

    fn remove(&mut self, key: SessionKey) -> Option<Session> {
        let session = *self.by_key.remove(&key)?;
        if self.by_client_id.get(&*session.client_id) == Some(&key) {
            self.by_client_id.remove(&*session.client_id);
        }
        Some(session)
    }
}

impl Core {
    /// The client is back: its Session goes on with this connection.
    pub(super) fn resume(
        &mut self,
        key: SessionKey,
        connection: ConnectionId,
        rules: &Rules,
        expiry: u32,
    ) {
        self.recall_will(key);
        let user = self
            .connections
            .get(&connection)
            .and_then(|c| c.user.clone());
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        session.connection = Some(connection);
        session.rules = rules.clone();
        session.user = user;
        session.expiry = expiry;
        session.left = None;
        if let Some(at) = session.expires.take() {
            self.deadlines.clear(at, Deadline::SessionExpiry(key));
        }
        self.persist_terms(key);
    }

    /// The Session's connection has ended: its Will falls due, and its expiry begins to count.
    pub(super) fn detach(&mut self, key: SessionKey, connection: ConnectionId) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        if session.connection != Some(connection) {
            return;
        }
        session.connection = None;
        session.left = Some(self.now);
        session.outgoing.interrupted();
        // A QoS 2 delivery of a Shared Subscription waits for the client that it began with.
        if session.rules.breaks(rule!("v5.0/MQTT-4.8.2-4")) {
            session.outgoing.keep_in_flight(|sent| sent.share.is_none());
        }
        let (rules, expiry) = (session.rules.clone(), session.expiry);
        self.persist_leaving(key, self.now);
        self.will_falls_due(key, &rules, expiry);
        self.begin_expiry(key);
    }

    /// The Session is without a connection from now on: it ends at once, after its interval, or never.
    pub(super) fn begin_expiry(&mut self, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let (rules, expiry) = (session.rules.clone(), session.expiry);
        // A Session Expiry Interval of 0, like Clean Session 1 before 5.0, ends the Session with its connection.
        let ends = if expiry == 0 {
            rules.keeps(rule!(
                "v3.1/V31-2.2-5",
                "v3.1.1/MQTT-3.1.2-6",
                "v5.0/U50-3.1.2.11.2-2"
            ))
        } else {
            rules.breaks(rule!(
                "v3.1/V31-2.2-4",
                "v3.1.1/MQTT-3.1.2-4",
                "v3.1.1/MQTT-4.1.0-1",
                "v5.0/MQTT-3.1.2-23"
            ))
        };
        if ends {
            self.end_session(key);
        } else if !matches!(expiry, 0 | NEVER) && !rules.breaks(rule!("v5.0/MQTT-4.1.0-2")) {
            let left = session.left.unwrap_or(self.now);
            let at = left + Duration::from_secs(expiry.into());
            if let Some(session) = self.sessions.get_mut(key) {
                session.expires = Some(at);
            }
            self.deadlines.set(at, Deadline::SessionExpiry(key));
        }
    }

    /// The Session Expiry Interval has passed without the client.
    pub(super) fn session_expired(&mut self, key: SessionKey) {
        if let Some(session) = self.sessions.get_mut(key) {
            session.expires = None;
            self.end_session(key);
        }
    }

    /// The Session ends, with all that belongs to it. Its Will is published at the latest now.
    pub(super) fn end_session(&mut self, key: SessionKey) {
        self.publish_will(key);
        let Some(session) = self.remove_session(key) else {
            return;
        };
        // Retained messages do not belong to it and stay.
        if session.rules.breaks(rule!("v3.1.1/MQTT-3.1.2-7")) {
            self.retained.remove_those_of(&session.client_id);
        }
        if session.told {
            let client_id = Arc::clone(&session.client_id);
            self.persist(|| Persist::Session {
                client_id,
                change: SessionChange::Ended,
            });
        }
        self.share_again(session.outgoing);
    }

    /// Takes a Session away with its subscriptions, and does nothing else that its end would have done.
    pub(super) fn remove_session(&mut self, key: SessionKey) -> Option<Session> {
        let session = self.sessions.remove(key)?;
        if let Some(at) = session.expires {
            self.deadlines.clear(at, Deadline::SessionExpiry(key));
        }
        if let Some(at) = session.will_due {
            self.deadlines.clear(at, Deadline::Will(key));
        }
        self.remove_subscriptions(key, &session.subscriptions);
        Some(session)
    }

    /// What a broker does that discards the Session State of a connected client.
    pub(super) fn forget_subscriptions(&mut self, key: SessionKey) {
        if let Some(session) = self.sessions.get_mut(key) {
            let subscriptions = std::mem::take(&mut session.subscriptions);
            self.remove_subscriptions(key, &subscriptions);
        }
    }

    fn remove_subscriptions(&mut self, key: SessionKey, subscriptions: &SubscriptionsByFilter) {
        for (filter, subscription) in subscriptions.iter() {
            self.subscriptions
                .remove(subscription.requested(filter), key);
        }
    }
}
