//! What a broker does, said as simply as can be: lists, maps, and matching one filter after the other.

use std::collections::BTreeMap;

use crate::operation::{CLIENTS, Connect, Expiry, Leave, Operation, Options, Publish};
use crate::routing::{Share, matches};
use crate::session::{Message, Received, Session, Time};
use crate::state::{self, State};

/// How many QoS 2 messages a client of 5.0 may have in flight to the broker.
pub(crate) const RECEIVE_MAXIMUM: usize = 1;

/// The broker.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) now: Time,
    pub(crate) sessions: [Option<Session>; CLIENTS],
    /// Whether the client's last CONNACK has told of a Session.
    present: [bool; CLIENTS],
    pub(crate) retained: BTreeMap<&'static str, Message>,
    pub(crate) shares: BTreeMap<&'static str, Share>,
    pub(crate) begun: u64,
    /// Counts what was published, to tell it apart.
    published: usize,
    /// What a client has received whose Session has ended in the same operation.
    last_words: [Vec<Received>; CLIENTS],
}

impl Model {
    /// What the client has received because of the last operation.
    pub(crate) fn received(&self, client: usize) -> Vec<Received> {
        let mut received = self.last_words[client].clone();
        if let Some(session) = &self.sessions[client] {
            received.extend(session.received.iter().cloned());
        }
        received
    }

    pub(crate) fn session_present(&self, client: usize) -> bool {
        self.present[client]
    }

    pub(crate) fn is_connected(&self, client: usize) -> bool {
        let session = self.sessions[client].as_ref();
        session.is_some_and(|session| session.connected)
    }

    /// What must outlive the broker.
    pub(crate) fn state(&self) -> State {
        let kept = self.sessions.iter().enumerate();
        let kept = kept.filter_map(|(client, session)| Some((client, session.as_ref()?)));
        State {
            retained: self
                .retained
                .iter()
                .filter(|(_, message)| !message.has_expired(self.now))
                .map(|(topic, message)| ((*topic).to_owned(), message.payload.clone()))
                .collect(),
            sessions: kept
                .filter(|(_, session)| session.kept || session.will.is_some())
                .map(|(client, session)| (client, state::of(session, self.now)))
                .collect(),
        }
    }

    pub(crate) fn perform(&mut self, operation: &Operation) {
        self.last_words = Default::default();
        for session in self.sessions.iter_mut().flatten() {
            session.received.clear();
        }
        // No two operations happen at the same instant.
        self.pass(self.now + 1);
        let now = self.now;
        match *operation {
            Operation::Connect(connect) => self.connect(&connect),
            Operation::Leave { client, how } if self.is_connected(client) => {
                self.leave(client, how);
            }
            Operation::Subscribe {
                client,
                filter,
                options,
            } if self.is_connected(client) => self.subscribe(client, filter, options),
            Operation::Unsubscribe { client, filter } if self.is_connected(client) => {
                if let Some(session) = &mut self.sessions[client] {
                    session.subscriptions.remove(filter);
                }
                self.leave_share(client, filter);
            }
            Operation::Publish(publish) if self.is_connected(publish.client) => {
                self.publish(&publish);
            }
            Operation::Release { client, packet_id } => {
                if let Some(session) = self.sessions[client].as_mut().filter(|it| it.connected) {
                    session.incoming.remove(&packet_id);
                    session.receiving.remove(&packet_id);
                }
            }
            Operation::Acknowledge {
                client,
                pubrel_first,
            } => {
                if let Some(session) = self.sessions[client].as_mut().filter(|it| it.connected) {
                    session.acknowledge(pubrel_first, now);
                }
            }
            Operation::Wait { seconds } => self.pass(now + u64::from(seconds) * 1000),
            Operation::Restart { from } => self.restart(from),
            // Whoever is not connected does nothing.
            Operation::Leave { .. }
            | Operation::Subscribe { .. }
            | Operation::Unsubscribe { .. }
            | Operation::Publish(_) => {}
        }
    }

    /// Lets what falls due happen, in its order.
    fn pass(&mut self, until: Time) {
        loop {
            let dues = self
                .sessions
                .iter()
                .enumerate()
                .filter_map(|(client, it)| {
                    let session = it.as_ref()?;
                    // A Will goes before its Session, if both are due.
                    let will = session.will_due.map(|at| (at, 0, client));
                    let end = session.expires.map(|at| (at, 1, client));
                    will.into_iter().chain(end).min()
                })
                .filter(|&(at, ..)| at <= until);
            let Some((at, what, client)) = dues.min() else {
                break;
            };
            self.now = self.now.max(at);
            if what == 0 {
                self.publish_will(client);
            } else {
                self.end(client);
            }
        }
        self.now = until;
    }

    fn connect(&mut self, connect: &Connect) {
        let client = connect.client;
        if self.is_connected(client) {
            self.lose(client);
            // The connection that is taken over is not looked at any more.
            self.last_words[client].clear();
            if let Some(session) = &mut self.sessions[client] {
                session.received.clear();
            }
        }
        if connect.clean {
            self.end(client);
            self.last_words[client].clear();
        }
        self.present[client] = self.sessions[client].is_some();
        self.published += 1;
        let will = connect.will.map(|mut will| {
            // 3.1.1 has no Will Delay Interval.
            will.delay = if connect.is_v5 { will.delay } else { 0 };
            (will, self.published.to_string())
        });
        let now = self.now;
        let session = self.sessions[client].get_or_insert_with(|| {
            self.begun += 1;
            Session::begin(self.begun)
        });
        session.connect(connect, will);
        session.resume(now);
    }

