//! Flow control: how many messages may be under way, both ways (section 4.9), and clients that do not keep up.

use codec::{Publish, ReasonCode};

use super::session::{Session, SessionKey};
use super::{ConnectionId, Core, Refusal};
use crate::rules::{Rules, rule};

impl Core {
    /// Flow control towards the server . QoS 1 is acknowledged at once and never under way for long.
    pub(super) fn check_receive_maximum(
        &self,
        id: ConnectionId,
        rules: &Rules,
        publish: &Publish<'_>,
    ) -> Result<(), Refusal> {
        let Some(packet_id) = publish.packet_id else {
            return Ok(());
        };
        let Some(connection) = self.connections.get(&id) else {
            return Ok(());
        };
        let under_way = connection.receiving.len();
        rules.refuse_if(
            under_way >= usize::from(self.config.limits.receive_maximum)
                && !connection.receiving.contains(&packet_id),
            rule!("v5.0/MQTT-3.3.4-7", "v5.0/U50-3.3.4-5"),
            ReasonCode::RECEIVE_MAXIMUM_EXCEEDED,
        )
    }

    /// How many messages of QoS 1 and 2 could be sent to the client at once.
    pub(super) fn room_in_flight(&self, session: &Session) -> usize {
        let connection = session.connection.and_then(|id| self.connections.get(&id));
        let quota = connection
            .filter(|connection| !connection.congested)
            .map_or(0, |connection| connection.receive_maximum);
        let quota = quota.min(self.config.limits.in_flight);
        session.outgoing.room(quota.into())
    }

    /// Whether the client has as many unacknowledged messages as its Receive Maximum allows.
    pub(super) fn is_window_full(&self, key: SessionKey) -> bool {
        let Some(session) = self.sessions.get(key) else {
            return false;
        };
        let connection = session.connection.and_then(|id| self.connections.get(&id));
        connection.is_some_and(|connection| {
            session.outgoing.unacknowledged() >= usize::from(connection.receive_maximum)
        })
    }

    /// The client does not keep up with what it is sent.
    pub(super) fn congested(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.congested = true;
        }
    }

    /// The client has caught up.
    pub(super) fn drained(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.congested = false;
        }
        if let Some(session) = self.session_of(id) {
            self.send_waiting(session);
        }
    }
}

/// Whether no message is sent beyond the client's Receive Maximum.
pub(super) fn keeps_quota(rules: &Rules, receive_maximum: u16) -> bool {
    receive_maximum == u16::MAX
        || !rules.is_v5()
        || rules.keeps(rule!(
            "v5.0/MQTT-3.3.4-9",
            "v5.0/MQTT-4.9.0-1",
            "v5.0/MQTT-4.9.0-2"
        ))
}
