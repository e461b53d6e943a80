//! Shared Subscriptions: each message goes to one of the Sessions, in turn (section 4.8.2).

use std::sync::Arc;

use codec::{QoS, Version};

use super::Core;
use super::message::Message;
use super::outgoing::{Delivery, Outgoing};
use super::routing::{Match, reaches};
use super::session::SessionKey;
use super::subscriptions::Subscription;
use super::topic::Requested;
use super::tree::NodeIndex;
use crate::rules::rule;

impl Core {
    /// Each Shared Subscription of this filter gives the message to one of its sessions.
    pub(super) fn route_shared(&mut self, at: NodeIndex, message: &Arc<Message>) {
        let node = self.subscriptions.node(at);
        if node.shares.is_empty() {
            return;
        }
        let names: Vec<_> = node.shares.keys().cloned().collect();
        for name in names {
            self.route_to_share(at, &name, message);
        }
    }

    fn route_to_share(&mut self, at: NodeIndex, name: &[u8], message: &Arc<Message>) {
        let node = self.subscriptions.node(at);
        let Some(share) = node.shares.get(name) else {
            return;
        };
        let chosen = share.next_in_turn(|key, subscription| {
            self.rank(key, subscription, message, node.starts_with_wildcard)
        });
        let Some(chosen) = chosen else {
            self.note_that_nobody_takes_it(at, name, message);
            return;
        };
        let filter = Arc::clone(share.filter());
        let mut receivers: Vec<_> = share.members().collect();
        let one_only = self
            .sessions
            .get(receivers[chosen].0)
            .is_none_or(|session| !session.rules.breaks(rule!("v5.0/U50-4.8.2-2")));
        if one_only {
            receivers = vec![receivers[chosen]];
        }
        if let Some(share) = self.subscriptions.share_mut(at, name) {
            share.took_turn(chosen);
        }
        for (key, subscription) in receivers {
            self.forward(Match::of(key, &subscription), message, Some(&filter));
        }
    }

    /// Notes of each Session of a Shared Subscription why it does not take a message that none of them does.
    fn note_that_nobody_takes_it(&mut self, at: NodeIndex, name: &[u8], message: &Arc<Message>) {
        let node = self.subscriptions.node(at);
        let Some(share) = node.shares.get(name) else {
            return;
        };
        let concerned: Vec<_> = share
            .members()
            .filter(|(key, subscription)| {
                self.sessions.get(*key).is_some_and(|session| {
                    reaches(session, subscription, message, node.starts_with_wildcard)
                })
            })
            .map(|(key, _)| key)
            .collect();
        for key in concerned {
            if self.may_receive(key, message) {
                self.note_lost(key, message);
            } else {
                self.note_withheld(key, message);
            }
        }
    }

    /// How well a Session can take the next message of a Shared Subscription; the lowest rank is best. A message
    /// of QoS 0 would be lost on a client that is away.
    fn rank(
        &self,
        key: SessionKey,
        subscription: &Subscription,
        message: &Message,
        starts_with_wildcard: bool,
    ) -> Option<u8> {
        let session = self.sessions.get(key)?;
        if !reaches(session, subscription, message, starts_with_wildcard)
            || !self.may_receive(key, message)
        {
            return None;
        }
        if session.connection.is_none() {
            let kept = message.qos.min(subscription.maximum_qos).is_acknowledged();
            return kept.then_some(2);
        }
        Some(u8::from(self.room_in_flight(session) == 0))
    }

    /// A Session of a Shared Subscription has ended with messages on their way. What was never sent goes to
    /// another Session, and so does what was sent with QoS 1; QoS 2 does not, since the client may have received it.
    pub(super) fn share_again(&mut self, outgoing: Outgoing) {
        // Shared Subscriptions are of 5.0, whoever has resumed the Session since.
        let rules = self.rules.of(Version::V5_0);
        let again_qos1 = rules.keeps(rule!("v5.0/U50-4.8.2-1"));
        let again_qos2 = rules.breaks(rule!("v5.0/MQTT-4.8.2-5"));
        let sent = outgoing
            .in_flight
            .into_iter()
            .map(|message| message.delivery)
            .filter(|sent| {
                if sent.qos == QoS::AT_LEAST_ONCE {
                    again_qos1
                } else {
                    again_qos2
                }
            });
        for delivery in sent.chain(outgoing.waiting) {
            self.share_once_more(&delivery);
        }
    }

    /// Gives a message of a Shared Subscription to the next Session of it.
    pub(super) fn share_once_more(&mut self, delivery: &Delivery) {
        let Some(filter) = &delivery.share else {
            return;
        };
        let requested = Requested::of(filter);
        if let Some(name) = requested.share
            && let Some(at) = self.subscriptions.find(requested.filter)
        {
            self.route_to_share(at, name, &delivery.message);
        }
    }
}
