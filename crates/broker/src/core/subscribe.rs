//! SUBSCRIBE and its SUBACK (sections 3.8 and 3.9).

use std::sync::Arc;

use codec::{
    InvalidTopicFilter, Packet, PacketType, QoS, ReasonCode, ReasonCodes, RetainHandling, Suback,
    Subscribe, TopicFilter, Version,
};

use super::outgoing::Delivery;
use super::persist::SessionChange;
use super::session::SessionKey;
use super::subscriptions::Subscription;
use super::topic::{self, Requested};
use super::{ConnectionId, Core, Refusal};
use crate::rules::{Rules, rule};

/// A subscription that a SUBSCRIBE has made or replaced.
struct Made<'a> {
    filter: &'a [u8],
    subscription: Subscription,
    handling: RetainHandling,
    new: bool,
}

impl Core {
    /// The client subscribes.
    pub(super) fn subscribe(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        key: SessionKey,
        subscribe: &Subscribe<'_>,
    ) -> Result<(), Refusal> {
        let identifier = subscribe.properties.subscription_identifier();
        self.check_offered(rules, subscribe, identifier)?;
        let mut codes = Vec::new();
        let mut made = Vec::new();
        let mut why = None;
        for requested in subscribe.filters.iter() {
            let filter = requested.filter.as_bytes();
            let options = requested.options;
            let shared = rules.is_v5() && filter.starts_with(b"$share/");
            rules.refuse_if(
                shared && options.is_no_local(),
                rule!("v5.0/MQTT-3.8.3-4"),
                ReasonCode::PROTOCOL_ERROR,
            )?;
            check_filter(rules, requested.filter)?;
            let subscription = Subscription {
                // Any QoS is granted: what the server cannot do shows in what is published.
                maximum_qos: options.qos(),
                no_local: rules.is_v5() && options.is_no_local(),
                retain_as_published: rules.is_v5() && options.is_retain_as_published(),
                identifier,
                shared,
            };
            let handling = options.handling_of_retained().unwrap_or_default();
            match self.grant(rules, key, filter, subscription) {
                Ok(new) => {
                    codes.push(subscription.maximum_qos.value());
                    made.push(Made {
                        filter,
                        subscription,
                        handling,
                        new,
                    });
                }
                Err(refusal) => {
                    codes.push(failure(rules, refusal, options.qos()).0);
                    why = Some(refusal);
                }
            }
        }
        self.send_suback(id, rules, subscribe.packet_id, codes, why);
        // One packet brings no more than the queue of a session may hold; retained messages may be dropped.
        let mut budget = self.config.limits.queued_bytes;
        for made in made {
            self.send_retained(rules, key, &made, &mut budget);
        }
        Ok(())
    }

    /// What CONNACK has announced that the server does not do is a Protocol Error to ask for.
    fn check_offered(
        &self,
        rules: &Rules,
        subscribe: &Subscribe<'_>,
        identifier: Option<u32>,
    ) -> Result<(), Refusal> {
        let features = &self.config.features;
        rules.refuse_if(
            identifier.is_some() && !features.subscription_identifiers,
            rule!("v5.0/U50-3.2.2.3.12-2"),
            ReasonCode::SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED,
        )?;
        for requested in subscribe.filters.iter() {
            let filter = requested.filter.as_bytes();
            rules.refuse_if(
                filter.starts_with(b"$share/") && !features.shared_subscriptions,
                rule!("v5.0/U50-3.2.2.3.13-2"),
                ReasonCode::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED,
            )?;
            if rules.is_v5() {
                rules.refuse_if(
                    topic::has_wildcard(filter) && !features.wildcards,
                    rule!("v5.0/U50-3.2.2.3.11-2"),
                    ReasonCode::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED,
                )?;
            }
        }
        Ok(())
    }

    /// Makes or replaces a subscription; tells whether it is new.
    fn grant(
        &mut self,
        rules: &Rules,
        key: SessionKey,
        filter: &[u8],
        subscription: Subscription,
    ) -> Result<bool, Refusal> {
        let requested = subscription.requested(filter);
        self.check_permitted(rules, key, filter, requested, subscription.maximum_qos)?;
        let Some(session) = self.sessions.get_mut(key) else {
            return Ok(false);
        };
        let new = !session.subscriptions.contains_key(filter);
        // The identical filter replaces the subscription; a broker that breaks this keeps the old one.
        let replaces = new || rules.keeps(rule!("v3.1.1/MQTT-3.8.4-3", "v5.0/MQTT-3.8.4-3"));
        if replaces {
            let old = session.subscriptions.insert(filter.into(), subscription);
            // To a client of 3.1.1 that resumes a Session of 5.0, the same text asks for no Shared Subscription.
            if let Some(old) = old
                && old.requested(filter) != requested
            {
                self.subscriptions.remove(old.requested(filter), key);
            }
            self.subscriptions.insert(requested, key, subscription);
            self.persist_session(key, || SessionChange::Subscribed {
                filter: filter.into(),
                subscription,
            });
        }
        Ok(new)
    }

