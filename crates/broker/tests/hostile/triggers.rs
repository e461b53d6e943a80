//! The triggers of published defects, one after the other.

use std::time::Duration;

use broker::Config;
use broker::config::Permission;
use broker::core::{Action, Census, ConnectionId, Core, Event};
use codec::draft::{Draft, Value};
use codec::{PacketType, Version};

use crate::driver::{Driver, connect, draft};

fn connected(version: Version, client_id: &str) -> (Driver, ConnectionId) {
    let mut driver = Driver::new(Config::default());
    let connection = driver.open();
    driver.send(connection, &connect(version, client_id));
    (driver, connection)
}

/// What a connection was sent.
fn sent(actions: &[Action], to: ConnectionId) -> Vec<u8> {
    actions
        .iter()
        .filter_map(|action| match action {
            Action::Send { connection, bytes } if *connection == to => Some(bytes.clone()),
            _ => None,
        })
        .flatten()
        .collect()
}

fn is_closed(actions: &[Action]) -> bool {
    matches!(actions.last(), Some(Action::Close { .. }))
}

#[test]
fn text_that_is_no_utf_8_reaches_nobody() {
    let (mut driver, witness) = connected(Version::V3_1_1, "w");
    driver.send(witness, b"\x82\x06\x00\x01\x00\x01#\x00");
    for bytes in [
        &b"\x30\x04\x00\x02\xC3\x28"[..],
        b"\x30\x05\x00\x03\xED\xA0\x80",
    ] {
        for version in Version::ALL {
            let client = driver.open();
            driver.send(client, &connect(version, "c"));
            let actions = driver.send(client, bytes);
            assert!(is_closed(&actions), "{actions:?}");
            assert_eq!(sent(&actions, witness), b"");
        }
    }
    // In the Will Topic and the Client Identifier.
    for field in ["client_id", "topic"] {
        let mut packet = Draft::new(PacketType::Connect, Version::V3_1_1);
        let bad = Value::Text(b"\xC3\x28".to_vec());
        if packet.set(field, bad).is_ok() {
            let client = driver.open();
            assert!(is_closed(&driver.send(client, &packet.encode().unwrap())));
        }
    }
    driver.serves_a_witness();
}

/// Every type in every version, cut behind every byte of its body, with a Remaining Length that agrees; each of them
/// behind a CONNECT, and as a first packet. The broker holds nothing of them afterwards.
#[test]
fn every_packet_cut_anywhere_again_and_again() {
    let mut driver = Driver::new(Config::default());
    for version in Version::ALL {
        for packet_type in PacketType::ALL {
            let mut packet = Draft::new(packet_type, version);
            let _ = packet.set("qos", Value::Number(1));
            let _ = packet.set("topic", Value::Text(b"topic".to_vec()));
            let pair = (b"name".to_vec(), b"value".to_vec());
            let _ = packet.set("user_properties", Value::Pairs(vec![pair]));
            let Ok(bytes) = packet.encode() else {
                continue;
            };
            for end in 2..bytes.len() {
                let length = u8::try_from(end - 2).unwrap();
                let cut = [&[bytes[0], length], &bytes[2..end]].concat();
                for first in [true, false] {
                    let client = driver.open();
                    if !first {
                        driver.send(client, &connect(version, "cut"));
                    }
                    driver.send(client, &cut);
                    driver.handle(Event::Ended { connection: client });
                }
            }
        }
    }
    assert!(driver.core.snapshot().is_empty());
    driver.serves_a_witness();
}

