//! The retained messages that a new subscription brings (sections 3.3.1.3 and 3.8.4).

use std::sync::Arc;

use codec::{QoS, ReasonCode, RetainHandling};

use super::message::Message;
use super::outgoing::Delivery;
use super::session::SessionKey;
use super::subscriptions::Subscription;
use super::{Core, Refusal, topic};
use crate::rules::{Rules, rule};

/// A subscription that a SUBSCRIBE has made or replaced, and that brings retained messages.
pub(super) struct Made {
    pub(super) subscription: Subscription,
    /// The retained messages that it brings.
    pub(super) retained: Vec<Arc<Message>>,
}

/// How much the retained messages may be that one SUBSCRIBE brings, beside what waits for its client already.
#[derive(Debug, Default)]
pub(super) struct Room {
    messages: usize,
    bytes: usize,
}

impl Core {
    pub(super) fn room_for_retained(&self, key: SessionKey) -> Room {
        let limits = &self.config.limits;
        let Some(session) = self.sessions.get(key) else {
            return Room::default();
        };
        let waiting = session.outgoing.waiting.len();
        let may_wait = limits.queued_messages.saturating_sub(waiting);
        Room {
            messages: may_wait + self.room_in_flight(session),
            bytes: limits
                .queued_bytes
                .saturating_sub(session.outgoing.bytes_held()),
        }
    }

    /// The retained messages that match a filter, and that the client may receive.
    pub(super) fn retained_for(
        &mut self,
        rules: &Rules,
        key: SessionKey,
        filter: &[u8],
    ) -> Vec<Arc<Message>> {
        let hides = topic::starts_with_wildcard(filter)
            && rules.keeps(rule!("v3.1.1/MQTT-4.7.2-1", "v5.0/MQTT-4.7.2-1"));
        let (permitted, withheld): (Vec<_>, Vec<_>) = self
            .retained
            .matching(filter)
            .filter(|message| !(hides && message.topic.starts_with(b"$")))
            .filter(|message| {
                !message.has_expired(self.now) || rules.breaks(rule!("v5.0/MQTT-3.3.2-5"))
            })
            .map(Arc::clone)
            .partition(|message| self.may_receive(key, message));
        for message in &withheld {
            self.note_withheld(key, message);
        }
        permitted
    }

    /// Sends the retained messages that a subscription brings (section 3.3.1.3).
    pub(super) fn send_retained(&mut self, rules: &Rules, key: SessionKey, made: Made) {
        let subscription = made.subscription;
        for message in made.retained {
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

/// Whether a subscription brings the retained messages that match it (5.0 section 3.3.1.3). A Shared Subscription
/// brings none (section 4.8.2).
///
/// With No Local a client is sent what it has retained itself, too. Section 3.8.3.1 forbids only to *forward* messages to
/// their publisher, and tells what is forwarded from the retained messages that are sent when a subscription is made;
/// these Retain Handling alone directs (section 3.3.1.3), and where it says so they must be sent (section 3.8.4). A client
/// that wants none of them has Retain Handling 2. Mosquitto sends them as well.
pub(super) fn sends_retained(
    rules: &Rules,
    subscription: Subscription,
    handling: RetainHandling,
    new: bool,
) -> bool {
    match handling {
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
    }
}

/// Takes the room that retained messages need. Where there is none for all of them, the subscription is refused
/// rather than served in part.
pub(super) fn take_room(
    rules: &Rules,
    room: &mut Room,
    retained: &[Arc<Message>],
    maximum_qos: QoS,
) -> Result<(), Refusal> {
    let queued = |message: &&Arc<Message>| message.qos.min(maximum_qos).is_acknowledged();
    let messages = retained.iter().filter(queued).count();
    let bytes = retained.iter().map(|message| message.size()).sum::<usize>();
    if let Some(messages) = room.messages.checked_sub(messages)
        && let Some(bytes) = room.bytes.checked_sub(bytes)
    {
        *room = Room { messages, bytes };
        return Ok(());
    }
    let answered = rule!("v3.1.1/MQTT-3.8.4-5", "v5.0/MQTT-3.8.4-7");
    let clause = answered.clauses(rules.version())[0];
    let refusal = Refusal::new(clause, ReasonCode::QUOTA_EXCEEDED);
    Err(refusal.because("more retained messages match than may wait for one client"))
}
