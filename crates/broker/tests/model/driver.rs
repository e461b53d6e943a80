//! The operations, performed on a core.

use std::cell::Cell;
use std::time::Duration;

use broker::core::{Action, ConnectionId, Core, Event, Persist};
use broker::{Config, Store};
use clauses::ClauseId;
use codec::{
    Connect, Disconnect, Packet, Properties, PropertiesBuf, PropertyId, Puback, Pubcomp, Publish,
    Pubrec, Pubrel, QoS, ReasonCode, RetainHandling, Subscribe, SubscriptionOptions,
    SubscriptionsBuf, Text, TopicFiltersBuf, Unsubscribe, Version,
};
use tempfile::TempDir;

use crate::broker::{RECEIVE_MAXIMUM, lasts};
use crate::client::{Answer, Client};
use crate::operation::{self, CLIENTS, From, IN_FLIGHT, Leave, Operation, Options};
use crate::session::Received;
use crate::state::{self, State};

thread_local! {
    /// A clause that the cores of this thread disobey.
    pub(crate) static BROKEN: Cell<Option<ClauseId>> = const { Cell::new(None) };
}

fn config() -> Config {
    let mut config = Config {
        persistent: true,
        ..Config::breaking(BROKEN.get())
    };
    config.limits.in_flight = u16::try_from(IN_FLIGHT).expect("a small number");
    config.limits.receive_maximum = u16::try_from(RECEIVE_MAXIMUM).expect("a small number");
    config
}

/// A core and its clients.
pub(crate) struct Driver {
    core: Core,
    now: Duration,
    disk: TempDir,
    /// What was persisted and is not on the disk yet.
    unwritten: Vec<Persist>,
    /// What was persisted since the last start, behind what that began with.
    history: Vec<Persist>,
    opened: u64,
    published: usize,
    clients: [Client; CLIENTS],
}

