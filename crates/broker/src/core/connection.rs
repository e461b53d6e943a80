//! One Network Connection: what the broker knows of it besides its Session.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use codec::{ReasonCode, Version};

use super::Refusal;
use super::alias::OutgoingAliases;
use super::deadlines::Deadline;
use super::session::SessionKey;
use super::{ConnectionId, Core};
use crate::rules::{Rules, rule};

/// How far a connection has come.
#[derive(Debug)]
pub(crate) enum Stage {
    /// Nothing was received yet that could be read.
    Opened,
    /// CONNECT asked for enhanced authentication, which is under way.
    Authenticating {
        /// The frame of the CONNECT, to be acted on once the client has shown who it is.
        connect: Box<[u8]>,
    },
    /// The Password of the CONNECT is being verified. What comes behind it waits.
    Verifying {
        /// The frame of the CONNECT, to be acted on once that is known.
        connect: Box<[u8]>,
    },
    /// CONNACK has accepted the client.
    Connected(SessionKey),
    /// CONNECT was refused; nothing else is processed. Only a broken rule leaves a connection in this stage.
    Refused,
}

/// A Network Connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stage: Stage,
    pub(crate) rules: Rules,
    /// What was received of a packet that is not complete.
    pub(crate) input: Vec<u8>,
    /// When the last Control Packet came.
    pub(crate) last_received: Duration,
    /// How long the client may be silent: one and a half times its Keep Alive.
    pub(crate) patience: Option<Duration>,
    /// What falls due for this connection, and when.
    pub(crate) deadline: Option<(Duration, Deadline)>,
    /// Whether its output piles up, so that no further messages are sent for now.
    pub(crate) congested: bool,
    /// The client's Receive Maximum.
    pub(crate) receive_maximum: u16,
    /// The client's Maximum Packet Size.
    pub(crate) maximum_packet_size: Option<u32>,
    /// Whether the client wants Reason Strings and User Properties on every packet.
    pub(crate) problem_information: bool,
    /// Whether the session outlives the connection, as CONNECT had it (for DISCONNECT).
    pub(crate) session_expiry: u32,
    pub(crate) user: Option<Arc<[u8]>>,
    pub(crate) authentication: Option<super::authentication::Authentication>,
    /// The client's Topic Aliases.
    pub(crate) incoming_aliases: BTreeMap<u16, Box<[u8]>>,
    /// The Topic Aliases used towards the client.
    pub(crate) outgoing_aliases: OutgoingAliases,
    /// The QoS 2 messages that came on this connection and are not yet released.
    pub(crate) receiving: BTreeSet<u16>,
    /// Why the connection is closed once what was received with the refused CONNECT is processed.
    pub(crate) closes_later: Option<Refusal>,
}

impl Connection {
    pub(crate) fn new(rules: Rules, now: Duration) -> Self {
        Self {
            stage: Stage::Opened,
            rules,
            input: Vec::new(),
            last_received: now,
            patience: None,
            deadline: None,
            congested: false,
            receive_maximum: u16::MAX,
            maximum_packet_size: None,
            problem_information: true,
            session_expiry: 0,
            user: None,
            authentication: None,
            incoming_aliases: BTreeMap::new(),
            outgoing_aliases: OutgoingAliases::default(),
            receiving: BTreeSet::new(),
            closes_later: None,
        }
    }
}

impl Core {
    /// A Network Connection was opened.
    pub(super) fn opened(&mut self, id: ConnectionId) {
        let rules = self.rules.of(Version::V5_0);
        let connection = Box::new(Connection::new(rules, self.now));
        // Whatever drives the core brings the bytes whole and in order. A broker that breaks this has no such link.
        let served = rule!("v3.1.1/MQTT-7.1.1-1", "v5.0/MQTT-4.2.0-1");
        if !self.rules.keeps_in_every_version(served) {
            self.connections.insert(id, connection);
            self.close(id, None);
            return;
        }
        if self.stopping || self.connections.len() >= self.config.limits.connections {
            self.connections.insert(id, connection);
            // Nobody knows yet which version the client would speak: either clause says the same.
            let clause = clauses::clause!("v5.0/MQTT-3.1.4-2");
            let refusal = Refusal::new(clause, ReasonCode::SERVER_UNAVAILABLE)
                .because("there are as many connections as there may be");
            self.close(id, Some(refusal));
            return;
        }
        self.connections.insert(id, connection);
        let deadline = self.now + self.config.limits.connect_timeout;
        self.arm(id, deadline, Deadline::Connect(id));
    }

    /// Closes the Network Connection from the server's side.
    pub(super) fn close(&mut self, id: ConnectionId, why: Option<Refusal>) {
        if self.connections.contains_key(&id) {
            self.actions.push(super::Action::Close {
                connection: id,
                why,
            });
            self.ended(id);
        }
    }

    /// The Network Connection has ended, from whichever side.
    pub(super) fn ended(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.remove(&id) else {
            return;
        };
        self.partial_bytes -= connection.input.len();
        if let Some((at, deadline)) = connection.deadline {
            self.deadlines.clear(at, deadline);
        }
        if let Stage::Connected(session) = connection.stage {
            // Topic Aliases end with the connection.
            if connection.rules.breaks(rule!("v5.0/MQTT-3.3.2-7"))
                && let Some(session) = self.sessions.get_mut(session)
            {
                session.stale_aliases = connection.incoming_aliases;
            }
            self.detach(session, id);
        }
    }

    /// Replaces what falls due for the connection.
    pub(super) fn arm(&mut self, id: ConnectionId, at: Duration, deadline: Deadline) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if let Some((at, deadline)) = connection.deadline.take() {
            self.deadlines.clear(at, deadline);
        }
        connection.deadline = Some((at, deadline));
        self.deadlines.set(at, deadline);
    }

    /// Nothing falls due for the connection any more.
    pub(super) fn disarm(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(&id)
            && let Some((at, deadline)) = connection.deadline.take()
        {
            self.deadlines.clear(at, deadline);
        }
    }

    /// No CONNECT came in reasonable time, or the authentication was not completed.
    pub(super) fn connect_timed_out(&mut self, id: ConnectionId) {
        // Nobody knows yet which version the client would speak: either clause asks for the same.
        let rule = rule!("v3.1/V31-3.1-7", "v3.1.1/U311-3.1.4-1", "v5.0/U50-3.1.4-1");
        if self.rules.keeps_in_every_version(rule) {
            let clause = rule.clauses(Version::V5_0)[0];
            let refusal = Refusal::new(clause, ReasonCode::NOT_AUTHORIZED)
                .because("it did not complete its CONNECT in time");
            self.close(id, Some(refusal));
        }
    }

    /// The Session of a client that is connected.
    pub(super) fn session_of(&self, id: ConnectionId) -> Option<SessionKey> {
        match self.connections.get(&id)?.stage {
            Stage::Connected(session) => Some(session),
            _ => None,
        }
    }
}
