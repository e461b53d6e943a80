//! Clients that speak packets with a core, for the operations of the model.

use std::cell::Cell;
use std::collections::VecDeque;
use std::time::Duration;

use broker::core::{Action, ConnectionId, Core, Event, Persist};
use broker::{Config, Store};
use clauses::ClauseId;
use codec::{
    Connect, Direction, Disconnect, Packet, Properties, PropertiesBuf, PropertyId, Puback, Pubcomp,
    Publish, Pubrec, Pubrel, QoS, ReasonCode, Split, Subscribe, SubscriptionOptions,
    SubscriptionsBuf, Text, TopicFiltersBuf, Unsubscribe, Version,
};

use tempfile::TempDir;

use crate::model::{CLIENTS, From, Operation, Received};

const VERSION: Version = Version::V5_0;

thread_local! {
    /// A clause that the cores of this thread disobey.
    pub(crate) static BROKEN: Cell<Option<ClauseId>> = const { Cell::new(None) };
}

fn config() -> Config {
    Config {
        persistent: true,
        ..Config::breaking(BROKEN.get())
    }
}

/// A store that is written when it is wanted.
struct Disk {
    directory: TempDir,
    written: usize,
}

impl Disk {
    /// Writes what came since the last time; what the store then holds when it is opened again.
    fn reopened(&mut self, history: &[Persist]) -> Vec<Persist> {
        let mut store = Store::open(self.directory.path()).expect("a sound store");
        store.commit(&history[self.written..]).expect("a disk");
        self.written = history.len();
        drop(store);
        let mut store = Store::open(self.directory.path()).expect("a sound store");
        store.take_restored().0
    }
}

/// A core and its clients.
pub(crate) struct Driver {
    core: Core,
    store: Disk,
    persisted: Vec<Persist>,
    opened: u64,
    published: usize,
    clients: [Client; CLIENTS],
}

#[derive(Default)]
struct Client {
    connection: Option<ConnectionId>,
    session_present: bool,
    /// Packet Identifier, QoS and payload of what it has to answer.
    messages: VecDeque<(u16, u8, String)>,
    released: VecDeque<u16>,
    /// The payloads of QoS 2 messages by Packet Identifier, to tell a PUBREL's.
    payloads: Vec<(u16, String)>,
    received: Vec<Received>,
    answers: Vec<String>,
}

impl Driver {
    pub(crate) fn new() -> Self {
        Self {
            core: Core::new(config()),
            store: Disk {
                directory: tempfile::tempdir().expect("a directory"),
                written: 0,
            },
            persisted: Vec::new(),
            opened: 0,
            published: 0,
            clients: Default::default(),
        }
    }

    pub(crate) fn received(&self, client: usize) -> &[Received] {
        &self.clients[client].received
    }

    pub(crate) fn session_present(&self, client: usize) -> bool {
        self.clients[client].session_present
    }

    pub(crate) fn perform(&mut self, operation: &Operation) {
        for client in &mut self.clients {
            client.received.clear();
            client.answers.clear();
        }
        match *operation {
            Operation::Connect {
                client,
                clean,
                keep,
                window,
            } => self.connect(client, clean, keep, window),
            Operation::Leave { client, orderly } => self.leave(client, orderly),
            Operation::Subscribe {
                client,
                filter,
                qos,
            } => {
                let mut filters = SubscriptionsBuf::new();
                filters.push(filter, SubscriptionOptions::with_qos(QoS::from_bits(qos)));
                self.send(
                    client,
                    &Packet::Subscribe(Subscribe {
                        packet_id: 1,
                        properties: Properties::EMPTY,
                        filters: filters.as_subscriptions(),
                    }),
                );
                self.expect(client, "SUBACK 1");
            }
            Operation::Unsubscribe { client, filter } => {
                let mut filters = TopicFiltersBuf::new();
                filters.push(filter);
                self.send(
                    client,
                    &Packet::Unsubscribe(Unsubscribe {
                        packet_id: 1,
                        properties: Properties::EMPTY,
                        filters: filters.as_filters(),
                    }),
                );
                self.expect(client, "UNSUBACK 1");
            }
            Operation::Publish {
                client,
                topic,
                qos,
                retain,
                empty,
                times,
            } => {
                self.publish(client, topic, qos, retain, empty, times);
            }
            Operation::Acknowledge { client } => self.acknowledge(client),
            Operation::Restart { from } => self.restart(from),
        }
        for client in &self.clients {
            assert!(client.answers.is_empty(), "unexpected {:?}", client.answers);
        }
    }

