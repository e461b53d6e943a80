//! A client is let in: its Client Identifier, its Session, what it is granted (sections 3.1.2.4, 3.1.3.1 and 3.1.4).

use std::sync::Arc;

use codec::{Connect, ReasonCode};

use super::connection::Stage;
use super::session::SessionKey;
use super::{ConnectionId, Core, Refusal};
use crate::rules::{Rules, rule};

impl Core {
    /// Accepts the client: its Session, its Will, the CONNACK, and what waits for it.
    pub(super) fn accept(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        connect: &Connect<'_>,
    ) -> Result<(), Refusal> {
        let assigned = connect
            .client_id
            .is_empty()
            .then(|| self.assign_client_id(rules));
        let client_id: Arc<[u8]> = match &assigned {
            Some(assigned) => assigned.as_bytes().into(),
            None => connect.client_id.as_bytes().into(),
        };
        let expiry = self.granted_expiry(rules, connect);
        let (session, present) =
            self.take_session(id, rules, &client_id, connect.clean_start, expiry)?;
        self.keep_will(rules, session, connect);
        let keep_alive = self.granted_keep_alive(rules, connect);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.stage = Stage::Connected(session);
            connection.session_expiry = expiry;
            if let Some(session) = self.sessions.get_mut(session) {
                connection.incoming_aliases = std::mem::take(&mut session.stale_aliases);
            }
        }
        self.disarm(id);
        self.watch_keep_alive(id, keep_alive);
        let properties = self.capabilities(id, rules, connect, assigned.as_deref(), expiry);
        self.send_connack(id, rules, connect, present, &properties);
        self.resume_deliveries(session);
        Ok(())
    }

    /// A Client Identifier that no Session has. A count is as good as chance here, and can be repeated.
    fn assign_client_id(&mut self, rules: &Rules) -> String {
        loop {
            self.sessions.assigned += 1;
            let number = rules.must(
                rule!("v3.1.1/MQTT-3.1.3-6", "v5.0/MQTT-3.1.3-6"),
                self.sessions.assigned,
                0,
            );
            let client_id = format!("assigned{number}");
            if number == 0 || self.sessions.find(client_id.as_bytes()).is_none() {
                return client_id;
            }
        }
    }

    /// The Session Expiry Interval: what the client asks for, within the limit; before 5.0 all or nothing.
    fn granted_expiry(&self, rules: &Rules, connect: &Connect<'_>) -> u32 {
        // Clean Start decides how the Session begins, and not when it ends.
        let ends_with_connection = connect.clean_start && rules.breaks(rule!("v5.0/U50-3.1.2.4-1"));
        let asked = if ends_with_connection {
            0
        } else if rules.is_v5() {
            connect.properties.session_expiry_interval().unwrap_or(0)
        } else if connect.clean_start {
            0
        } else {
            u32::MAX
        };
        asked.min(self.config.limits.session_expiry.unwrap_or(u32::MAX))
    }

    /// The Keep Alive that holds: the server's own, where the client can be told.
    fn granted_keep_alive(&self, rules: &Rules, connect: &Connect<'_>) -> u16 {
        match self.config.limits.server_keep_alive {
            Some(seconds) if rules.is_v5() => seconds,
            _ => rules.must(rule!("v5.0/MQTT-3.2.2-22"), connect.keep_alive, 0),
        }
    }

    /// Finds or makes the Session of the client (section 3.1.2.4); tells whether it existed.
    fn take_session(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        client_id: &Arc<[u8]>,
        clean_start: bool,
        expiry: u32,
    ) -> Result<(SessionKey, bool), Refusal> {
        if let Some(connected) = self.sessions.connection_of(client_id) {
            self.take_over(connected);
        }
        let clean = clean_start
            && rules.keeps(rule!(
                "v3.1/V31-2.2-5",
                "v3.1.1/MQTT-3.1.2-6",
                "v3.1.1/MQTT-3.1.4-3",
                "v5.0/MQTT-3.1.2-4",
                "v5.0/MQTT-3.1.4-4"
            ));
        let stored = if rules.keeps(rule!("v3.1.1/MQTT-3.1.3-2", "v5.0/MQTT-3.1.3-2")) {
            self.sessions.find(client_id)
        } else {
            self.sessions.any()
        };
        let resumed = match stored {
            Some(session) if clean => {
                self.end_session(session);
                None
            }
            Some(session) => rules
                .keeps(rule!(
                    "v3.1/V31-2.2-4",
                    "v3.1.1/MQTT-3.1.2-4",
                    "v5.0/MQTT-3.1.2-5"
                ))
                .then_some(session),
            None => None,
        };
        if let Some(session) = resumed {
            self.resume(session, id, rules, expiry);
            return Ok((session, true));
        }
        if let Some(session) = self.sessions.find(client_id) {
            self.end_session(session);
        }
        if !clean_start && rules.breaks(rule!("v5.0/MQTT-3.1.2-6")) {
            let clause = clauses::clause!("v5.0/MQTT-3.1.2-6");
            return Err(Refusal::new(clause, ReasonCode::SERVER_UNAVAILABLE));
        }
        if self.sessions.len() >= self.config.limits.sessions {
            let rule = rule!("v3.1.1/U311-3.1.4-2", "v5.0/MQTT-3.1.4-2");
            let clause = rule.clauses(rules.version())[0];
            let refusal = Refusal::new(clause, ReasonCode::QUOTA_EXCEEDED);
            return Err(refusal.because("there are as many sessions as there may be"));
        }
        let user = self.connections.get(&id).and_then(|c| c.user.clone());
        let session = self
            .sessions
            .begin(client_id, Some(id), rules.clone(), user, expiry);
        self.persist_begin(session);
        Ok((session, false))
    }

    /// A second connection has come with the Client Identifier of this one.
    fn take_over(&mut self, connected: ConnectionId) {
        let Some(connection) = self.connections.get(&connected) else {
            return;
        };
        let rules = connection.rules.clone();
        let rule = rule!("v3.1/V31-3.1-8", "v3.1.1/MQTT-3.1.4-2", "v5.0/MQTT-3.1.4-3");
        if rules.keeps(rule) {
            let clause = rule.clauses(rules.version())[0];
            self.refuse(
                connected,
                Refusal::new(clause, ReasonCode::SESSION_TAKEN_OVER),
            );
        }
        if let Some(session) = self.session_of(connected) {
            self.detach(session, connected);
        }
    }
}
