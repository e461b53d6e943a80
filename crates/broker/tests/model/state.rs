//! What must outlive a broker, taken from the model and from what the core would write down: both must be the same.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use broker::core::{Message, Persist, SessionChange};

use crate::session::{Session, Time};

/// Retained messages and Sessions.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Payload by topic.
    pub(crate) retained: BTreeMap<String, String>,
    /// By client.
    pub(crate) sessions: BTreeMap<usize, Kept>,
}

/// What is kept of a Session.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    /// QoS, No Local, Retain As Published and Subscription Identifier by filter.
    subscriptions: BTreeMap<String, (u8, bool, bool, Option<u32>)>,
    /// The payloads of what is in flight, then of what waits, in their order.
    outgoing: Vec<String>,
    /// How many messages the client has taken over and not completed.
    released: usize,
    /// The client's own QoS 2 messages that it has not released.
    incoming: BTreeSet<u16>,
    will: Option<String>,
}

pub(crate) fn of(session: &Session, now: Time) -> Kept {
    let will = session.will.as_ref().map(|(_, payload)| payload.clone());
    if !session.kept {
        return Kept {
            will,
            ..Kept::default()
        };
    }
    let waiting = session.waiting.iter();
    let waiting = waiting.filter(|message| !message.has_expired(now));
    let in_flight = session.in_flight.iter().map(|(message, _)| message);
    Kept {
        subscriptions: session
            .subscriptions
            .iter()
            .map(|(filter, it)| {
                let options = (it.qos, it.no_local, it.retain_as_published, it.identifier);
                ((*filter).to_owned(), options)
            })
            .collect(),
        outgoing: in_flight
            .chain(waiting)
            .map(|message| message.payload.clone())
            .collect(),
        released: session.released.len(),
        incoming: session.incoming.clone(),
        will,
    }
}

/// What the changes say that the core would write down now.
pub(crate) fn written(snapshot: &[Persist], now: Duration) -> State {
    let mut state = State::default();
    for change in snapshot {
        match change {
            Persist::Retained(message) if !has_expired(message, now) => {
                let topic = text(&message.topic);
                state.retained.insert(topic, text(&message.payload));
            }
            Persist::Session { client_id, change } => {
                let client = text(client_id).parse().expect("the number of a client");
                apply(state.sessions.entry(client).or_default(), change, now);
            }
            Persist::Retained(_) | Persist::RetainedRemoved { .. } => {}
        }
    }
    state
}

fn apply(kept: &mut Kept, change: &SessionChange, now: Duration) {
    match change {
        SessionChange::Subscribed {
            filter,
            subscription: it,
        } => {
            let qos = it.maximum_qos.value();
            let options = (qos, it.no_local, it.retain_as_published, it.identifier);
            kept.subscriptions.insert(text(filter), options);
        }
        // Whether one of these has been sent is told behind it; what was sent does not expire.
        SessionChange::Queued(delivery) => {
            let expired = has_expired(&delivery.message, now);
            let mark = if expired { EXPIRED } else { "" };
            kept.outgoing
                .push(format!("{mark}{}", text(&delivery.message.payload)));
        }
        SessionChange::Sent { .. } => {
            if let Some(last) = kept.outgoing.last_mut()
                && let Some(payload) = last.strip_prefix(EXPIRED)
            {
                *last = payload.to_owned();
            }
        }
        SessionChange::Released { .. } => kept.released += 1,
        SessionChange::Received { packet_id } => {
            kept.incoming.insert(*packet_id);
        }
        SessionChange::Will(will) => {
            kept.will = will.as_ref().map(|will| text(&will.message.payload));
        }
        _ => {}
    }
}

const EXPIRED: &str = "expired ";

impl State {
    /// Without what has expired and was never sent.
    pub(crate) fn living(mut self) -> Self {
        for kept in self.sessions.values_mut() {
            kept.outgoing
                .retain(|payload| !payload.starts_with(EXPIRED));
        }
        self
    }
}

fn has_expired(message: &Message, now: Duration) -> bool {
    message
        .expiry_interval
        .is_some_and(|seconds| now >= message.received + Duration::from_secs(seconds.into()))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