#[test]
fn lengths_that_lie() {
    let mut driver = Driver::new(Config::default());
    let refused: [&[u8]; 6] = [
        // A Property Length that is longer than the packet, and one in five bytes.
        b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x20\x21\x00\x14\x00\x00",
        b"\x10\x12\x00\x04MQTT\x05\x02\x00\x3c\x80\x80\x80\x80\x01\x00\x00\x00",
        // A Client Identifier longer than the packet.
        b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\xff\xff",
        // CONNECTs that end behind the Keep Alive, with flags of a Will and of credentials.
        b"\x10\x0b\x00\x04MQTT\x04\x06\x00\x3c\x00",
        b"\x10\x0b\x00\x04MQTT\x04\x66\x00\x3c\x00",
        b"\x10\x0b\x00\x04MQTT\x04\xa6\x00\x3c\x00",
    ];
    for bytes in refused {
        let client = driver.open();
        assert!(is_closed(&driver.send(client, bytes)), "{bytes:02x?}");
    }
    // A PUBREL for nothing, and a DISCONNECT whose Property Length runs past its end.
    let client = driver.open();
    let bytes = b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x03\x21\x00\x14\x00\x00\x62\x02\xd3\x01\xe0\x02\x00\x20";
    assert!(is_closed(&driver.send(client, bytes)));
    let (mut driver, client) = connected(Version::V3_1_1, "a");
    assert!(is_closed(&driver.send(client, b"\x30\x07\xff\xffABCDE")));
    driver.serves_a_witness();
}

#[test]
fn topics_with_a_dollar() {
    let (mut driver, client) = connected(Version::V5_0, "a");
    // `#`, then `$test/test`, and a topic of the server's own.
    driver.send(client, b"\x82\x07\x00\x01\x00\x00\x01#\x00");
    let actions = driver.send(client, b"\x30\x0d\x00\x0a$test/test\x00");
    assert_eq!(actions, []);
    let actions = driver.send(client, b"\x32\x18\x00\x12$SYS/x/new/clients\x00\x01\x00b");
    let answer = sent(&actions, client);
    assert_eq!((answer[0], answer[4]), (0x40, 0x87), "{answer:02x?}");
    driver.serves_a_witness();
}

/// Client `a` may do everything, leaves a Session, a QoS 2 message that is not released, and a retained message; then
/// the topic is forbidden to everybody.
#[test]
fn withdrawn_permissions_hold_for_what_is_stored() {
    let (mut driver, a) = connected(Version::V3_1_1, "first");
    driver.handle(Event::Ended { connection: a });
    let keep = [
        ("clean", Value::Flag(false)),
        ("client_id", Value::Text(b"a".to_vec())),
    ];
    let connect_a = draft(PacketType::Connect, Version::V3_1_1, &keep);
    let a = driver.open();
    driver.send(a, &connect_a);
    driver.send(a, b"\x82\x0b\x00\x01\x00\x01t\x01\x00\x02$x\x01");
    driver.send(a, b"\x33\x06\x00\x01t\x00\x07x");
    let kept = driver.core.snapshot();

    let mut config = Config::default();
    config.access.permissions.push(Permission {
        user: None,
        filter: "t".into(),
        publish: false,
        subscribe: false,
    });
    let mut driver = Driver::new(config.clone());
    driver.core = Core::restore(config, kept, Duration::ZERO);
    let b = driver.open();
    driver.send(b, &connect(Version::V3_1_1, "b"));
    // Neither what is retained nor what is published, by whichever filter.
    let actions = driver.send(b, b"\x82\x06\x00\x01\x00\x01#\x01");
    assert_eq!(sent(&actions, b), b"\x90\x03\x00\x01\x01");
    let actions = driver.send(b, b"\x82\x06\x00\x02\x00\x01t\x01");
    assert_eq!(sent(&actions, b), b"\x90\x03\x00\x02\x80");
    // Nor what was on its way to the client when it was allowed.
    let a = driver.open();
    let actions = driver.send(a, &connect_a);
    assert_eq!(sent(&actions, a), b"\x20\x02\x01\x00");
    let actions = driver.send(b, b"\x32\x06\x00\x01t\x00\x07y");
    assert_eq!(sent(&actions, b), b"\x40\x02\x00\x07");
    assert_eq!(sent(&actions, a), b"");
    driver.serves_a_witness();
}

