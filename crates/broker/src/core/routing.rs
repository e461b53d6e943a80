//! From a message to those who subscribed (sections 3.3.4, 4.5 and 4.7).

use std::sync::Arc;

use codec::QoS;
use smallvec::SmallVec;

use super::Core;
use super::message::Message;
use super::outgoing::Delivery;
use super::persist::Persist;
use super::session::{Session, SessionKey};
use super::subscriptions::Subscription;
use crate::rules::{Rules, rule};

/// What all matching subscriptions of one Session ask for together.
#[derive(Debug)]
pub(super) struct Match {
    session: SessionKey,
    maximum_qos: QoS,
    retain_as_published: bool,
    identifiers: Vec<u32>,
}

impl Match {
    pub(super) fn of(session: SessionKey, subscription: &Subscription) -> Self {
        Self {
            session,
            maximum_qos: subscription.maximum_qos,
            retain_as_published: subscription.retain_as_published,
            identifiers: subscription.identifier.into_iter().collect(),
        }
    }
}

impl Core {
    /// Takes a message over from its publisher: retains it if it says so, and passes it on. Tells whether
    /// anybody subscribed to its topic.
    pub(super) fn take_message(&mut self, rules: &Rules, message: Message) -> bool {
        let message = Arc::new(message);
        self.retain(rules, &message);
        self.route(&message)
    }

    /// Keeps, replaces or removes the retained message of the topic (section 3.3.1.3).
    fn retain(&mut self, rules: &Rules, message: &Arc<Message>) {
        if !self.config.features.retain {
            return;
        }
        if !message.retain {
            if rules.breaks(rule!("v3.1.1/MQTT-3.3.1-12", "v5.0/MQTT-3.3.1-8")) {
                self.store_retained(message);
            }
            return;
        }
        if message.payload.is_empty() {
            if rules.keeps(rule!(
                "v3.1/V31-2.1-7",
                "v3.1.1/MQTT-3.3.1-10",
                "v5.0/MQTT-3.3.1-6"
            )) {
                self.remove_retained(&message.topic);
            }
            if rules.breaks(rule!("v3.1.1/MQTT-3.3.1-11", "v5.0/MQTT-3.3.1-7")) {
                self.store_retained(message);
            }
            return;
        }
        let stores = if message.qos.is_acknowledged() {
            rules.keeps(rule!(
                "v3.1/V31-2.1-3",
                "v3.1.1/MQTT-3.3.1-5",
                "v5.0/MQTT-3.3.1-5"
            ))
        } else {
            // It should be stored, and may be dropped at any time; dropping the old one is a must.
            rules.keeps(rule!(
                "v3.1/V31-2.1-3",
                "v3.1.1/MQTT-3.3.1-7",
                "v5.0/MQTT-3.3.1-5",
                "v5.0/U50-3.3.1.3-1"
            ))
        };
        if stores {
            self.store_retained(message);
        }
    }

    /// Keeps the retained message if there is room. Otherwise the earlier one goes all the same: this is the newer.
    pub(super) fn store_retained(&mut self, message: &Arc<Message>) {
        self.drop_expired_retained();
        let limits = &self.config.limits;
        if self
            .retained
            .has_room(&message.topic, message.size(), limits)
        {
            self.retained.replace(Arc::clone(message));
            if self.keeps_retained() {
                self.persist(|| Persist::Retained(Arc::clone(message)));
            }
        } else {
            self.remove_retained(&message.topic);
        }
    }

    /// Removes the retained messages that have expired.
    pub(super) fn drop_expired_retained(&mut self) {
        while let Some(topic) = self.retained.take_expired(self.now) {
            self.persist(|| Persist::RetainedRemoved { topic });
        }
    }

    fn remove_retained(&mut self, topic: &[u8]) {
        if self.retained.remove(topic) {
            self.persist(|| Persist::RetainedRemoved {
                topic: topic.into(),
            });
        }
    }

    /// Adds the message to every Session with a matching subscription.
    fn route(&mut self, message: &Arc<Message>) -> bool {
        let places = self.subscriptions.matching(&message.topic);
        let mut found = false;
        let mut matches: SmallVec<[Match; 4]> = SmallVec::new();
        for &at in &places {
            let node = self.subscriptions.node(at);
            found |= !node.subscribers.is_empty() || !node.shares.is_empty();
            for (&key, subscription) in node.subscribers.iter() {
                if let Some(session) = self.sessions.get(key)
                    && reaches(session, subscription, message, node.starts_with_wildcard)
                {
                    matches.push(Match::of(key, subscription));
                }
            }
        }
        matches.sort_by_key(|found| found.session);
        self.join_overlapping(&mut matches);
        for found in matches {
            self.forward(found, message, None);
        }
        for at in places {
            self.route_shared(at, message);
        }
        found
    }

