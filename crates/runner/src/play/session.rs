//! [`Session`]: what a client knows of its session with the target, across its connections.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use codec::Version;
use codec::draft::Draft;

use super::value;

/// What a client knows of its session with the target.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// Deliveries that the client has not finished, by Packet Identifier.
    pub(super) deliveries: BTreeMap<u16, Delivery>,
    /// Every Packet Identifier that a delivery of this session ever had.
    pub(super) delivered: BTreeSet<u16>,
    /// QoS 2 deliveries that the scenario does not see, between PUBREC and PUBREL.
    pub(super) unseen: BTreeSet<u16>,
    /// The client's own PUBLISH packets that the target has not finished, with their QoS.
    pub(super) outstanding: BTreeMap<u16, u64>,
    /// Those of them that the target has answered by PUBREC.
    pub(super) recorded: BTreeSet<u16>,
    /// Every Topic Filter that the client has subscribed to.
    pub(super) filters: BTreeSet<Vec<u8>>,
    /// Whether the target is to keep it when the connection ends.
    pub(super) kept: bool,
}

/// A PUBLISH at QoS 1 or 2 that arrived and is not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delivery {
    topic: Vec<u8>,
    payload: Vec<u8>,
}

impl Delivery {
    pub(super) fn of(publish: &Draft) -> Self {
        Self {
            topic: value::bytes(publish, "topic").to_vec(),
            payload: value::bytes(publish, "payload").to_vec(),
        }
    }
}

/// A session under its Client Identifier, with the version of the client that last used it.
type Known = (Version, Rc<RefCell<Session>>);

/// What a case leaves behind on the target: sessions and retained messages; and which topics it has used.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    sessions: RefCell<HashMap<Vec<u8>, Known>>,
    retained: RefCell<BTreeSet<Vec<u8>>>,
    published: RefCell<BTreeSet<Vec<u8>>>,
    watched: RefCell<BTreeSet<Vec<u8>>>,
}

impl Leftovers {
    /// The session under a Client Identifier; a new one where the target is to make up the identifier.
    pub(super) fn session(&self, client_id: &[u8], version: Version) -> Rc<RefCell<Session>> {
        if client_id.is_empty() {
            return Rc::default();
        }
        let mut sessions = self.sessions.borrow_mut();
        let (known, session) = sessions
            .entry(client_id.to_vec())
            .or_insert_with(|| (version, Rc::default()));
        *known = version;
        session.clone()
    }

    /// Puts a session under the Client Identifier that the target made up.
    pub(super) fn assign(
        &self,
        client_id: &[u8],
        version: Version,
        session: &Rc<RefCell<Session>>,
    ) {
        self.sessions
            .borrow_mut()
            .insert(client_id.to_vec(), (version, session.clone()));
    }

    /// A message was published to this topic.
    pub(super) fn publish(&self, topic: &[u8]) {
        let mut published = self.published.borrow_mut();
        if !published.contains(topic) {
            published.insert(topic.to_vec());
        }
    }

    /// Whether the case has published to this topic.
    pub(super) fn has_published(&self, topic: &[u8]) -> bool {
        self.published.borrow().contains(topic)
    }

    /// The barrier subscribes to this topic.
    pub(super) fn watch(&self, topic: &[u8]) {
        self.watched.borrow_mut().insert(topic.to_vec());
    }

    /// Whether the barrier of any client has subscribed to this topic.
    pub(super) fn is_watched(&self, topic: &[u8]) -> bool {
        self.watched.borrow().contains(topic)
    }

    /// A message was published with RETAIN.
    pub(super) fn retain(&self, topic: &[u8]) {
        if !topic.is_empty() {
            self.retained.borrow_mut().insert(topic.to_vec());
        }
    }

    /// The Client Identifiers of sessions that the target keeps.
    pub(super) fn kept_sessions(&self) -> Vec<(Vec<u8>, Version)> {
        let mut kept: Vec<_> = self
            .sessions
            .borrow()
            .iter()
            .filter(|(_, (_, session))| session.borrow().kept)
            .map(|(id, (version, _))| (id.clone(), *version))
            .collect();
        kept.sort();
        kept
    }

    /// The topics of retained messages.
    pub(super) fn retained_topics(&self) -> Vec<Vec<u8>> {
        self.retained.borrow().iter().cloned().collect()
    }
}
