//! A core, and the clients that try to bring it down.

use std::time::Duration;

use broker::Config;
use broker::core::{Action, ConnectionId, Core, Event};
use codec::draft::{Draft, Value};
use codec::{PacketType, Version};

pub(crate) struct Driver {
    pub(crate) core: Core,
    pub(crate) now: Duration,
    opened: u64,
}

impl Driver {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            core: Core::new(config),
            now: Duration::ZERO,
            opened: 0,
        }
    }

    pub(crate) fn open(&mut self) -> ConnectionId {
        let connection = ConnectionId(self.opened);
        self.opened += 1;
        self.handle(Event::Opened { connection });
        connection
    }

    pub(crate) fn send(&mut self, connection: ConnectionId, bytes: &[u8]) -> Vec<Action> {
        self.handle(Event::Received { connection, bytes })
    }

    pub(crate) fn handle(&mut self, event: Event<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        self.core.handle(event, self.now, &mut actions);
        actions
    }

    /// A client that knows nothing of the others connects, subscribes, and gets its own message.
    pub(crate) fn serves_a_witness(&mut self) {
        let witness = self.open();
        let mut bytes = b"\x10\x13\x00\x04MQTT\x04\x02\x00\x00\x00\x07witness".to_vec();
        bytes.extend(b"\x82\x0c\x00\x01\x00\x07witness\x00");
        bytes.extend(b"\x30\x0b\x00\x07witnessok");
        let answers: Vec<u8> = self
            .send(witness, &bytes)
            .into_iter()
            .filter_map(|action| match action {
                Action::Send { connection, bytes } if connection == witness => Some(bytes),
                _ => None,
            })
            .flatten()
            .collect();
        let expected = b"\x20\x02\x00\x00\x90\x03\x00\x01\x00\x30\x0b\x00\x07witnessok";
        assert_eq!(answers, expected, "{answers:02x?}");
        self.handle(Event::Ended {
            connection: witness,
        });
    }
}

pub(crate) fn draft(
    packet_type: PacketType,
    version: Version,
    fields: &[(&str, Value)],
) -> Vec<u8> {
    let mut draft = Draft::new(packet_type, version);
    for (name, value) in fields {
        draft.set(name, value.clone()).unwrap();
    }
    draft.encode().unwrap()
}

pub(crate) fn connect(version: Version, client_id: &str) -> Vec<u8> {
    let client_id = Value::Text(client_id.into());
    draft(PacketType::Connect, version, &[("client_id", client_id)])
}