impl Driver {
    pub(crate) fn new() -> Self {
        Self {
            core: Core::new(config()),
            now: Duration::ZERO,
            disk: tempfile::tempdir().expect("a directory"),
            unwritten: Vec::new(),
            history: Vec::new(),
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

    pub(crate) fn is_connected(&self, client: usize) -> bool {
        self.clients[client].connection.is_some()
    }

    /// What the core would write down.
    pub(crate) fn state(&self) -> State {
        state::written(&self.core.snapshot(), self.now).living()
    }

    pub(crate) fn perform(&mut self, operation: &Operation) {
        for client in &mut self.clients {
            client.received.clear();
        }
        // No two operations happen at the same instant.
        self.pass(self.now + Duration::from_millis(1));
        match *operation {
            Operation::Connect(connect) => self.connect(&connect),
            Operation::Wait { seconds } => {
                self.pass(self.now + Duration::from_secs(seconds.into()));
            }
            Operation::Restart { from } => self.restart(from),
            Operation::Leave { client, .. }
            | Operation::Subscribe { client, .. }
            | Operation::Unsubscribe { client, .. }
            | Operation::Publish(operation::Publish { client, .. })
            | Operation::Release { client, .. }
            | Operation::Acknowledge { client, .. }
                if !self.is_connected(client) => {}
            Operation::Leave { client, how } => self.leave(client, how),
            Operation::Subscribe {
                client,
                filter,
                options,
            } => self.subscribe(client, filter, options),
            Operation::Unsubscribe { client, filter } => {
                let mut filters = TopicFiltersBuf::new();
                filters.push(filter);
                let packet = Packet::Unsubscribe(Unsubscribe {
                    packet_id: 1,
                    properties: Properties::EMPTY,
                    filters: filters.as_filters(),
                });
                self.ask(client, &packet, "UNSUBACK 1");
            }
            Operation::Publish(publish) => self.publish(&publish),
            Operation::Release { client, packet_id } => {
                let packet = Packet::Pubrel(Pubrel {
                    packet_id,
                    reason_code: ReasonCode::SUCCESS,
                    properties: Properties::EMPTY,
                });
                self.ask(client, &packet, &format!("PUBCOMP {packet_id}"));
            }
            Operation::Acknowledge {
                client,
                pubrel_first,
            } => self.acknowledge(client, pubrel_first),
        }
        for client in &self.clients {
            assert!(client.answers.is_empty(), "unexpected {:?}", client.answers);
        }
    }

    /// Lets time pass, and wakes the core whenever it wants to be woken.
    fn pass(&mut self, until: Duration) {
        while let Some(at) = self.core.next_deadline().filter(|&at| at <= until) {
            self.now = self.now.max(at);
            self.handle(Event::TimePassed);
        }
        self.now = until;
    }

    fn connect(&mut self, connect: &operation::Connect) {
        let client = connect.client;
        let version = if connect.is_v5 {
            Version::V5_0
        } else {
            Version::V3_1_1
        };
        let mut properties = PropertiesBuf::new();
        let mut of_will = PropertiesBuf::new();
        if connect.is_v5 {
            let expiry = lasts(client, connect.expiry).unwrap_or(u32::MAX);
            properties.four_byte_integer(PropertyId::SessionExpiryInterval, expiry);
            let maximum = u16::try_from(connect.receive_maximum).expect("a small number");
            properties.two_byte_integer(PropertyId::ReceiveMaximum, maximum);
            if let Some(will) = connect.will {
                of_will.four_byte_integer(PropertyId::WillDelayInterval, will.delay);
            }
        }
        self.published += 1;
        let payload = self.published.to_string();
        let client_id = client.to_string();
        let packet = Packet::Connect(Connect {
            protocol_name: Text::from("MQTT"),
            protocol_version: version.level(),
            clean_start: connect.clean,
            reserved_flag: false,
            keep_alive: 0,
            properties: properties.as_properties(),
            client_id: Text::from(&*client_id),
            will: connect.will.map(|will| codec::Will {
                topic: Text::from(will.topic),
                payload: payload.as_bytes(),
                qos: QoS::from_bits(will.qos),
                retain: will.retain,
                properties: of_will.as_properties(),
            }),
            user_name: None,
            password: None,
        });
        let connection = ConnectionId(self.opened);
        self.opened += 1;
        self.clients[client].opens(connection, version);
        self.handle(Event::Opened { connection });
        self.ask(client, &packet, "CONNACK");
    }

    fn leave(&mut self, client: usize, how: Leave) {
        let is_v5 = self.clients[client].version == Version::V5_0;
        let mut forgets = PropertiesBuf::new();
        forgets.four_byte_integer(PropertyId::SessionExpiryInterval, 0);
        let disconnect = match how {
            Leave::WithWill if is_v5 => Some(Disconnect {
                reason_code: ReasonCode::DISCONNECT_WITH_WILL_MESSAGE,
                properties: Properties::EMPTY,
            }),
            Leave::WithWill | Leave::Lost => None,
            Leave::Forgetting if is_v5 => Some(Disconnect {
                properties: forgets.as_properties(),
                ..Disconnect::default()
            }),
            Leave::Orderly | Leave::Forgetting => Some(Disconnect::default()),
        };
        match (disconnect, self.clients[client].connection) {
            // The core closes the connection.
            (Some(disconnect), _) => self.send(client, &Packet::Disconnect(disconnect)),
            (None, Some(connection)) => {
                self.handle(Event::Ended { connection });
                self.clients[client].connection = None;
            }
            (None, None) => {}
        }
    }

    fn subscribe(&mut self, client: usize, filter: &str, asked: Options) {
        let is_v5 = self.clients[client].version == Version::V5_0;
        let mut options = SubscriptionOptions::with_qos(QoS::from_bits(asked.qos));
        let mut properties = PropertiesBuf::new();
        if is_v5 {
            options = options
                .no_local(asked.no_local && !filter.starts_with("$share/"))
                .retain_as_published(asked.retain_as_published)
                .retain_handling(handling(asked.retain_handling));
            if let Some(identifier) = asked.identifier {
                properties.subscription_identifier(identifier);
            }
        }
        let mut filters = SubscriptionsBuf::new();
        filters.push(filter, options);
        let packet = Packet::Subscribe(Subscribe {
            packet_id: 1,
            properties: properties.as_properties(),
            filters: filters.as_subscriptions(),
        });
        self.ask(client, &packet, &format!("SUBACK 1 [{}]", asked.qos));
    }

    fn publish(&mut self, publish: &operation::Publish) {
        self.published += 1;
        let client = publish.client;
        let payload = if publish.empty {
            String::new()
        } else {
            self.published.to_string()
        };
        let mut properties = PropertiesBuf::new();
        if let Some(expiry) = publish.expiry
            && self.clients[client].version == Version::V5_0
        {
            properties.four_byte_integer(PropertyId::MessageExpiryInterval, expiry);
        }
        let packet_id = match publish.qos {
            0 => None,
            1 => Some(1),
            _ => Some(publish.packet_id),
        };
        self.send(
            client,
            &Packet::Publish(Publish {
                dup: false,
                qos: QoS::from_bits(publish.qos),
                retain: publish.retain,
                topic: Text::from(publish.topic),
                packet_id,
                properties: properties.as_properties(),
                payload: payload.as_bytes(),
            }),
        );
        match packet_id {
            // The core has closed a connection with too many messages in flight.
            Some(_) if !self.is_connected(client) => {}
            Some(1) => self.clients[client].expect("PUBACK 1"),
            Some(id) => self.clients[client].expect(&format!("PUBREC {id}")),
            None => {}
        }
    }

    /// Answers the oldest PUBREL or the oldest message.
    fn acknowledge(&mut self, client: usize, pubrel_first: bool) {
        let properties = Properties::EMPTY;
        let reason_code = ReasonCode::SUCCESS;
        let packet = match self.clients[client].answers_next(pubrel_first) {
            None => return,
            Some(Answer::Pubcomp(packet_id)) => Packet::Pubcomp(Pubcomp {
                packet_id,
                reason_code,
                properties,
            }),
            Some(Answer::Puback(packet_id)) => Packet::Puback(Puback {
                packet_id,
                reason_code,
                properties,
            }),
            Some(Answer::Pubrec(packet_id)) => Packet::Pubrec(Pubrec {
                packet_id,
                reason_code,
                properties,
            }),
        };
        self.send(client, &packet);
    }

    fn restart(&mut self, from: From) {
        match from {
            From::History => {}
            From::Snapshot => self.history = self.core.snapshot(),
            From::Store => self.history = self.write_and_read(),
        }
        for client in &mut self.clients {
            client.connection = None;
        }
        self.core = Core::restore(config(), self.history.clone(), self.now);
        self.handle(Event::TimePassed);
    }

    /// Writes to the disk what was not written yet; what the disk has then.
    fn write_and_read(&mut self) -> Vec<Persist> {
        let open = || Store::open(self.disk.path()).expect("a sound store");
        let mut store = open();
        store.commit(&self.unwritten).expect("a disk");
        self.unwritten.clear();
        drop(store);
        open().take_restored().0
    }

    fn ask(&mut self, client: usize, packet: &Packet<'_>, answer: &str) {
        self.send(client, packet);
        self.clients[client].expect(answer);
    }

    fn send(&mut self, client: usize, packet: &Packet<'_>) {
        let connection = self.clients[client].connection.expect("a connected client");
        let mut bytes = Vec::new();
        codec::encode(packet, self.clients[client].version, &mut bytes).expect("a sound packet");
        self.handle(Event::Received {
            connection,
            bytes: &bytes,
        });
    }

    fn handle(&mut self, event: Event<'_>) {
        let mut actions = Vec::new();
        self.core.handle(event, self.now, &mut actions);
        for action in actions {
            match action {
                Action::Send { connection, bytes } => {
                    // What a connection is sent that was taken over, nobody reads.
                    if let Some(client) = self.client(connection) {
                        client.read(&bytes);
                    }
                }
                Action::Close { connection, .. } => {
                    if let Some(client) = self.client(connection) {
                        client.connection = None;
                    }
                }
                Action::Persist(change) => {
                    self.unwritten.push(change.clone());
                    self.history.push(change);
                }
                Action::Verify { .. } | Action::Note(_) => panic!("nobody asked for {action:?}"),
            }
        }
    }

    fn client(&mut self, connection: ConnectionId) -> Option<&mut Client> {
        let mut clients = self.clients.iter_mut();
        clients.find(|client| client.connection == Some(connection))
    }
}

fn handling(of_retained: u8) -> RetainHandling {
    match of_retained {
        0 => RetainHandling::SendAtSubscribe,
        1 => RetainHandling::SendIfNew,
        _ => RetainHandling::DoNotSend,
    }
}
