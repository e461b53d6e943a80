//! What must be persisted, in the order of the core's actions: before what acknowledges it (section 4.1).

use std::sync::Arc;

use super::message::Message;
use super::subscriptions::Subscription;
use super::{Action, Core};

/// A change of the Session State or of the retained messages. Replayed in their order, they give the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Persist {
    /// A Session that outlives its connection begins, or changes how long it does.
    SessionKept {
        /// The Client Identifier.
        client_id: Arc<[u8]>,
        /// The Session Expiry Interval in seconds; `u32::MAX` never expires.
        expiry_interval: u32,
    },
    /// A Session ends, with all that belongs to it.
    SessionEnded {
        /// The Client Identifier.
        client_id: Arc<[u8]>,
    },
    /// A subscription is made or replaced.
    Subscribed {
        /// The Client Identifier.
        client_id: Arc<[u8]>,
        /// The Topic Filter as it was requested, with its Share Name.
        filter: Box<[u8]>,
        /// What it asks for.
        subscription: Subscription,
    },
    /// A subscription is deleted.
    Unsubscribed {
        /// The Client Identifier.
        client_id: Arc<[u8]>,
        /// The Topic Filter.
        filter: Box<[u8]>,
    },
    /// A QoS 1 or 2 message waits for a Session.
    Queued {
        /// The Client Identifier.
        client_id: Arc<[u8]>,
        /// The delivery.
        delivery: super::delivery::Delivery,
    },
    /// The first message that waits is sent for the first time.
    Sent {
        /// The Client Identifier.
        client_id: Arc<[u8]>,
        /// Its Packet Identifier from now on.
        packet_id: u16,
    },
    /// The client has taken a QoS 2 message over: PUBREL follows.
    Released {
        /// The Client Identifier.
        client_id: Arc<[u8]>,
        /// The Packet Identifier.
        packet_id: u16,
    },
    /// A delivery is complete, and its Packet Identifier free again.
    Completed {
        /// The Client Identifier.
        client_id: Arc<[u8]>,
        /// The Packet Identifier.
        packet_id: u16,
    },
    /// A QoS 2 message came from the client and was passed on.
    Received {
        /// The Client Identifier.
        client_id: Arc<[u8]>,
        /// The Packet Identifier.
        packet_id: u16,
    },
    /// The client has released a QoS 2 message.
    ReceivedReleased {
        /// The Client Identifier.
        client_id: Arc<[u8]>,
        /// The Packet Identifier.
        packet_id: u16,
    },
    /// A retained message is stored or replaced.
    Retained {
        /// The message.
        message: Arc<Message>,
    },
    /// The retained message of a topic is removed.
    RetainedRemoved {
        /// The topic.
        topic: Box<[u8]>,
    },
}

impl Core {
    /// Adds the change to the actions, where changes are persisted at all.
    pub(super) fn persist(&mut self, change: impl FnOnce() -> Persist) {
        if self.config.persistent {
            self.actions.push(Action::Persist(change()));
        }
    }
}
