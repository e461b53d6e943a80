//! One client as the broker sees it: its Session and its connection.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::operation::{Connect, Expiry, IN_FLIGHT, Options, Will};

/// Milliseconds since the broker's start.
pub(crate) type Time = u64;

/// What a client receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Received {
    Message {
        topic: String,
        payload: String,
        qos: u8,
        retain: bool,
        dup: bool,
        /// What is left of the Message Expiry Interval, in seconds.
        expiry: Option<u32>,
        identifiers: Vec<u32>,
    },
    /// PUBREL for the message with this payload.
    Release { payload: String },
}

/// A message, published or on its way to one client.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) topic: &'static str,
    pub(crate) payload: String,
    pub(crate) qos: u8,
    pub(crate) retain: bool,
    pub(crate) expiry: Option<u32>,
    pub(crate) received: Time,
    pub(crate) publisher: usize,
    pub(crate) identifiers: Vec<u32>,
    /// The Shared Subscription that it came by, and the message as it was published.
    pub(crate) share: Option<(&'static str, Box<Self>)>,
}

impl Message {
    pub(crate) fn has_expired(&self, now: Time) -> bool {
        self.expiry
            .is_some_and(|seconds| now >= self.received + u64::from(seconds) * 1000)
    }

    fn remaining(&self, now: Time) -> Option<u32> {
        let waited = u32::try_from((now - self.received) / 1000).expect("a short test");
        self.expiry.map(|seconds| seconds.saturating_sub(waited))
    }
}

/// A client, connected or away.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) connected: bool,
    pub(crate) is_v5: bool,
    pub(crate) expiry: Expiry,
    /// Whether its state is persisted: it was to outlive a connection once.
    pub(crate) kept: bool,
    /// The order in which Sessions began.
    pub(crate) begun: u64,
    pub(crate) window: usize,
    pub(crate) subscriptions: BTreeMap<&'static str, Options>,
    pub(crate) waiting: VecDeque<Message>,
    /// Sent and not answered: whether on this connection.
    pub(crate) in_flight: VecDeque<(Message, bool)>,
    pub(crate) released: VecDeque<String>,
    /// The Packet Identifiers of its own QoS 2 messages that it has not released.
    pub(crate) incoming: BTreeSet<u16>,
    /// Those of the present connection.
    pub(crate) receiving: BTreeSet<u16>,
    pub(crate) will: Option<(Will, String)>,
    pub(crate) will_due: Option<Time>,
    pub(crate) expires: Option<Time>,
    /// What it has received because of the last operation.
    pub(crate) received: Vec<Received>,
}

impl Session {
    pub(crate) fn begin(begun: u64) -> Self {
        Self {
            connected: false,
            is_v5: true,
            expiry: Expiry::AtOnce,
            kept: false,
            begun,
            window: 0,
            subscriptions: BTreeMap::new(),
            waiting: VecDeque::new(),
            in_flight: VecDeque::new(),
            released: VecDeque::new(),
            incoming: BTreeSet::new(),
            receiving: BTreeSet::new(),
            will: None,
            will_due: None,
            expires: None,
            received: Vec::new(),
        }
    }

    /// The client is here, for the first time or again.
    pub(crate) fn connect(&mut self, connect: &Connect, will: Option<(Will, String)>) {
        self.connected = true;
        self.is_v5 = connect.is_v5;
        self.expiry = match (connect.is_v5, connect.clean) {
            (true, _) => connect.expiry,
            (false, true) => Expiry::AtOnce,
            (false, false) => Expiry::Never,
        };
        self.kept |= self.expiry != Expiry::AtOnce;
        self.window = if connect.is_v5 {
            connect.receive_maximum.min(IN_FLIGHT)
        } else {
            IN_FLIGHT
        };
        self.will = will;
        self.will_due = None;
        self.expires = None;
    }

    /// Goes on where the last connection has ended.
    pub(crate) fn resume(&mut self, now: Time) {
        for payload in self.released.clone() {
            self.received.push(Received::Release { payload });
        }
        self.send(now);
    }

    /// The connection is gone.
    pub(crate) fn interrupt(&mut self) {
        self.connected = false;
        self.receiving.clear();
        for (_, sent) in &mut self.in_flight {
            *sent = false;
        }
    }

    /// Whether a message would be sent at once.
    pub(crate) fn is_ready(&self) -> bool {
        self.connected
            && self.waiting.is_empty()
            && self.in_flight.len() + self.released.len() < self.window
    }

    pub(crate) fn deliver(&mut self, message: Message, now: Time) {
        if message.qos > 0 {
            self.waiting.push_back(message);
            self.send(now);
        } else if self.connected {
            self.receive(&message, false, now);
        }
    }

    /// Sends what the window has room for: what was sent before first.
    pub(crate) fn send(&mut self, now: Time) {
        while self.connected && self.sent().count() + self.released.len() < self.window {
            if let Some(at) = self.in_flight.iter().position(|(_, sent)| !sent) {
                self.in_flight[at].1 = true;
                self.receive(&self.in_flight[at].0.clone(), true, now);
            } else if let Some(message) = self.waiting.pop_front() {
                // It expires as long as it was never sent.
                if !message.has_expired(now) {
                    self.receive(&message, false, now);
                    self.in_flight.push_back((message, true));
                }
            } else {
                return;
            }
        }
    }

    /// Answers the oldest PUBREL or the oldest message of this connection.
    pub(crate) fn acknowledge(&mut self, pubrel_first: bool, now: Time) {
        let completed = pubrel_first && self.released.pop_front().is_some();
        let oldest = self.in_flight.iter().position(|(_, sent)| *sent);
        if let Some(at) = oldest.filter(|_| !completed) {
            let (message, _) = self.in_flight.remove(at).expect("there is one");
            if message.qos == 2 {
                self.received.push(Received::Release {
                    payload: message.payload.clone(),
                });
                self.released.push_back(message.payload);
            }
        } else if !completed {
            self.released.pop_front();
        }
        self.send(now);
    }

    fn sent(&self) -> impl Iterator<Item = &Message> {
        self.in_flight
            .iter()
            .filter(|(_, sent)| *sent)
            .map(|(message, _)| message)
    }

    fn receive(&mut self, message: &Message, dup: bool, now: Time) {
        let mut identifiers = message.identifiers.clone();
        identifiers.sort_unstable();
        self.received.push(Received::Message {
            topic: message.topic.into(),
            payload: message.payload.clone(),
            qos: message.qos,
            retain: message.retain,
            dup,
            expiry: message.remaining(now).filter(|_| self.is_v5),
            identifiers: if self.is_v5 { identifiers } else { Vec::new() },
        });
    }
}
