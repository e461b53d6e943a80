//! When more waits for a client than may (section 4.1).
//!
//! Whatever a client subscribed to belongs to its Session (MQTT-4.5.0-1), so no message is left out in silence. The
//! standard's answer to limits is that stored Session State can be discarded by an automated response: the Session ends,
//! its client is told so (Quota exceeded, and later Session Present 0), and its publishers are not made to wait for it.

use codec::ReasonCode;

use super::session::SessionKey;
use super::{Core, Refusal};
use crate::rules::rule;

impl Core {
    /// Lets a Session end with the event, since more waits for it than may.
    pub(super) fn overflows(&mut self, key: SessionKey) {
        if !self.overflowing.contains(&key) {
            self.overflowing.push(key);
        }
    }

    /// All Sessions together have as much waiting as may be: the one with the most makes room.
    pub(super) fn all_overflow(&mut self) {
        if self.overflowing.is_empty()
            && let Some(most) = self.sessions.with_most_waiting()
        {
            self.overflowing.push(most);
        }
    }

    /// Ends the Sessions that overflow. The Will of one may let another overflow, and so on.
    pub(super) fn end_overflowing(&mut self) {
        while let Some(&key) = self.overflowing.last() {
            self.end_overflowing_one(key);
            self.overflowing.retain(|&other| other != key);
        }
    }

    fn end_overflowing_one(&mut self, key: SessionKey) {
        let Some(session) = self.sessions.get(key) else {
            return;
        };
        let rules = session.rules.clone();
        let rule = rule!("v3.1.1/MQTT-4.5.0-1", "v5.0/MQTT-4.5.0-1");
        let refusal = Refusal::new(rule.clauses(rules.version())[0], ReasonCode::QUOTA_EXCEEDED)
            .because("more messages wait for this client than may, so its Session ends");
        if let Some(id) = session.connection {
            self.disconnect(id, &rules, refusal);
        } else {
            self.note_ended(key, refusal);
        }
        self.end_session(key);
    }
}
