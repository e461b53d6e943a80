//! Taking leave: DISCONNECT from a client, and the broker's own when it stops (section 3.14).

use codec::{Disconnect, ReasonCode};

use super::session::SessionKey;
use super::{ConnectionId, Core, Refusal};
use crate::rules::{Rules, rule};

impl Core {
    /// The client takes leave.
    pub(super) fn disconnected(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        session: SessionKey,
        disconnect: &Disconnect<'_>,
    ) -> Result<(), Refusal> {
        if let Some(expiry) = disconnect.properties.session_expiry_interval() {
            let was = self
                .connections
                .get(&id)
                .map_or(0, |connection| connection.session_expiry);
            rules.refuse_if(
                was == 0 && expiry > 0,
                rule!("v5.0/U50-3.14.2.2.2-2"),
                ReasonCode::PROTOCOL_ERROR,
            )?;
            if rules.keeps(rule!("v5.0/U50-3.14.2.2.2-3")) {
                let limit = self.config.limits.session_expiry.unwrap_or(u32::MAX);
                if let Some(session) = self.sessions.get_mut(session) {
                    session.expiry = expiry.min(limit);
                }
                self.persist_terms(session);
            }
        }
        // Only the normal disconnection takes the Will back; 0x04 and the errors leave it.
        let takes_will_back = disconnect.reason_code == ReasonCode::NORMAL_DISCONNECTION
            || rules.breaks(rule!("v5.0/U50-3.14.2.1-2"));
        if takes_will_back {
            self.drop_will(session);
        }
        if rules.keeps(rule!(
            "v3.1/V31-3.14-1",
            "v3.1.1/U311-3.14.4-1",
            "v5.0/U50-3.14.4-1"
        )) {
            self.close(id, None);
        } else {
            self.ended(id);
        }
        Ok(())
    }

    /// The broker takes leave of every client.
    pub(super) fn stop(&mut self) {
        self.stopping = true;
        let connections: Vec<_> = self.connections.keys().copied().collect();
        for id in connections {
            let clause = clauses::clause!("v5.0/MQTT-3.14.4-2");
            let leave = match &self.config.redirection {
                Some(redirection) => Refusal::new(clause, redirection.reason())
                    .because("clients are served elsewhere from now on"),
                None => Refusal::new(clause, ReasonCode::SERVER_SHUTTING_DOWN)
                    .because("the server is shutting down"),
            };
            match self.session_of(id) {
                Some(session) => {
                    // A server that shuts down may hold the Wills back until it is there again; nobody would be
                    // left to receive them. So nothing that is persisted forgets them.
                    if let Some(session) = self.sessions.get_mut(session)
                        && session.will.take().is_some()
                        && session.expiry == 0
                    {
                        session.kept = false;
                        session.told = false;
                    }
                    self.refuse(id, leave);
                }
                None => self.close(id, None),
            }
        }
    }
}
