//! Keep Alive (section 3.1.2.10).

use std::time::Duration;

use codec::ReasonCode;

use super::deadlines::Deadline;
use super::{ConnectionId, Core};
use crate::rules::rule;

impl Core {
    /// Watches over a client that has promised a packet every `seconds`; 0 promises nothing.
    pub(super) fn watch_keep_alive(&mut self, id: ConnectionId, seconds: u16) {
        let rules = self.connections.get(&id).map(|found| found.rules.clone());
        let ignores_zero = rules.is_some_and(|rules| rules.breaks(rule!("v3.1/V31-2.2-10")));
        let seconds = if ignores_zero {
            seconds.max(1)
        } else {
            seconds
        };
        let patience = (seconds > 0).then(|| Duration::from_millis(u64::from(seconds) * 1500));
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        connection.patience = patience;
        if let Some(patience) = patience {
            self.arm(id, self.now + patience, Deadline::KeepAlive(id));
        }
    }

    /// The client may have been silent for too long. Packets do not move the deadline; it is looked at again
    /// when it comes.
    pub(super) fn keep_alive_due(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        connection.deadline = None;
        let Some(patience) = connection.patience else {
            return;
        };
        let ends = connection.last_received + patience;
        if ends > self.now {
            self.arm(id, ends, Deadline::KeepAlive(id));
            return;
        }
        let rules = connection.rules.clone();
        let overdue = rules.refuse_if(
            true,
            rule!(
                "v3.1/V31-2.2-9",
                "v3.1.1/MQTT-3.1.2-24",
                "v5.0/MQTT-3.1.2-22"
            ),
            ReasonCode::KEEP_ALIVE_TIMEOUT,
        );
        if let Err(refusal) = overdue {
            self.refuse(id, refusal);
        }
    }
}
