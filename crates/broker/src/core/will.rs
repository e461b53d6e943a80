//! The Will Message (sections 3.1.2.5 and 3.1.3.2).

use std::sync::Arc;
use std::time::Duration;

use codec::Connect;

use super::deadlines::Deadline;
use super::message::Message;
use super::session::SessionKey;
use super::{Core, as_published};
use crate::rules::{Rules, rule};

/// A Will, kept with its Session until it is published or recalled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will {
    /// The message; it counts as received when it is published.
    pub message: Arc<Message>,
    /// The Will Delay Interval in seconds.
    pub delay: u32,
}

impl Core {
    /// Keeps the Will that CONNECT brought, if any.
    pub(super) fn keep_will(&mut self, rules: &Rules, key: SessionKey, connect: &Connect<'_>) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        session.will = None;
        let Some(will) = &connect.will else {
            // Without a Will Flag there is nothing to publish; a broker that breaks this makes something up.
            if rules.breaks(rule!("v3.1.1/MQTT-3.1.2-12")) {
                session.will = Some(Will {
                    message: Arc::new(Message {
                        topic: session.client_id.as_ref().into(),
                        payload: Box::default(),
                        qos: codec::QoS::AT_MOST_ONCE,
                        retain: false,
                        properties: Box::default(),
                        expiry_interval: None,
                        received: self.now,
                        publisher: None,
                    }),
                    delay: 0,
                });
            }
            return;
        };
        if rules.breaks(rule!("v3.1.1/MQTT-3.1.2-8", "v5.0/MQTT-3.1.2-7")) {
            return;
        }
        let retain = if will.retain {
            rules.must(
                rule!("v3.1.1/MQTT-3.1.2-17", "v5.0/MQTT-3.1.2-15"),
                true,
                false,
            )
        } else {
            rules.must(
                rule!("v3.1.1/MQTT-3.1.2-16", "v5.0/MQTT-3.1.2-14"),
                false,
                true,
            )
        };
        let mut properties = as_published::forwarded(rules, will.properties);
        if rules.breaks(rule!("v5.0/MQTT-3.1.3-10")) && rules.is_v5() {
            properties = as_published::with_user_properties_reversed(&properties);
        }
        session.will = Some(Will {
            message: Arc::new(Message {
                topic: will.topic.as_bytes().into(),
                payload: will.payload.into(),
                qos: will.qos,
                retain,
                properties,
                expiry_interval: will.properties.message_expiry_interval(),
                received: self.now,
                publisher: Some(Arc::clone(&session.client_id)),
            }),
            delay: will.properties.will_delay_interval().unwrap_or(0),
        });
        self.persist_will(key);
    }

    /// The connection has ended with the Will still there: it is published now, or after its delay.
    pub(super) fn will_falls_due(&mut self, key: SessionKey, rules: &Rules, expiry: u32) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        let Some(will) = &session.will else {
            return;
        };
        // The Session may end before the delay does, and the Will is published then.
        let delay = will.delay.min(expiry);
        if delay == 0 {
            if rules.keeps(rule!("v3.1.1/U311-3.1.2.5-1", "v5.0/U50-3.1.2.5-1")) {
                self.publish_will(key);
            } else {
                let late = self.now + Duration::from_hours(1);
                session.will_due = Some(late);
                self.deadlines.set(late, Deadline::Will(key));
            }
            return;
        }
        let due =
            self.now + Duration::from_secs(rules.must(rule!("v5.0/MQTT-3.1.2-8"), delay, 0).into());
        session.will_due = Some(due);
        self.deadlines.set(due, Deadline::Will(key));
    }

    /// The Will Delay Interval has passed without the client.
    pub(super) fn will_due(&mut self, key: SessionKey) {
        if let Some(session) = self.sessions.get_mut(key) {
            session.will_due = None;
            self.publish_will(key);
        }
    }

    /// Publishes the Will and removes it from the Session State.
    pub(super) fn publish_will(&mut self, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        if let Some(at) = session.will_due.take() {
            self.deadlines.clear(at, Deadline::Will(key));
        }
        let Some(will) = session.will.take() else {
            return;
        };
        let rules = session.rules.clone();
        if rules.breaks(rule!("v3.1.1/MQTT-3.1.2-10", "v5.0/MQTT-3.1.2-10")) {
            session.will = Some(will.clone());
        }
        let topic = &will.message.topic;
        let permitted = self
            .config
            .access
            .may_publish(session.user.as_deref(), topic)
            && !(topic.starts_with(b"$SYS/")
                && rules.keeps(rule!("v3.1.1/U311-4.7.2-1", "v5.0/U50-4.7.2-1")));
        self.persist_will(key);
        if !permitted {
            let because = "its client may not publish there";
            let rule = rule!("v3.1.1/MQTT-3.3.5-2", "v5.0/MQTT-3.1.4-2");
            self.note_dropped(key, &will.message, rule, because);
        }
        if permitted
            && rules.keeps(rule!(
                "v3.1/V31-2.2-6",
                "v3.1.1/MQTT-3.1.2-8",
                "v5.0/MQTT-3.1.2-8"
            ))
        {
            let message = Message {
                received: self.now,
                ..Message::clone(&will.message)
            };
            self.take_message(&rules, message);
        }
    }

    /// The client has left in good order: there will be no Will.
    pub(super) fn drop_will(&mut self, key: SessionKey) {
        if let Some(session) = self.sessions.get_mut(key)
            && session.rules.keeps(rule!(
                "v3.1/V31-2.2-6",
                "v3.1.1/MQTT-3.14.4-3",
                "v3.1.1/MQTT-3.1.2-10",
                "v5.0/MQTT-3.14.4-3",
                "v5.0/MQTT-3.1.2-10"
            ))
            && session.will.take().is_some()
        {
            self.persist_will(key);
        }
    }

    /// The client is back before its Will was published: it is not sent.
    pub(super) fn recall_will(&mut self, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(key) else {
            return;
        };
        if session.will_due.is_some() && session.rules.breaks(rule!("v5.0/MQTT-3.1.3-9")) {
            self.publish_will(key);
            return;
        }
        if let Some(at) = session.will_due.take() {
            self.deadlines.clear(at, Deadline::Will(key));
        }
        if session.will.take().is_some() {
            self.persist_will(key);
        }
    }
}
