//! The broker as it was before it ended, from what it persisted (section 4.1).

use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

use super::deadlines::Deadline;
use super::persist::{Persist, SessionChange, Terms};
use super::session::{Session, SessionKey};
use super::{Action, Core};
use crate::Config;

impl Core {
    /// The broker as it was, by the changes that it persisted, in their order. It goes on at `now`, counted from
    /// the start of the first; nobody is connected. Whoever was when it ended has left now; so Wills that were not
    /// published before are published by the first event, or after their delay. The actions of that event begin
    /// with what restoring has changed.
    pub fn restore(
        config: impl Into<Arc<Config>>,
        changes: impl IntoIterator<Item = Persist>,
        now: Duration,
    ) -> Self {
        let mut core = Self::new(config);
        core.now = now;
        for change in changes {
            match change {
                Persist::Session { client_id, change } => core.replay(&client_id, change),
                Persist::Retained(message) => {
                    core.retained.replace(message);
                }
                Persist::RetainedRemoved { topic } => {
                    core.retained.remove(&topic);
                }
            }
        }
        let sessions: Vec<_> = core.sessions.keys().collect();
        for session in sessions {
            core.left_behind(session);
        }
        // Nobody is connected who could be sent anything.
        core.actions
            .retain(|action| matches!(action, Action::Persist(_)));
        core
    }

    /// The Session was left when its client did, or else when the broker ended; nobody knows when that was, so the
    /// client has all its time from now on.
    fn left_behind(&mut self, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let left = if let Some(left) = session.left {
            left
        } else {
            session.left = Some(self.now);
            self.persist_leaving(key, self.now);
            self.now
        };
        if let Some(session) = self.sessions.get_mut(key)
            && let Some(will) = &session.will
        {
            let delay = will.delay.min(session.expiry);
            let due = left + Duration::from_secs(delay.into());
            session.will_due = Some(due);
            self.deadlines.set(due, Deadline::Will(key));
        }
        self.begin_expiry(key);
    }

    fn replay(&mut self, client_id: &Arc<[u8]>, change: SessionChange) {
        if let SessionChange::Begun(terms) = &change {
            self.replay_begin(client_id, terms);
            return;
        }
        let Some(key) = self.sessions.find(client_id) else {
            return;
        };
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        match change {
            SessionChange::Begun(_) => {}
            SessionChange::Kept(terms) => {
                session.expiry = terms.expiry_interval;
                session.rules = self.rules.of(terms.version);
                session.user = terms.user;
                session.left = None;
            }
            SessionChange::Left { at } => session.left = Some(at),
            SessionChange::Ended => {
                self.remove_session(key);
            }
            SessionChange::Will(will) => session.will = will,
            SessionChange::Subscribed {
                filter,
                subscription,
            } => {
                let requested = subscription.requested(&filter);
                let known_by = SmallVec::from_slice(&filter);
                let old = session.subscriptions.insert(known_by, subscription);
                // The same text may have asked for a Shared Subscription before, and not do so in 3.1.1.
                if let Some(old) = old
                    && old.requested(&filter) != requested
                {
                    self.subscriptions.remove(old.requested(&filter), key);
                }
                self.subscriptions.insert(requested, key, subscription);
            }
            SessionChange::Unsubscribed { filter } => {
                if let Some(subscription) = session.subscriptions.remove(&*filter) {
                    let requested = subscription.requested(&filter);
                    self.subscriptions.remove(requested, key);
                }
            }
            SessionChange::Received { packet_id } => {
                session.incoming.insert(packet_id);
            }
            SessionChange::ReceivedReleased { packet_id } => {
                session.incoming.remove(&packet_id);
            }
            SessionChange::Queued(_)
            | SessionChange::Dropped
            | SessionChange::Sent { .. }
            | SessionChange::Released { .. }
            | SessionChange::Completed { .. } => session.replay_delivery(change),
        }
    }

    fn replay_begin(&mut self, client_id: &Arc<[u8]>, terms: &Terms) {
        if let Some(earlier) = self.sessions.find(client_id) {
            self.remove_session(earlier);
        }
        let rules = self.rules.of(terms.version);
        let expiry = terms.expiry_interval;
        let key = self
            .sessions
            .begin(client_id, None, rules, terms.user.clone(), expiry);
        if let Some(session) = self.sessions.get_mut(key) {
            session.kept = expiry > 0;
            session.told = true;
        }
    }
}

impl Session {
    fn replay_delivery(&mut self, change: SessionChange) {
        let outgoing = &mut self.outgoing;
        match change {
            SessionChange::Queued(delivery) => outgoing.queue(delivery),
            SessionChange::Dropped => {
                outgoing.take_waiting();
            }
            SessionChange::Sent { packet_id } => {
                if let Some(delivery) = outgoing.take_waiting() {
                    outgoing.sent(packet_id, delivery);
                    outgoing.interrupted();
                }
            }
            SessionChange::Released { packet_id } => {
                outgoing.finish(packet_id);
                outgoing.released.push_back(packet_id);
            }
            SessionChange::Completed { packet_id } => outgoing.finish(packet_id),
            _ => {}
        }
    }
}