    fn check_permitted(
        &self,
        rules: &Rules,
        key: SessionKey,
        filter: &[u8],
        requested: Requested<'_>,
        maximum_qos: QoS,
    ) -> Result<(), Refusal> {
        let Some(session) = self.sessions.get(key) else {
            return Ok(());
        };
        if !rules.is_v5() {
            let wildcards =
                self.config.features.wildcards && !rules.breaks(rule!("v3.1.1/U311-3.8.3-1"));
            rules.refuse_if(
                topic::has_wildcard(filter) && !wildcards,
                rule!("v3.1.1/MQTT-3.8.3-2"),
                ReasonCode::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED,
            )?;
        }
        let access = &self.config.access;
        let limits = &self.config.limits;
        let full = !session.subscriptions.contains_key(filter)
            && (session.subscriptions.len() >= limits.subscriptions
                || self.subscriptions.len() >= limits.all_subscriptions);
        let deep = topic::levels(requested.filter).count() > limits.topic_levels;
        let (reason, because) = if !access.may_subscribe(session.user.as_deref(), requested.filter)
        {
            (
                ReasonCode::NOT_AUTHORIZED,
                "this client may not subscribe there",
            )
        } else if full {
            (
                ReasonCode::QUOTA_EXCEEDED,
                "there are as many subscriptions as there may be",
            )
        } else if deep {
            (ReasonCode::QUOTA_EXCEEDED, "the filter has too many levels")
        } else if maximum_qos > self.config.features.maximum_qos
            && rules.breaks(rule!("v5.0/MQTT-3.2.2-10"))
        {
            (ReasonCode::UNSPECIFIED_ERROR, "the QoS is not supported")
        } else {
            return Ok(());
        };
        let answered = rule!("v3.1.1/MQTT-3.8.4-5", "v5.0/MQTT-3.8.4-7");
        let clause = answered.clauses(rules.version())[0];
        Err(Refusal::new(clause, reason).because(because))
    }

    fn send_suback(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        packet_id: u16,
        mut codes: Vec<u8>,
        why: Option<Refusal>,
    ) {
        if rules.breaks(rule!("v3.1.1/MQTT-3.8.4-1", "v5.0/MQTT-3.8.4-1")) {
            return;
        }
        let packet_id = rules.must(
            rule!(
                "v3.1.1/MQTT-2.3.1-7",
                "v3.1.1/MQTT-3.8.4-2",
                "v5.0/MQTT-2.2.1-6",
                "v5.0/MQTT-3.8.4-2"
            ),
            packet_id,
            packet_id.checked_add(1).unwrap_or(1),
        );
        // One code for each filter, in their order, and only such codes as are listed.
        if rules.breaks(rule!("v3.1.1/MQTT-3.9.3-1", "v5.0/MQTT-3.9.3-1")) {
            codes.reverse();
        }
        if rules.breaks(rule!(
            "v3.1.1/MQTT-3.8.4-4",
            "v3.1.1/MQTT-3.8.4-5",
            "v5.0/MQTT-3.8.4-5",
            "v5.0/MQTT-3.8.4-6"
        )) {
            codes.truncate(1);
        }
        if rules.breaks(rule!("v3.1.1/MQTT-3.9.3-2", "v5.0/MQTT-3.9.3-2")) {
            codes.fill(0x7F);
        }
        let explanation = self.explanation(id, PacketType::Suback, why);
        self.send_explained(
            id,
            &Packet::Suback(Suback {
                packet_id,
                properties: explanation.as_properties(),
                codes: ReasonCodes::new(&codes),
            }),
        );
    }

