//! What one client can make the broker hold is bounded.

use broker::Config;
use broker::core::{Action, Event};
use codec::draft::{Draft, Value};
use codec::{PacketType, Version};

use crate::driver::{Driver, connect, draft};

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
fn the_queue_of_an_absent_client_is_bounded() {
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
    for number in 1..1000 {
        // QoS 1, ten bytes with its topic.
        let actions = driver.send(publisher, b"\x32\x0e\x00\x01t\x00\x07123456789");
        assert!(matches!(&actions[..], [Action::Send { bytes, .. }] if bytes[0] == 0x40));
        // There is room for two. With the third the Session ends, rather than lose it in silence.
        let census = driver.core.census();
        assert_eq!(census.messages, if number < 3 { number } else { 0 });
        assert_eq!(census.sessions, if number < 3 { 2 } else { 1 });
    }
    let back = driver.open();
    let actions = driver.send(back, &connect_a);
    let [Action::Send { bytes, .. }] = &actions[..] else {
        panic!("{actions:?}");
    };
    // No Session is present.
    assert_eq!(bytes, &[0x20, 2, 0, 0]);
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
    let (mut sent, mut closed) = (0, 0);
    for _ in 0..1000 {
        for action in driver.send(publisher, &publish) {
            match action {
                Action::Send { connection, bytes } if connection == mute => sent += bytes.len(),
                Action::Close { connection, .. } => {
                    assert_eq!(connection, mute);
                    closed += 1;
                }
                _ => {}
            }
        }
        assert!(driver.core.census().messages < (1 << 20) / 65_536 + 1);
    }
    assert!(sent > 1 << 19, "{sent}");
    assert!(sent < (1 << 20) + 1000, "{sent}");
    assert_eq!(closed, 1);
    driver.serves_a_witness();
}

/// Each connection brings a part of a packet within the limits of one; together they go beyond what is kept.
#[test]
fn bodies_that_never_end_are_kept_up_to_a_limit() {
    let mut config = Config::default();
    config.limits.all_partial_bytes = 1 << 20;
    let mut driver = Driver::new(config);
    let mut begun = b"\x10\x80\x80\x04".to_vec();
    begun.resize(60_000, 0);
    let mut open = 0;
    for _ in 0..1000 {
        let connection = driver.open();
        match &driver.send(connection, &begun)[..] {
            [] => open += 1,
            [Action::Close { .. }] => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(open, (1 << 20) / 60_000);
    driver.serves_a_witness();
}

#[test]
fn topics_of_65_000_levels_are_refused() {
    let mut driver = Driver::new(Config::default());
    let connection = driver.open();
    driver.send(connection, &connect(Version::V5_0, "a"));
    for (qos, retain) in [(0, true), (1, false), (2, true)] {
        let publish = draft(
            PacketType::Publish,
            Version::V5_0,
            &[
                ("topic", Value::Text(vec![b'/'; 65_400])),
                ("qos", Value::Number(qos)),
                ("retain", Value::Flag(retain)),
                ("payload", Value::Binary(b"x".to_vec())),
            ],
        );
        for _ in 0..100 {
            let actions = driver.send(connection, &publish);
            assert_eq!(actions.len(), usize::from(qos > 0), "{actions:?}");
        }
    }
    assert!(driver.core.snapshot().is_empty());
    driver.serves_a_witness();
}