    fn restart(&mut self, from: From) {
        let changes = match from {
            From::History => self.persisted.clone(),
            From::Snapshot => self.core.snapshot(),
            From::Store => self.store.reopened(&self.persisted),
        };
        self.core = Core::restore(config(), changes, Duration::ZERO);
        for client in &mut self.clients {
            client.connection = None;
        }
    }

    fn connect(&mut self, client: usize, clean: bool, keep: bool, window: usize) {
        let connection = ConnectionId(self.opened);
        self.opened += 1;
        let payloads = std::mem::take(&mut self.clients[client].payloads);
        let old = self.clients[client].connection;
        self.clients[client] = Client {
            connection: Some(connection),
            payloads,
            ..Client::default()
        };
        let mut properties = PropertiesBuf::new();
        if keep {
            properties.four_byte_integer(PropertyId::SessionExpiryInterval, u32::MAX);
        }
        properties.two_byte_integer(
            PropertyId::ReceiveMaximum,
            u16::try_from(window).expect("a small window"),
        );
        let client_id = client.to_string();
        self.handle(Event::Opened { connection }, old);
        let connect = Packet::Connect(Connect {
            protocol_name: Text::from("MQTT"),
            protocol_version: 5,
            clean_start: clean,
            reserved_flag: false,
            keep_alive: 0,
            properties: properties.as_properties(),
            client_id: Text::from(&*client_id),
            will: None,
            user_name: None,
            password: None,
        });
        let mut bytes = Vec::new();
        codec::encode(&connect, VERSION, &mut bytes).expect("a sound CONNECT");
        self.handle(
            Event::Received {
                connection,
                bytes: &bytes,
            },
            old,
        );
        self.expect(client, "CONNACK");
    }

    fn publish(
        &mut self,
        client: usize,
        topic: &str,
        qos: u8,
        retain: bool,
        empty: bool,
        times: usize,
    ) {
        for time in 0..times {
            if qos < 2 || time == 0 {
                self.published += 1;
            }
            let payload = if empty {
                String::new()
            } else {
                self.published.to_string()
            };
            self.send(
                client,
                &Packet::Publish(Publish {
                    dup: qos == 2 && time > 0,
                    qos: QoS::from_bits(qos),
                    retain,
                    topic: Text::from(topic),
                    packet_id: (qos > 0).then_some(7),
                    properties: Properties::EMPTY,
                    payload: payload.as_bytes(),
                }),
            );
            match qos {
                0 => {}
                1 => self.expect(client, "PUBACK 7"),
                _ => self.expect(client, "PUBREC 7"),
            }
        }
        if qos == 2 {
            self.send(
                client,
                &Packet::Pubrel(Pubrel {
                    packet_id: 7,
                    reason_code: ReasonCode::SUCCESS,
                    properties: Properties::EMPTY,
                }),
            );
            self.expect(client, "PUBCOMP 7");
        }
    }

    fn leave(&mut self, client: usize, orderly: bool) {
        if orderly {
            self.send(client, &Packet::Disconnect(Disconnect::default()));
        } else if let Some(connection) = self.clients[client].connection {
            self.handle(Event::Ended { connection }, None);
        }
        self.clients[client].connection = None;
    }

    /// Answers the oldest PUBREL, or else the oldest message.
    fn acknowledge(&mut self, client: usize) {
        let properties = Properties::EMPTY;
        let reason_code = ReasonCode::SUCCESS;
        if let Some(packet_id) = self.clients[client].released.pop_front() {
            self.clients[client]
                .payloads
                .retain(|(id, _)| *id != packet_id);
            self.send(
                client,
                &Packet::Pubcomp(Pubcomp {
                    packet_id,
                    reason_code,
                    properties,
                }),
            );
            return;
        }
        let Some((packet_id, qos, payload)) = self.clients[client].messages.pop_front() else {
            panic!("client {client} has nothing to answer");
        };
        if qos == 1 {
            self.send(
                client,
                &Packet::Puback(Puback {
                    packet_id,
                    reason_code,
                    properties,
                }),
            );
        } else {
            self.clients[client].payloads.push((packet_id, payload));
            self.send(
                client,
                &Packet::Pubrec(Pubrec {
                    packet_id,
                    reason_code,
                    properties,
                }),
            );
        }
    }