    /// Sends the retained messages that match a subscription (section 3.3.1.3). A Shared Subscription gets none
    /// (5.0 section 4.8.2).
    fn send_retained(
        &mut self,
        rules: &Rules,
        key: SessionKey,
        made: &Made<'_>,
        budget: &mut usize,
    ) {
        let &Made {
            filter,
            subscription,
            handling,
            new,
        } = made;
        let sends = match handling {
            _ if subscription.shared => false,
            RetainHandling::SendAtSubscribe if new => rules.keeps(rule!(
                "v3.1/V31-2.1-4",
                "v3.1.1/MQTT-3.3.1-6",
                "v5.0/MQTT-3.3.1-9"
            )),
            RetainHandling::SendAtSubscribe => rules.keeps(rule!(
                "v3.1/V31-2.1-4",
                "v3.1.1/MQTT-3.3.1-6",
                "v3.1.1/MQTT-3.8.4-3",
                "v5.0/MQTT-3.3.1-9",
                "v5.0/MQTT-3.8.4-4"
            )),
            RetainHandling::SendIfNew => rules.must(rule!("v5.0/MQTT-3.3.1-10"), new, !new),
            RetainHandling::DoNotSend => rules.must(rule!("v5.0/MQTT-3.3.1-11"), false, true),
        };
        if !sends {
            return;
        }
        let Some(session) = self.sessions.get(key) else {
            return;
        };
        let hides = topic::starts_with_wildcard(filter)
            && rules.keeps(rule!("v3.1.1/MQTT-4.7.2-1", "v5.0/MQTT-4.7.2-1"));
        let user = session.user.as_deref();
        let messages: Vec<_> = self
            .retained
            .matching(filter)
            .filter(|message| !(hides && message.topic.starts_with(b"$")))
            .filter(|message| self.config.access.may_receive(user, &message.topic))
            .filter(|message| {
                !message.has_expired(self.now) || rules.breaks(rule!("v5.0/MQTT-3.3.2-5"))
            })
            .map(Arc::clone)
            .collect();
        for message in messages {
            let Some(left) = budget.checked_sub(message.size()) else {
                return;
            };
            *budget = left;
            let retain = rules.must(
                rule!(
                    "v3.1/V31-2.1-4",
                    "v3.1.1/MQTT-3.3.1-8",
                    "v5.0/U50-3.3.1.3-2"
                ),
                true,
                false,
            );
            let lower: QoS = message.qos.min(subscription.maximum_qos);
            let delivery = Delivery {
                qos: rules.must(
                    rule!("v3.1.1/MQTT-3.8.4-6", "v5.0/MQTT-3.8.4-8"),
                    lower,
                    message.qos.max(subscription.maximum_qos),
                ),
                message,
                retain,
                identifiers: subscription.identifier.into_iter().collect(),
                share: None,
            };
            self.deliver(key, delivery);
        }
    }
}

/// The code by which SUBACK tells that a subscription was not made.
fn failure(rules: &Rules, refusal: Refusal, asked: QoS) -> ReasonCode {
    let as_granted = ReasonCode(asked.value());
    match rules.version() {
        // SUBACK of 3.1 has no failure: a client that may not subscribe is told that it has.
        Version::V3_1 => {
            let rule = rule!("v3.1/V31-3.8-4", "v3.1/V31-3.9-1");
            rules.must(rule, as_granted, ReasonCode::FAILURE)
        }
        Version::V3_1_1 => rules.must(
            rule!("v3.1.1/MQTT-3.8.4-5"),
            ReasonCode::FAILURE,
            as_granted,
        ),
        Version::V5_0 => rules.must(rule!("v5.0/MQTT-3.8.4-7"), refusal.reason, as_granted),
    }
}

/// Refuses a malformed Topic Filter. 5.0 would also let SUBACK tell it (0x8F); closing the connection is what
/// both versions have.
fn check_filter(rules: &Rules, filter: codec::Text<'_>) -> Result<(), Refusal> {
    let parsed = if rules.is_v5() {
        TopicFilter::parse(filter)
    } else {
        TopicFilter::parse_plain(filter)
    };
    let Err(invalid) = parsed else {
        return Ok(());
    };
    let rule = match invalid {
        InvalidTopicFilter::Empty => rule!("v3.1.1/MQTT-4.7.3-1", "v5.0/MQTT-4.7.3-1"),
        InvalidTopicFilter::MultiLevelWildcard => {
            rule!("v3.1/V31-A-1", "v3.1.1/MQTT-4.7.1-2", "v5.0/MQTT-4.7.1-1")
        }
        InvalidTopicFilter::SingleLevelWildcard => {
            rule!("v3.1/V31-A-1", "v3.1.1/MQTT-4.7.1-3", "v5.0/MQTT-4.7.1-2")
        }
        InvalidTopicFilter::ShareNameEmpty => rule!("v5.0/MQTT-4.8.2-1"),
        InvalidTopicFilter::ShareNameWildcard | InvalidTopicFilter::ShareWithoutFilter => {
            rule!("v5.0/MQTT-4.8.2-2")
        }
    };
    rules.refuse_if(true, rule, ReasonCode::TOPIC_FILTER_INVALID)
}