    /// Whether the permissions let the client of a Session have a message (5.0 section 5.4.2).
    pub(super) fn may_receive(&self, key: SessionKey, message: &Message) -> bool {
        let access = &self.config.access;
        // Mostly nothing is restricted, and nobody's Session needs to be looked up.
        access.permissions.is_empty()
            || self
                .sessions
                .get(key)
                .is_some_and(|session| access.may_receive(session.user.as_deref(), &message.topic))
    }

    /// Where subscriptions of a client overlap, it gets one copy, at the highest QoS and with all their
    /// identifiers. The standard also allows one copy for each; one shows how they are combined.
    fn join_overlapping(&self, matches: &mut SmallVec<[Match; 4]>) {
        matches.dedup_by(|later, kept| {
            if later.session != kept.session {
                return false;
            }
            let Some(session) = self.sessions.get(kept.session) else {
                return true;
            };
            let rules = &session.rules;
            kept.maximum_qos = rules.must(
                rule!("v3.1.1/MQTT-3.3.5-1", "v5.0/MQTT-3.3.4-2"),
                kept.maximum_qos.max(later.maximum_qos),
                kept.maximum_qos.min(later.maximum_qos),
            );
            kept.retain_as_published |= later.retain_as_published;
            if !rules.breaks(rule!("v5.0/MQTT-3.3.4-4")) {
                kept.identifiers.append(&mut later.identifiers);
            }
            true
        });
    }

    pub(super) fn forward(
        &mut self,
        found: Match,
        message: &Arc<Message>,
        share: Option<&Arc<[u8]>>,
    ) {
        if !self.may_receive(found.session, message) {
            self.note_withheld(found.session, message);
            return;
        }
        let Some(session) = self.sessions.get(found.session) else {
            return;
        };
        let rules = &session.rules;
        let lower = message.qos.min(found.maximum_qos);
        let wrong = if lower == message.qos {
            QoS::from_bits((lower.value() + 1) % 3)
        } else {
            message.qos
        };
        let rule = if share.is_some() {
            rule!("v5.0/MQTT-3.8.4-8", "v5.0/MQTT-4.8.2-3")
        } else {
            rule!("v3.1.1/MQTT-3.8.4-6", "v5.0/MQTT-3.8.4-8")
        };
        let qos = rules.must(rule, lower, wrong);
        // A client of 3.1.1 may resume a Session in which one of 5.0 has asked for RETAIN as it was published.
        let retain = if found.retain_as_published && rules.is_v5() {
            rules.must(rule!("v5.0/MQTT-3.3.1-13"), message.retain, !message.retain)
        } else {
            rules.must(
                rule!(
                    "v3.1/V31-2.1-5",
                    "v3.1.1/MQTT-3.3.1-9",
                    "v5.0/MQTT-3.3.1-12"
                ),
                false,
                message.retain,
            )
        };
        let mut identifiers = found.identifiers;
        if !identifiers.is_empty() && rules.breaks(rule!("v5.0/MQTT-3.3.4-3", "v5.0/MQTT-3.3.4-5"))
        {
            identifiers.clear();
        }
        // Only identifiers of subscriptions that the message flows from.
        if rules.breaks(rule!("v5.0/U50-3.3.4-1")) {
            identifiers.push(268_435_455);
        }
        let delivery = Delivery {
            message: Arc::clone(message),
            qos,
            retain,
            identifiers,
            share: share.cloned(),
        };
        self.deliver(found.session, delivery);
    }
}

/// Whether a message reaches a Session through one of its subscriptions.
pub(super) fn reaches(
    session: &Session,
    subscription: &Subscription,
    message: &Message,
    starts_with_wildcard: bool,
) -> bool {
    let rules = &session.rules;
    if starts_with_wildcard
        && message.topic.starts_with(b"$")
        && rules.keeps(rule!("v3.1.1/MQTT-4.7.2-1", "v5.0/MQTT-4.7.2-1"))
    {
        return false;
    }
    if subscription.no_local
        && message.publisher.as_ref() == Some(&session.client_id)
        && !rules.breaks(rule!("v5.0/MQTT-3.8.3-3"))
    {
        return false;
    }
    rules.keeps(rule!("v3.1.1/MQTT-4.5.0-1", "v5.0/MQTT-4.5.0-1"))
}
