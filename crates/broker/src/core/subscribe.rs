//! SUBSCRIBE and its SUBACK (sections 3.8 and 3.9).

use std::borrow::Cow;
use std::sync::Arc;

use codec::{
    InvalidTopicFilter, Packet, PacketType, QoS, ReasonCode, ReasonCodes, RetainHandling, Suback,
    Subscribe, TopicFilter, Version,
};
use smallvec::SmallVec;

use super::brought::{Made, Room, sends_retained, take_room};
use super::message::Message;
use super::persist::SessionChange;
use super::session::SessionKey;
use super::subscriptions::Subscription;
use super::topic::{self, Requested};
use super::{ConnectionId, Core, Refusal};
use crate::rules::{Rules, rule};

/// The Reason Codes of a SUBACK, one for each Topic Filter.
type Codes = SmallVec<[u8; 16]>;

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
        let mut codes = Codes::new();
        let mut made = Vec::new();
        let mut why = None;
        let mut room = self.room_for_retained(key);
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
            let filter = &*as_it_is_read(rules, filter);
            let subscription = Subscription {
                // Any QoS is granted: what the server cannot do shows in what is published.
                maximum_qos: options.qos(),
                no_local: rules.is_v5() && options.is_no_local(),
                retain_as_published: rules.is_v5() && options.is_retain_as_published(),
                identifier,
                shared,
            };
            // MQTT 3.1 leaves the bits beside the QoS unused, and forbids none of them.
            let handling = options.handling_of_retained().filter(|_| rules.is_v5());
            let handling = handling.unwrap_or_default();
            match self.grant(rules, key, filter, subscription, handling, &mut room) {
                Ok(retained) => {
                    codes.push(subscription.maximum_qos.value());
                    if !retained.is_empty() {
                        made.push(Made {
                            subscription,
                            retained,
                        });
                    }
                }
                Err(refusal) => {
                    codes.push(failure(rules, refusal, options.qos()).0);
                    self.note_refused(id, PacketType::Subscribe, refusal);
                    why = Some(refusal);
                }
            }
        }
        self.send_suback(id, rules, subscribe.packet_id, codes, why);
        for made in made {
            self.send_retained(rules, key, made);
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

    /// Makes or replaces a subscription; gives the retained messages that it brings.
    fn grant(
        &mut self,
        rules: &Rules,
        key: SessionKey,
        filter: &[u8],
        subscription: Subscription,
        handling: RetainHandling,
        room: &mut Room,
    ) -> Result<Vec<Arc<Message>>, Refusal> {
        let requested = subscription.requested(filter);
        self.check_permitted(rules, key, filter, requested, subscription.maximum_qos)?;
        let Some(session) = self.sessions.get(key) else {
            return Ok(Vec::new());
        };
        let new = !session.subscriptions.contains_key(filter);
        let retained = if sends_retained(rules, subscription, handling, new) {
            self.retained_for(rules, key, filter)
        } else {
            Vec::new()
        };
        take_room(rules, room, &retained, subscription.maximum_qos)?;
        let Some(session) = self.sessions.get_mut(key) else {
            return Ok(Vec::new());
        };
        // The identical filter replaces the subscription; a broker that breaks this keeps the old one.
        let replaces = new || rules.keeps(rule!("v3.1.1/MQTT-3.8.4-3", "v5.0/MQTT-3.8.4-3"));
        if replaces {
            let old = session
                .subscriptions
                .insert(SmallVec::from_slice(filter), subscription);
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
        Ok(retained)
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
        mut codes: Codes,
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

/// The Topic Filter as it stands. Where wildcards need not fill their levels in 3.1, they stand for them all the same.
fn as_it_is_read<'f>(rules: &Rules, filter: &'f [u8]) -> Cow<'f, [u8]> {
    if rules.version() != Version::V3_1
        || topic::is_filter(filter)
        || !rules.breaks(rule!("v3.1/V31-A-1"))
    {
        return Cow::Borrowed(filter);
    }
    let mut read: Vec<&[u8]> = Vec::new();
    for level in topic::levels(filter) {
        if level.contains(&b'#') {
            read.push(b"#");
            break;
        }
        read.push(if level.contains(&b'+') { b"+" } else { level });
    }
    Cow::Owned(read.join(&b'/'))
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
