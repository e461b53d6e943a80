//! What has brought brokers down leaves this one serving its other clients: random and mutated bytes on several
//! connections, and the triggers of published defects. A witness is served after each.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use broker::Config;
use broker::core::{Action, ConnectionId, Core, Event};
use codec::draft::{Draft, Value};
use codec::{PacketType, Version};
use proptest::prelude::*;

struct Driver {
    core: Core,
    now: Duration,
    opened: u64,
}

impl Driver {
    fn new(config: Config) -> Self {
        Self {
            core: Core::new(config),
            now: Duration::ZERO,
            opened: 0,
        }
    }

    fn open(&mut self) -> ConnectionId {
        let connection = ConnectionId(self.opened);
        self.opened += 1;
        self.handle(Event::Opened { connection });
        connection
    }

    fn send(&mut self, connection: ConnectionId, bytes: &[u8]) -> Vec<Action> {
        self.handle(Event::Received { connection, bytes })
    }

    fn handle(&mut self, event: Event<'_>) -> Vec<Action> {
        let mut actions = Vec::new();
        self.core.handle(event, self.now, &mut actions);
        actions
    }

    /// A client that knows nothing of the others connects, subscribes, and gets its own message.
    fn serves_a_witness(&mut self) {
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

fn draft(packet_type: PacketType, version: Version, fields: &[(&str, Value)]) -> Vec<u8> {
    let mut draft = Draft::new(packet_type, version);
    for (name, value) in fields {
        draft.set(name, value.clone()).unwrap();
    }
    draft.encode().unwrap()
}

fn connect(version: Version, client_id: &str) -> Vec<u8> {
    let client_id = Value::Text(client_id.into());
    draft(PacketType::Connect, version, &[("client_id", client_id)])
}

/// Packets to begin with: each type in each version, with fields of the drafts' own choice.
fn packets() -> impl Strategy<Value = Vec<u8>> {
    let sound = (
        prop::sample::select(&PacketType::ALL[..]),
        prop::sample::select(&Version::ALL[..]),
        0..3_u8,
        any::<bool>(),
    )
        .prop_map(|(packet_type, version, qos, retain)| {
            let mut draft = Draft::new(packet_type, version);
            // Fields that the packet does not have are passed over.
            let _ = draft.set("qos", Value::Number(qos.into()));
            let _ = draft.set("retain", Value::Flag(retain));
            let _ = draft.set("client_id", Value::Text(vec![b'a' + qos]));
            let _ = draft.set("topic", Value::Text(b"t".to_vec()));
            draft.encode().unwrap_or_default()
        });
    prop_oneof![
        4 => sound,
        1 => prop::collection::vec(any::<u8>(), 0..64),
    ]
}

#[derive(Debug, Clone)]
enum Step {
    Send(usize, Vec<u8>),
    Flip(usize, Vec<u8>, prop::sample::Index, u8),
    Cut(usize, Vec<u8>, prop::sample::Index),
    End(usize),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || 0..4_usize;
    let step = prop_oneof![
        6 => (who(), packets()).prop_map(|(who, bytes)| Step::Send(who, bytes)),
        2 => (who(), packets(), any::<prop::sample::Index>(), any::<u8>())
            .prop_map(|(who, bytes, at, value)| Step::Flip(who, bytes, at, value)),
        1 => (who(), packets(), any::<prop::sample::Index>())
            .prop_map(|(who, bytes, at)| Step::Cut(who, bytes, at)),
        1 => who().prop_map(Step::End),
        1 => (0..100_u64).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..80)
}

fn perform(driver: &mut Driver, steps: Vec<Step>) {
    let mut connections: [_; 4] = std::array::from_fn(|_| driver.open());
    let version = |number: usize| Version::ALL[number % 3];
    for (number, &connection) in connections.iter().enumerate() {
        driver.send(connection, &connect(version(number), &number.to_string()));
    }
    for step in steps {
        match step {
            Step::Send(who, bytes) => {
                driver.send(connections[who], &bytes);
            }
            Step::Flip(who, mut bytes, at, value) => {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] ^= value;
                }
                driver.send(connections[who], &bytes);
            }
            Step::Cut(who, bytes, at) => {
                let at = at.index(bytes.len() + 1);
                driver.send(connections[who], &bytes[..at]);
            }
            Step::End(who) => {
                let connection = connections[who];
                driver.handle(Event::Ended { connection });
                connections[who] = driver.open();
                driver.send(connections[who], &connect(version(who), &who.to_string()));
            }
            Step::Wait(seconds) => {
                driver.now += Duration::from_secs(seconds);
                driver.handle(Event::TimePassed);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_bring_it_down(steps in steps()) {
        let mut driver = Driver::new(Config::default());
        perform(&mut driver, steps);
        driver.serves_a_witness();
    }

    /// What is read leniently because a rule is broken brings it down no more, whichever rule it is.
    #[test]
    fn no_bytes_bring_it_down_with_every_rule_broken(steps in steps()) {
        let broken = clauses::all().filter(|clause| clause.standard() != clauses::Standard::Sn1_2);
        let mut driver = Driver::new(Config::breaking(broken));
        perform(&mut driver, steps);
    }
}

#[test]
fn huge_lengths_without_a_body_hold_no_memory_and_no_connection() {
    let mut driver = Driver::new(Config::default());
    for first in [0x10, 0x30, 0x20, 0xF0] {
        for _ in 0..1000 {
            let connection = driver.open();
            let actions = driver.send(connection, &[first, 0xFF, 0xFF, 0xFF, 0x7F]);
            assert!(matches!(actions[..], [Action::Close { .. }]), "{actions:?}");
        }
    }
    driver.serves_a_witness();
}

#[test]
fn packets_of_servers_before_connect_close_the_connection() {
    let mut driver = Driver::new(Config::default());
    for bytes in [
        &b"\x20\x02\x00\x00"[..],
        b"\xB0\x02\x00\x01",
        b"\x40\x02\x00\x01",
        b"\x29\x02\x00\x01",
    ] {
        let connection = driver.open();
        let actions = driver.send(connection, bytes);
        assert!(matches!(actions[..], [Action::Close { .. }]), "{actions:?}");
    }
    driver.serves_a_witness();
}

#[test]
fn a_filter_of_65_000_slashes_is_refused_and_costs_nothing() {
    let mut driver = Driver::new(Config::default());
    let connection = driver.open();
    driver.send(connection, &connect(Version::V5_0, "a"));
    let mut filter = Draft::new(PacketType::Subscribe, Version::V5_0);
    let spec = codec::draft::fields(PacketType::Subscribe)
        .iter()
        .find_map(|spec| match spec.kind {
            codec::draft::Kind::Records(fields) => fields.iter().find(|spec| spec.name == "filter"),
            _ => None,
        })
        .unwrap();
    let mut record = codec::draft::Record::new();
    record.set(spec, Value::Text(vec![b'/'; 65_400]));
    filter.set("filters", Value::Filters(vec![record])).unwrap();
    for _ in 0..100 {
        let actions = driver.send(connection, &filter.encode().unwrap());
        let [Action::Send { bytes, .. }] = &actions[..] else {
            panic!("{actions:?}");
        };
        assert_eq!(bytes.last(), Some(&0x97));
    }
    driver.serves_a_witness();
}

#[test]
fn reconnects_with_one_client_identifier_leave_one_session() {
    let mut driver = Driver::new(Config::default());
    for number in 0..2000 {
        let connection = driver.open();
        let version = Version::ALL[number % 3];
        driver.send(connection, &connect(version, "storm"));
        driver.send(connection, b"\x82\x06\x00\x01\x00\x01t\x00");
        driver.send(connection, b"\x30\x03\x00\x01t");
    }
    driver.serves_a_witness();
}

#[test]
fn a_message_sent_again_and_again_is_one() {
    let mut driver = Driver::new(Config::default());
    let connection = driver.open();
    driver.send(connection, &connect(Version::V3_1_1, "a"));
    for _ in 0..10_000 {
        let actions = driver.send(connection, b"\x34\x05\x00\x01t\x00\x07");
        let expected = Action::Send {
            connection,
            bytes: vec![0x50, 2, 0, 7],
        };
        assert_eq!(actions, [expected]);
    }
    driver.serves_a_witness();
}

#[test]
fn an_absent_client_has_a_bounded_queue() {
    let mut config = Config::default();
    config.limits.queued_messages = 10;
    config.limits.queued_bytes = 25;
    let mut driver = Driver::new(config);
    let keep = [
        ("clean", Value::Flag(false)),
        ("client_id", Value::Text(b"a".to_vec())),
    ];
    let connect_a = draft(PacketType::Connect, Version::V3_1_1, &keep);
    let absent = driver.open();
    driver.send(absent, &connect_a);
    driver.send(absent, b"\x82\x06\x00\x01\x00\x01t\x01");
    driver.handle(Event::Ended { connection: absent });
    let publisher = driver.open();
    driver.send(publisher, &connect(Version::V3_1_1, "p"));
    for _ in 0..1000 {
        // QoS 1, ten bytes with its topic.
        let actions = driver.send(publisher, b"\x32\x0e\x00\x01t\x00\x07123456789");
        assert!(matches!(&actions[..], [Action::Send { bytes, .. }] if bytes[0] == 0x40));
    }
    let back = driver.open();
    let actions = driver.send(back, &connect_a);
    let [Action::Send { bytes, .. }] = &actions[..] else {
        panic!("{actions:?}");
    };
    // CONNACK, and the two messages that had room.
    assert_eq!(bytes.len(), 4 + 2 * 16);
    driver.serves_a_witness();
}

#[test]
fn a_client_that_never_acknowledges_holds_a_bounded_amount() {
    let mut config = Config::default();
    config.limits.queued_bytes = 1 << 20;
    let mut driver = Driver::new(config);
    let mute = driver.open();
    driver.send(mute, &connect(Version::V3_1_1, "a"));
    driver.send(mute, b"\x82\x06\x00\x01\x00\x01t\x02");
    let publisher = driver.open();
    driver.send(publisher, &connect(Version::V3_1_1, "p"));
    // QoS 1, 65,541 bytes.
    let mut publish = b"\x32\x82\x80\x04\x00\x01t\x00\x07".to_vec();
    publish.resize(4 + 65_538, b'x');
    let mut sent = 0;
    for _ in 0..1000 {
        for action in driver.send(publisher, &publish) {
            if let Action::Send { connection, bytes } = action
                && connection == mute
            {
                sent += bytes.len();
            }
        }
    }
    assert!(sent > 1 << 19, "{sent}");
    assert!(sent < (1 << 20) + 1000, "{sent}");
    driver.serves_a_witness();
}