#[test]
fn wills_of_clients_that_are_cut_off() {
    let mut driver = Driver::new(Config::default());
    // Each kind of Will property as the first, and a Will Delay beyond the Session Expiry.
    let properties: [&[u8]; 5] = [
        b"\x03\x00\x01c",
        b"\x09\x00\x01c",
        b"\x01\x01",
        b"\x08\x00\x01r",
        b"\x18\xff\xff\xff\xff",
    ];
    for properties in properties {
        let length = u8::try_from(properties.len()).unwrap();
        let payload = [
            b"\x00\x01w",
            &[length][..],
            properties,
            b"\x00\x01t\x00\x01x",
        ]
        .concat();
        let mut bytes = vec![0x10, u8::try_from(16 + payload.len()).unwrap()];
        bytes.extend(b"\x00\x04MQTT\x05\x06\x00\x3c\x05\x11\x00\x00\x00\x01");
        bytes.extend(payload);
        for _ in 0..100 {
            let client = driver.open();
            let actions = driver.send(client, &bytes);
            assert_eq!(sent(&actions, client)[3], 0, "{actions:02x?}");
            driver.handle(Event::Ended { connection: client });
        }
    }
    driver.now += Duration::from_secs(2);
    driver.handle(Event::TimePassed);
    assert!(driver.core.snapshot().is_empty());
    driver.serves_a_witness();
}

#[test]
fn publish_without_a_topic() {
    // 3.1.1; 5.0 without an alias; 5.0 with one that was never given.
    for (version, bytes) in [
        (Version::V3_1_1, &b"\x30\x03\x00\x00x"[..]),
        (Version::V5_0, b"\x30\x04\x00\x00\x00x"),
        (Version::V5_0, b"\x30\x07\x00\x00\x03\x23\x00\x01x"),
        (Version::V5_0, b"\x32\x06\x00\x01t\x00\x00\x00"),
        (Version::V5_0, b"\x36\x06\x00\x01t\x00\x01\x00"),
    ] {
        let (mut driver, client) = connected(version, "a");
        let actions = driver.send(client, bytes);
        assert!(is_closed(&actions), "{actions:?}");
        driver.serves_a_witness();
    }
}

#[test]
fn thousands_of_properties_and_filters() {
    let mut driver = Driver::new(Config::default());
    let pairs = vec![(b"n".to_vec(), b"v".to_vec()); 20_000];
    let packet = [
        ("client_id", Value::Text(b"a".to_vec())),
        ("user_properties", Value::Pairs(pairs)),
    ];
    for _ in 0..10 {
        let client = driver.open();
        driver.send(client, &draft(PacketType::Connect, Version::V5_0, &packet));
    }
    // A SUBSCRIBE of as many filters as a Session may have, and as many again.
    let client = driver.open();
    driver.send(client, &connect(Version::V3_1_1, "b"));
    let mut body = vec![0, 1];
    for number in 0..20_000 {
        body.extend(format!("\x00\x05{number:05}\x00").as_bytes());
    }
    let length = body.len();
    let mut bytes = vec![0x82];
    for shift in [0, 7, 14] {
        let more = if shift < 14 { 0x80 } else { 0 };
        bytes.push(u8::try_from(length >> shift & 0x7F).unwrap() | more);
    }
    bytes.extend(body);
    let actions = driver.send(client, &bytes);
    let refused = sent(&actions, client)
        .iter()
        .filter(|code| matches!(code, 0x80))
        .count();
    assert!(refused >= 10_000, "{refused}");
    driver.serves_a_witness();
}

#[test]
fn subscriptions_that_overlap_and_go() {
    for version in [Version::V3_1_1, Version::V5_0] {
        let (mut driver, client) = connected(version, "a");
        let properties: &[u8] = if version == Version::V5_0 { b"\0" } else { b"" };
        let packet = |first: u8, body: &[&[u8]]| {
            let body = [&[b"\x00\x01", properties], body].concat().concat();
            [&[first, u8::try_from(body.len()).unwrap()], &body[..]].concat()
        };
        for round in 0..100 {
            driver.send(client, &packet(0x82, &[b"\x00\x08$share/g\x00"]));
            if version == Version::V5_0 {
                // `$share/g` without a filter is refused; the client is back.
                driver.handle(Event::Ended { connection: client });
            }
            let client = driver.open();
            driver.send(client, &connect(version, "a"));
            driver.send(client, &packet(0x82, &[b"\x00\x0b$share/g/aa\x00"]));
            driver.send(
                client,
                &packet(
                    0x82,
                    &[b"\x00\x02aa\x00", b"\x00\x01+\x00", b"\x00\x04aa/#\x00"],
                ),
            );
            driver.send(client, &packet(0xA2, &[b"\x00\x02aa"]));
            let publish: &[u8] = if version == Version::V5_0 {
                b"\x30\x06\x00\x02aa\x00x"
            } else {
                b"\x30\x05\x00\x02aax"
            };
            let actions = driver.send(client, publish);
            let copies = if version == Version::V5_0 { 2 } else { 1 };
            assert_eq!(
                sent(&actions, client),
                publish.repeat(copies),
                "in round {round}"
            );
        }
        driver.serves_a_witness();
    }
}

