//! What the core tells in passing, for a log: each refusal that leaves the connection open, and each message that
//! is dropped. What closes a connection stands in [`Action::Close`].

use std::fmt;
use std::sync::Arc;

use clauses::ClauseId;
use codec::{PacketType, Version};

use super::message::Message;
use super::session::SessionKey;
use super::{Action, ConnectionId, Core, Refusal};
use crate::rules::{Rule, rule};

/// What was refused or dropped, and by which clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// What a client asked for was refused, and the connection goes on.
    Refused {
        /// The connection.
        connection: ConnectionId,
        /// The packet that asked for it.
        packet_type: PacketType,
        /// Why.
        refusal: Refusal,
    },
    /// The Session of a client that is away ends before its time.
    Ended {
        /// The Client Identifier.
        client_id: Arc<[u8]>,
        /// Why.
        refusal: Refusal,
    },
    /// A message does not reach a client that it was meant for.
    Dropped {
        /// The Client Identifier.
        client_id: Arc<[u8]>,
        /// The message.
        message: Arc<Message>,
        /// The clause that says so.
        clause: ClauseId,
        /// Why.
        because: &'static str,
    },
}

impl Note {
    /// The clause by which it happens.
    pub fn clause(&self) -> ClauseId {
        match self {
            Self::Refused { refusal, .. } | Self::Ended { refusal, .. } => refusal.clause,
            Self::Dropped { clause, .. } => *clause,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused {
                packet_type,
                refusal,
                ..
            } => write!(f, "{} refused: {refusal}", packet_type.name()),
            Self::Ended { client_id, refusal } => {
                let client_id = String::from_utf8_lossy(client_id);
                write!(f, "the Session of {client_id:?} ended: {refusal}")
            }
            Self::Dropped {
                client_id,
                message,
                clause,
                because,
            } => {
                let client_id = String::from_utf8_lossy(client_id);
                let topic = String::from_utf8_lossy(&message.topic);
                let clause = clause.name();
                write!(
                    f,
                    "a message on {topic:?} for {client_id:?} dropped: {because} ({clause})"
                )
            }
        }
    }
}

impl Core {
    /// Notes that what a client asked for is refused, and that its connection goes on.
    pub(super) fn note_refused(
        &mut self,
        connection: ConnectionId,
        packet_type: PacketType,
        refusal: Refusal,
    ) {
        if self.noting {
            self.actions.push(Action::Note(Note::Refused {
                connection,
                packet_type,
                refusal,
            }));
        }
    }

    /// Notes that the Session of a client that is away ends.
    pub(super) fn note_ended(&mut self, key: SessionKey, refusal: Refusal) {
        if self.noting
            && let Some(session) = self.sessions.get(key)
        {
            let client_id = Arc::clone(&session.client_id);
            self.actions
                .push(Action::Note(Note::Ended { client_id, refusal }));
        }
    }

    /// Notes that the permissions keep a message from a client that subscribed to it.
    pub(super) fn note_withheld(&mut self, key: SessionKey, message: &Arc<Message>) {
        let rule = rule!("v3.1.1/MQTT-4.5.0-1", "v5.0/MQTT-4.5.0-1");
        self.note_dropped(key, message, rule, "its client may not receive it");
    }

    /// Notes that a message of QoS 0 is not kept for a client.
    pub(super) fn note_lost(&mut self, key: SessionKey, message: &Arc<Message>) {
        let rule = rule!("v3.1.1/MQTT-4.3.1-1", "v5.0/MQTT-4.3.1-1");
        let because = "with QoS 0 it does not wait for a client that is away or too slow";
        self.note_dropped(key, message, rule, because);
    }

    /// Notes that a message does not reach a client.
    pub(super) fn note_dropped(
        &mut self,
        key: SessionKey,
        message: &Arc<Message>,
        rule: Rule,
        because: &'static str,
    ) {
        if !self.noting {
            return;
        }
        let Some(session) = self.sessions.get(key) else {
            return;
        };
        // Where the version of the client has no such rule, it is that of the publisher.
        let clauses = rule.clauses(session.rules.version()).iter();
        let Some(&clause) = clauses.chain(rule.clauses(Version::V5_0)).next() else {
            return;
        };
        self.actions.push(Action::Note(Note::Dropped {
            client_id: Arc::clone(&session.client_id),
            message: Arc::clone(message),
            clause,
            because,
        }));
    }
}