    fn leave(&mut self, client: usize, how: Leave) {
        let Some(session) = &mut self.sessions[client] else {
            return;
        };
        match (how, session.is_v5) {
            (Leave::Lost | Leave::WithWill, _) => {}
            (Leave::Orderly, _) | (Leave::Forgetting, false) => session.will = None,
            (Leave::Forgetting, true) => {
                session.will = None;
                session.expiry = Expiry::AtOnce;
            }
        }
        self.lose(client);
    }

    /// A connection ends: the Will falls due, and the expiry of the Session begins to count.
    pub(crate) fn lose(&mut self, client: usize) {
        let Some(session) = &mut self.sessions[client] else {
            return;
        };
        session.interrupt();
        self.left(client, self.now);
    }

    /// The client has left at this time: its Will falls due, then its Session.
    pub(crate) fn left(&mut self, client: usize, at: Time) {
        let Some(session) = &mut self.sessions[client] else {
            return;
        };
        let lasts = lasts(client, session.expiry);
        session.expires = lasts.map(|seconds| at + u64::from(seconds) * 1000);
        if let Some((will, _)) = session.will {
            let delay = will.delay.min(lasts.unwrap_or(u32::MAX));
            if delay > 0 {
                session.will_due = Some(at + u64::from(delay) * 1000);
            } else {
                self.publish_will(client);
            }
        }
        if lasts == Some(0) {
            self.end(client);
        }
    }

    fn publish_will(&mut self, client: usize) {
        let now = self.now;
        let Some(session) = &mut self.sessions[client] else {
            return;
        };
        session.will_due = None;
        if let Some((will, payload)) = session.will.take() {
            self.take(&Message {
                topic: will.topic,
                payload,
                qos: will.qos,
                retain: will.retain,
                expiry: None,
                received: now,
                publisher: client,
                identifiers: Vec::new(),
                share: None,
            });
        }
    }

    /// A Session ends. What its client shares with others goes to them, unless it may have received it already.
    pub(crate) fn end(&mut self, client: usize) {
        self.publish_will(client);
        let Some(mut ended) = self.sessions[client].take() else {
            return;
        };
        self.last_words[client].append(&mut ended.received);
        for filter in ended.subscriptions.keys() {
            self.leave_share(client, filter);
        }
        let in_flight = ended.in_flight.into_iter().map(|(message, _)| message);
        let again = in_flight.filter(|message| message.qos == 1);
        for message in again.chain(ended.waiting) {
            if let Some((filter, published)) = message.share {
                self.share(filter, &published);
            }
        }
    }

    fn subscribe(&mut self, client: usize, filter: &'static str, mut options: Options) {
        let now = self.now;
        let Some(session) = &mut self.sessions[client] else {
            return;
        };
        let shared = filter.starts_with("$share/");
        if !session.is_v5 {
            options = options.of_3_1_1();
        }
        options.no_local &= !shared;
        let old = session.subscriptions.insert(filter, options);
        let is_v5 = session.is_v5;
        if shared && is_v5 {
            self.shares.entry(filter).or_default().join(client);
            return;
        }
        // To 3.1.1 the same text asks for no Shared Subscription.
        self.leave_share(client, filter);
        let Some(session) = &mut self.sessions[client] else {
            return;
        };
        let sends = match options.retain_handling {
            0 => true,
            1 => old.is_none(),
            _ => false,
        };
        if !sends {
            return;
        }
        for message in self.retained.values() {
            if matches(filter, message.topic) && !message.has_expired(now) {
                session.deliver(
                    Message {
                        qos: message.qos.min(options.qos),
                        retain: true,
                        identifiers: options.identifier.into_iter().collect(),
                        ..message.clone()
                    },
                    now,
                );
            }
        }
    }

    fn publish(&mut self, publish: &Publish) {
        let client = publish.client;
        let Some(session) = &mut self.sessions[client] else {
            return;
        };
        self.published += 1;
        let id = publish.packet_id;
        let more = publish.qos == 1 || publish.qos == 2 && !session.receiving.contains(&id);
        if more && session.is_v5 && session.receiving.len() >= RECEIVE_MAXIMUM {
            return self.lose(client);
        }
        if publish.qos == 2 {
            session.receiving.insert(id);
            // Sent again and not released: it was passed on already.
            if !session.incoming.insert(id) {
                return;
            }
        }
        let payload = self.published.to_string();
        let message = Message {
            topic: publish.topic,
            payload: if publish.empty {
                String::new()
            } else {
                payload
            },
            qos: publish.qos,
            retain: publish.retain,
            expiry: publish.expiry.filter(|_| session.is_v5),
            received: self.now,
            publisher: client,
            identifiers: Vec::new(),
            share: None,
        };
        self.take(&message);
    }
}

impl Options {
    fn of_3_1_1(self) -> Self {
        Self {
            no_local: false,
            retain_as_published: false,
            retain_handling: 0,
            identifier: None,
            ..self
        }
    }
}

/// How many seconds a Session outlives its connection; none where it does not expire.
pub(crate) fn lasts(client: usize, expiry: Expiry) -> Option<u32> {
    match expiry {
        Expiry::AtOnce => Some(0),
        Expiry::Soon => Some(10 + u32::try_from(client).expect("a small number")),
        Expiry::Never => None,
    }
}