#[test]
fn connects_that_are_refused() {
    let refused: [(&[u8], &[u8]); 6] = [
        // Level 0xFF: told in the way of 3.1.1.
        (
            b"\x10\x14\x00\x04MQTT\xff\x02\x00\x3c\x00\x08badlevel",
            b"\x20\x02\x00\x01",
        ),
        // Flags of the fixed header.
        (b"\x1f\x0f\x00\x04MQTT\x04\x02\x00\x0a\x00\x03cid", b""),
        // Will Retain and Will QoS without a Will; QoS 3.
        (b"\x10\x0f\x00\x04MQTT\x04\x22\x00\x3c\x00\x03cid", b""),
        (b"\x10\x0f\x00\x04MQTT\x04\x0a\x00\x3c\x00\x03cid", b""),
        (
            b"\x10\x15\x00\x04MQTT\x04\x1e\x00\x3c\x00\x03cid\x00\x01t\x00\x01x",
            b"",
        ),
        // A Will Flag, and no Will.
        (b"\x10\x0f\x00\x04MQTT\x04\x06\x00\x3c\x00\x03cid", b""),
    ];
    let mut driver = Driver::new(Config::default());
    for (bytes, answer) in refused {
        let client = driver.open();
        let actions = driver.send(client, bytes);
        assert!(is_closed(&actions), "{bytes:02x?}");
        assert_eq!(sent(&actions, client), answer, "{bytes:02x?}");
    }
    // Request Response Information twice.
    let client = driver.open();
    let bytes = b"\x10\x14\x00\x04MQTT\x05\x02\x00\x3c\x04\x19\x01\x19\x01\x00\x03cid";
    assert!(is_closed(&driver.send(client, bytes)));
    // Nothing is left of them, though none of their links has ended.
    assert_eq!(driver.core.census(), Census::default());
    driver.serves_a_witness();
}

/// A packet that comes byte by byte is looked at once, and not at every byte.
#[test]
fn packets_in_pieces_cost_no_more_than_whole_ones() {
    let (mut driver, client) = connected(Version::V5_0, "a");
    driver.send(client, b"\x82\x07\x00\x01\x00\x00\x01t\x00");
    // Its properties announce as much as the packet has.
    let mut publish = b"\x30\x80\x80\x40\x00\x01t\xf9\xff\x3f".to_vec();
    publish.resize(4 + (1 << 20), 0x26);
    let (last, begun) = publish.split_last().unwrap();
    for byte in begun {
        let actions = driver.send(client, &[*byte]);
        assert_eq!(actions, []);
    }
    assert!(is_closed(&driver.send(client, &[*last])));
    // A thousand messages of 600 bytes, in pieces that keep to no border.
    let (mut driver, client) = connected(Version::V3_1_1, "a");
    driver.send(client, b"\x82\x06\x00\x01\x00\x01t\x00");
    let mut publish = b"\x30\xd5\x04\x00\x01t".to_vec();
    publish.resize(600, b'x');
    let stream = publish.repeat(1000);
    let received: Vec<u8> = stream
        .chunks(997)
        .flat_map(|piece| sent(&driver.send(client, piece), client))
        .collect();
    assert!(received == stream);
    driver.serves_a_witness();
}

#[test]
fn retained_messages_come_by_any_filter() {
    let (mut driver, client) = connected(Version::V3_1_1, "a");
    driver.send(client, b"\x31\x06\x00\x03a/bx");
    driver.send(client, b"\x31\x08\x00\x05a/b/cx");
    for (filter, count) in [
        ("a/b", 1),
        ("a/b/c", 1),
        ("a", 0),
        ("a/b/#", 2),
        ("+/+", 1),
        ("#", 2),
    ] {
        let mut subscribe = vec![0x82, u8::try_from(5 + filter.len()).unwrap(), 0, 1, 0];
        subscribe.push(u8::try_from(filter.len()).unwrap());
        subscribe.extend(filter.as_bytes());
        subscribe.push(0);
        let answer = sent(&driver.send(client, &subscribe), client);
        let messages = answer.iter().filter(|byte| matches!(byte, 0x31)).count();
        assert_eq!(messages, count, "{filter}");
    }
    driver.serves_a_witness();
}

