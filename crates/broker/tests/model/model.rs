//! What a broker does, said as simply as can be: lists, maps, and matching one filter after the other.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

/// How many clients there are, named by number.
pub(crate) const CLIENTS: usize = 3;

const TOPICS: [&str; 4] = ["a", "a/b", "a/c", "$x/b"];
const FILTERS: [&str; 7] = ["a", "a/b", "a/+", "a/#", "#", "+/b", "$x/+"];

/// Something that a client does.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    /// Connects, with a Session that stays or without, and with this Receive Maximum.
    Connect {
        client: usize,
        clean: bool,
        keep: bool,
        window: usize,
    },
    /// Takes leave, or loses the connection.
    Leave {
        client: usize,
        orderly: bool,
    },
    Subscribe {
        client: usize,
        filter: &'static str,
        qos: u8,
    },
    Unsubscribe {
        client: usize,
        filter: &'static str,
    },
    /// Publishes; with QoS 2 the PUBLISH may be sent several times before it is released.
    Publish {
        client: usize,
        topic: &'static str,
        qos: u8,
        retain: bool,
        empty: bool,
        times: usize,
    },
    /// Answers the oldest message (or PUBREL) that it has not answered.
    Acknowledge {
        client: usize,
    },
    /// The broker fails, and starts again from what it persisted.
    Restart {
        from: From,
    },
}

/// What a broker starts again from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum From {
    /// Every change that there was.
    History,
    /// The changes that give the state that it has, and no more.
    Snapshot,
    /// A store that was written and is opened again.
    Store,
}

/// What a client receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Received {
    Message {
        topic: String,
        payload: String,
        qos: u8,
        retain: bool,
        dup: bool,
    },
    /// PUBREL for the message with this payload.
    Release { payload: String },
}

#[derive(Debug, Clone)]
struct Message {
    topic: &'static str,
    payload: String,
    qos: u8,
    retain: bool,
}

#[derive(Debug, Clone, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an answer to another question"
)]
struct Client {
    connected: bool,
    /// Whether there is a Session, and whether CONNACK has told of one.
    session: bool,
    present: bool,
    /// Whether the Session outlives the connection.
    keep: bool,
    window: usize,
    subscriptions: BTreeMap<&'static str, u8>,
    waiting: VecDeque<Message>,
    /// Sent and not answered: whether on this connection.
    in_flight: VecDeque<(Message, bool)>,
    released: VecDeque<String>,
    /// What it has received and not answered on this connection, in order: all PUBREL first to be asked for.
    received: Vec<Received>,
}

/// The broker.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    clients: [Client; CLIENTS],
    retained: BTreeMap<&'static str, Message>,
    published: usize,
}

impl Operation {
    pub(crate) fn any() -> BoxedStrategy<Self> {
        let client = || 0..CLIENTS;
        let filter = || prop::sample::select(&FILTERS[..]);
        let topic = prop::sample::select(&TOPICS[..]);
        prop_oneof![
            2 => (client(), any::<bool>(), any::<bool>(), 1..4_usize)
                .prop_map(|(client, clean, keep, window)| Self::Connect { client, clean, keep, window }),
            1 => (client(), any::<bool>()).prop_map(|(client, orderly)| Self::Leave { client, orderly }),
            3 => (client(), filter(), 0..3_u8)
                .prop_map(|(client, filter, qos)| Self::Subscribe { client, filter, qos }),
            1 => (client(), filter()).prop_map(|(client, filter)| Self::Unsubscribe { client, filter }),
            5 => (client(), topic, 0..3_u8, any::<bool>(), prop::bool::weighted(0.2), 1..3_usize).prop_map(
                |(client, topic, qos, retain, empty, times)| Self::Publish {
                    client, topic, qos, retain, empty, times,
                }
            ),
            4 => client().prop_map(|client| Self::Acknowledge { client }),
            1 => prop_oneof![
                // The disk takes its time.
                6 => Just(From::History),
                6 => Just(From::Snapshot),
                1 => Just(From::Store),
            ].prop_map(|from| Self::Restart { from }),
        ]
        .boxed()
    }
}

impl Model {
    pub(crate) fn allows(&self, operation: &Operation) -> bool {
        match *operation {
            Operation::Connect { .. } | Operation::Restart { .. } => true,
            Operation::Leave { client, .. }
            | Operation::Subscribe { client, .. }
            | Operation::Unsubscribe { client, .. }
            | Operation::Publish { client, .. } => self.clients[client].connected,
            Operation::Acknowledge { client } => {
                let client = &self.clients[client];
                client.connected && (client.sent().next().is_some() || !client.released.is_empty())
            }
        }
    }

    /// Whether the client's last CONNACK has told of a Session.
    pub(crate) fn session_present(&self, client: usize) -> bool {
        self.clients[client].present
    }

    /// What the client has received because of the last operation.
    pub(crate) fn received(&self, client: usize) -> &[Received] {
        &self.clients[client].received
    }