    fn send(&mut self, client: usize, packet: &Packet<'_>) {
        let connection = self.clients[client].connection.expect("a connected client");
        let mut bytes = Vec::new();
        codec::encode(packet, VERSION, &mut bytes).expect("a sound packet");
        self.handle(
            Event::Received {
                connection,
                bytes: &bytes,
            },
            None,
        );
    }

    fn expect(&mut self, client: usize, answer: &str) {
        let answers = &mut self.clients[client].answers;
        assert_eq!(
            answers.first().map(String::as_str),
            Some(answer),
            "of client {client}"
        );
        answers.remove(0);
    }

    /// `replaced` is a connection whose client has just opened another.
    fn handle(&mut self, event: Event<'_>, replaced: Option<ConnectionId>) {
        let mut actions = Vec::new();
        self.core.handle(event, Duration::ZERO, &mut actions);
        for action in actions {
            match action {
                Action::Send { connection, bytes } if Some(connection) != replaced => {
                    let client = self
                        .clients
                        .iter_mut()
                        .find(|client| client.connection == Some(connection));
                    client.expect("an open connection").read(&bytes);
                }
                Action::Persist(change) => self.persisted.push(change),
                Action::Send { .. } | Action::Close { .. } => {}
            }
        }
    }
}

impl Client {
    fn read(&mut self, mut bytes: &[u8]) {
        while let Ok(Split::Complete { frame, rest }) =
            codec::split(bytes, VERSION, Direction::ToClient, usize::MAX)
        {
            bytes = rest;
            let packet =
                codec::decode(frame, VERSION, Direction::ToClient).expect("a sound packet");
            match packet {
                Packet::Publish(publish) => self.read_publish(&publish),
                Packet::Pubrel(pubrel) => {
                    let known = self.payloads.iter().find(|(id, _)| *id == pubrel.packet_id);
                    let (_, payload) = known.expect("a message that was taken over");
                    self.received.push(Received::Release {
                        payload: payload.clone(),
                    });
                    self.released.push_back(pubrel.packet_id);
                }
                Packet::Connack(connack) => {
                    self.session_present = connack.session_present;
                    if !connack.session_present {
                        self.payloads.clear();
                    }
                    self.answers.push("CONNACK".into());
                }
                Packet::Suback(suback) => self.answers.push(format!("SUBACK {}", suback.packet_id)),
                Packet::Unsuback(unsuback) => self
                    .answers
                    .push(format!("UNSUBACK {}", unsuback.packet_id)),
                Packet::Puback(puback) => self.answers.push(format!("PUBACK {}", puback.packet_id)),
                Packet::Pubrec(pubrec) => self.answers.push(format!("PUBREC {}", pubrec.packet_id)),
                Packet::Pubcomp(pubcomp) => {
                    self.answers.push(format!("PUBCOMP {}", pubcomp.packet_id));
                }
                other => panic!("unexpected {other:?}"),
            }
        }
        assert!(bytes.is_empty(), "part of a packet");
    }

    fn read_publish(&mut self, publish: &Publish<'_>) {
        let payload = String::from_utf8_lossy(publish.payload).into_owned();
        let qos = publish.qos.value();
        if let Some(packet_id) = publish.packet_id {
            let in_use = self.messages.iter().any(|(id, ..)| *id == packet_id)
                || self.released.contains(&packet_id);
            assert!(!in_use, "Packet Identifier {packet_id} is in use");
            self.messages.push_back((packet_id, qos, payload.clone()));
        }
        self.received.push(Received::Message {
            topic: String::from_utf8_lossy(publish.topic.as_bytes()).into_owned(),
            payload,
            qos,
            retain: publish.retain,
            dup: publish.dup,
        });
    }
}
