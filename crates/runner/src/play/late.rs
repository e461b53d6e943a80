//! [`Publications`]: what was published when, so that a message is known that comes behind the barrier it was before.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use codec::PacketType;
use codec::draft::{Draft, Value};
use tokio::time::Instant;

use super::connection::State;
use super::value::{bytes, flag, number};
use crate::overtaking::Overtaking;

/// What the clients of a case have published.
#[derive(Debug, Default)]
pub(super) struct Publications {
    /// When a message was last published and on which connection, by what topic and payload come to.
    latest: RefCell<HashMap<u64, (Instant, u64)>>,
    /// The target publishes to these when it likes.
    wills: RefCell<BTreeSet<Vec<u8>>>,
}

/// A barrier that has passed on a connection.
#[derive(Debug)]
pub(super) struct Proof {
    pub(super) begun: Instant,
    pub(super) done: Instant,
    /// The connections behind whose messages it stands.
    pub(super) sources: Vec<u64>,
}

impl Publications {
    /// Takes note of a packet that a client sends on the connection with this number.
    pub(super) fn sent(&self, packet: &Draft, connection: u64) {
        match packet.packet_type() {
            PacketType::Publish => {
                let published = (Instant::now(), connection);
                self.latest.borrow_mut().insert(key(packet), published);
            }
            PacketType::Connect => {
                if let Some(Value::Record(will)) = packet.get("will")
                    && let Some(Value::Text(topic)) = will.get("topic")
                {
                    self.wills.borrow_mut().insert(topic.clone());
                }
            }
            _ => {}
        }
    }

    /// Whether this packet should have come before the last barrier of the connection that it comes on.
    ///
    /// At QoS 0 nothing holds a message up: no window of the client, and no acknowledgement that is due.
    pub(super) fn overtaken(&self, packet: &Draft, state: &State) -> Option<Overtaking> {
        let proof = state.proof.as_ref()?;
        let plain = packet.packet_type() == PacketType::Publish
            && number(packet, "qos").unwrap_or(0) == 0
            && !flag(packet, "retain");
        if !plain || self.wills.borrow().contains(bytes(packet, "topic")) {
            return None;
        }
        let (published, connection) = *self.latest.borrow().get(&key(packet))?;
        let session = state.protocol.session.borrow();
        // What one member of a group does not take, another may get, whenever the target notices.
        let mut filters = session.filters.iter();
        let is_shared = filters.any(|filter| filter.starts_with(b"$share/"));
        let is_late = published < proof.begun && proof.sources.contains(&connection);
        (is_late && !is_shared).then(|| Overtaking {
            seen: "a message came behind the barrier that it should have come before",
            by: proof.done.elapsed(),
        })
    }
}

/// One message is like another when topic and payload are.
fn key(publish: &Draft) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes(publish, "topic").hash(&mut hasher);
    bytes(publish, "payload").hash(&mut hasher);
    hasher.finish()
}