    pub(crate) fn perform(&mut self, operation: &Operation) {
        for client in &mut self.clients {
            client.received.clear();
        }
        match *operation {
            Operation::Connect {
                client,
                clean,
                keep,
                window,
            } => {
                self.clients[client].connect(clean, keep, window);
            }
            Operation::Leave { client, .. } => self.clients[client].leave(),
            Operation::Subscribe {
                client,
                filter,
                qos,
            } => self.subscribe(client, filter, qos),
            Operation::Unsubscribe { client, filter } => {
                self.clients[client].subscriptions.remove(filter);
            }
            Operation::Publish {
                topic,
                qos,
                retain,
                empty,
                times,
                ..
            } => {
                // QoS 2 is received once, however often it is sent; the others are new each time.
                for _ in 0..if qos == 2 { 1 } else { times } {
                    self.published += 1;
                    let payload = if empty {
                        String::new()
                    } else {
                        self.published.to_string()
                    };
                    self.publish(&Message {
                        topic,
                        payload,
                        qos,
                        retain,
                    });
                }
            }
            Operation::Acknowledge { client } => self.clients[client].acknowledge(),
            Operation::Restart { .. } => self.clients.iter_mut().for_each(Client::leave),
        }
    }

    fn subscribe(&mut self, client: usize, filter: &'static str, qos: u8) {
        let client = &mut self.clients[client];
        client.subscriptions.insert(filter, qos);
        for message in self
            .retained
            .values()
            .filter(|message| matches(filter, message.topic))
        {
            let qos = message.qos.min(qos);
            client.deliver(Message {
                qos,
                retain: true,
                ..message.clone()
            });
        }
    }

    fn publish(&mut self, message: &Message) {
        if message.retain {
            if message.payload.is_empty() {
                self.retained.remove(message.topic);
            } else {
                self.retained.insert(message.topic, message.clone());
            }
        }
        for client in &mut self.clients {
            let granted = client
                .subscriptions
                .iter()
                .filter(|(filter, _)| matches(filter, message.topic))
                .map(|(_, &qos)| qos)
                .max();
            if let Some(granted) = granted {
                let qos = message.qos.min(granted);
                client.deliver(Message {
                    qos,
                    retain: false,
                    ..message.clone()
                });
            }
        }
    }
}

impl Client {
    fn sent(&self) -> impl Iterator<Item = &Message> {
        self.in_flight
            .iter()
            .filter(|(_, sent)| *sent)
            .map(|(message, _)| message)
    }

    fn connect(&mut self, clean: bool, keep: bool, window: usize) {
        if self.connected {
            self.leave();
        }
        if clean {
            *self = Self::default();
        }
        self.present = self.session;
        self.session = true;
        self.connected = true;
        self.keep = keep;
        self.window = window;
        for payload in self.released.clone() {
            self.received.push(Received::Release { payload });
        }
        self.send();
    }

    fn leave(&mut self) {
        if !self.connected {
            return;
        }
        if self.keep {
            self.connected = false;
            for (_, sent) in &mut self.in_flight {
                *sent = false;
            }
        } else {
            *self = Self {
                present: self.present,
                ..Self::default()
            };
        }
    }

    fn deliver(&mut self, message: Message) {
        if message.qos > 0 {
            self.waiting.push_back(message);
            self.send();
        } else if self.connected {
            self.receive(&message, false);
        }
    }

    /// Sends what the window has room for: what was sent before first.
    fn send(&mut self) {
        while self.connected && self.sent().count() + self.released.len() < self.window {
            if let Some(at) = self.in_flight.iter().position(|(_, sent)| !sent) {
                self.in_flight[at].1 = true;
                self.receive(&self.in_flight[at].0.clone(), true);
            } else if let Some(message) = self.waiting.pop_front() {
                self.receive(&message, false);
                self.in_flight.push_back((message, true));
            } else {
                return;
            }
        }
    }

    fn receive(&mut self, message: &Message, dup: bool) {
        self.received.push(Received::Message {
            topic: message.topic.into(),
            payload: message.payload.clone(),
            qos: message.qos,
            retain: message.retain,
            dup,
        });
    }

    /// Answers the oldest PUBREL, or else the oldest message of this connection.
    fn acknowledge(&mut self) {
        if self.released.pop_front().is_none()
            && let Some(at) = self.in_flight.iter().position(|(_, sent)| *sent)
            && let Some((message, _)) = self.in_flight.remove(at)
            && message.qos == 2
        {
            self.received.push(Received::Release {
                payload: message.payload.clone(),
            });
            self.released.push_back(message.payload);
        }
        self.send();
    }
}

fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && !filter.starts_with('$') {
        return false;
    }
    let (filter, topic): (Vec<_>, Vec<_>) =
        (filter.split('/').collect(), topic.split('/').collect());
    match filter.iter().position(|level| *level == "#") {
        Some(at) => topic.len() >= at && same(&filter[..at], &topic[..at]),
        None => filter.len() == topic.len() && same(&filter, &topic),
    }
}

fn same(filter: &[&str], topic: &[&str]) -> bool {
    filter
        .iter()
        .zip(topic)
        .all(|(level, name)| level == name || *level == "+")
}