#[test]
fn nothing_is_a_regular_expression() {
    let (mut driver, client) = connected(Version::V3_1_1, ".*");
    let filters = [
        "(a+)+$",
        "(.*)*/x",
        "+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/+/x",
        "[a-z]*",
    ];
    for filter in filters {
        let length = u8::try_from(filter.len()).unwrap();
        let mut subscribe = vec![0x82, length + 5, 0, 1, 0, length];
        subscribe.extend(filter.as_bytes());
        subscribe.push(0);
        driver.send(client, &subscribe);
        let client = driver.open();
        driver.send(client, &connect(Version::V3_1_1, ".*"));
    }
    let topic = "a".repeat(30) + &"/a".repeat(30) + "!";
    let length = u8::try_from(topic.len()).unwrap();
    let mut publish = vec![0x30, length + 2, 0, length];
    publish.extend(topic.as_bytes());
    driver.send(client, &publish);
    driver.serves_a_witness();
}

#[test]
fn clients_that_do_not_wait() {
    let mut driver = Driver::new(Config::default());
    // CONNECT, and a PUBLISH whose topic holds U+0000, in one write.
    let client = driver.open();
    let bytes = b"\x10\x1b\x00\x04MQTT\x04\x02\x00\x3c\x00\x0ftest_4_7_3_3_sub\x32\x08\x00\x03\x31\x31\x00\x00\x01\x33";
    driver.send(client, bytes);
    driver.handle(Event::Ended { connection: client });
    // SUBSCRIBE, and gone before SUBACK.
    let client = driver.open();
    let bytes = [
        &connect(Version::V3_1_1, "b")[..],
        b"\x82\x06\x00\x01\x00\x01t\x00",
    ]
    .concat();
    driver.send(client, &bytes);
    driver.handle(Event::Ended { connection: client });
    // AUTH of nobody who asked for it, and PUBLISH behind it.
    let client = driver.open();
    let bytes = [
        &connect(Version::V5_0, "c")[..],
        b"\xf0\x00\x30\x04\x00\x01t\x00",
    ]
    .concat();
    assert!(is_closed(&driver.send(client, &bytes)));
    driver.serves_a_witness();
}

#[test]
fn stray_acknowledgements() {
    let mut driver = Driver::new(Config::default());
    let keep = [
        ("clean", Value::Flag(false)),
        ("client_id", Value::Text(b"a".to_vec())),
    ];
    let connect_a = draft(PacketType::Connect, Version::V3_1_1, &keep);
    for _ in 0..100 {
        let a = driver.open();
        driver.send(a, &connect_a);
        driver.send(a, b"\x82\x06\x00\x01\x00\x01t\x02");
        for bytes in [
            b"\x40\x02\x00\x09",
            b"\x50\x02\x00\x09",
            b"\x62\x02\x00\x09",
            b"\x70\x02\x00\x09",
        ] {
            let actions = driver.send(a, bytes);
            assert!(!is_closed(&actions), "{actions:?}");
        }
        driver.handle(Event::Ended { connection: a });
        let p = driver.open();
        driver.send(p, &connect(Version::V3_1_1, "p"));
        driver.send(p, b"\x30\x04\x00\x01tx");
    }
    // Nothing of QoS 0 was kept.
    let a = driver.open();
    assert_eq!(sent(&driver.send(a, &connect_a), a), b"\x20\x02\x01\x00");
    driver.serves_a_witness();
}

#[test]
fn four_bytes_of_length_are_sound() {
    let (mut driver, client) = connected(Version::V3_1_1, "a");
    driver.send(client, b"\x82\x06\x00\x01\x00\x01t\x00");
    let mut publish = b"\x30\x80\x80\x80\x01\x00\x01t".to_vec();
    publish.resize(5 + (1 << 21), b'x');
    let received = sent(&driver.send(client, &publish), client);
    assert!(received == publish);
    driver.serves_a_witness();
}
