//! The standing rules, each broken and each kept.

use std::rc::Rc;

use codec::draft::{Draft, Value};
use codec::{PacketType, Version};

use crate::play::protocol::Protocol;
use crate::play::rules::judge;
use crate::play::session::Leftovers;

/// A packet of fields that hold numbers, flags or texts.
fn packet(version: Version, packet_type: PacketType, fields: &[(&str, Value)]) -> Draft {
    let mut packet = Draft::new(packet_type, version);
    for (name, value) in fields {
        packet.set(name, value.clone()).unwrap();
    }
    packet
}

fn v5(packet_type: PacketType, fields: &[(&str, Value)]) -> Draft {
    packet(Version::V5_0, packet_type, fields)
}

fn number(number: u64) -> Value {
    Value::Number(number)
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// A delivery at QoS 1.
fn delivery(id: u64, payload: &str, dup: bool) -> Draft {
    let fields = [
        ("id", number(id)),
        ("qos", number(1)),
        ("topic", text("t")),
        ("payload", Value::Binary(payload.into())),
        ("dup", Value::Flag(dup)),
    ];
    v5(PacketType::Publish, &fields)
}

/// A client of 5.0 whose CONNECT has these fields, and that was accepted.
fn accepted(connect: &[(&str, Value)], session_present: bool) -> Protocol {
    let mut protocol = Protocol::new(Version::V5_0, Rc::<Leftovers>::default());
    let mut connect = v5(PacketType::Connect, connect);
    connect.set("client_id", text("c")).unwrap();
    protocol.sent(&connect);
    let mut connack = v5(
        PacketType::Connack,
        &[("session_present", Value::Flag(session_present))],
    );
    protocol.received(&mut connack);
    protocol
}

/// The numbers of the clauses that a packet breaks.
fn broken(packet: &Draft, before: &Protocol) -> Vec<&'static str> {
    let breaches = judge(packet, 50, before);
    breaches
        .iter()
        .map(|breach| breach.clause.clause().number)
        .collect()
}

fn arrives(protocol: &mut Protocol, mut packet: Draft) {
    protocol.received(&mut packet);
}

#[test]
fn connack_comes_first_and_once() {
    let fresh = Protocol::new(Version::V5_0, Rc::<Leftovers>::default());
    assert_eq!(
        broken(&v5(PacketType::Pingresp, &[]), &fresh),
        ["MQTT-3.2.0-1"]
    );
    assert_eq!(
        broken(&v5(PacketType::Disconnect, &[]), &fresh),
        ["MQTT-3.14.0-1"]
    );
    assert!(broken(&v5(PacketType::Connack, &[]), &fresh).is_empty());
    assert_eq!(
        broken(&v5(PacketType::Connack, &[]), &accepted(&[], false)),
        ["MQTT-3.2.0-2"]
    );
    let old = Protocol::new(Version::V3_1_1, Rc::<Leftovers>::default());
    let pong = packet(Version::V3_1_1, PacketType::Pingresp, &[]);
    assert_eq!(broken(&pong, &old), ["MQTT-3.2.0-1"]);
}

#[test]
fn nothing_follows_a_disconnect() {
    let mut protocol = accepted(&[], false);
    arrives(&mut protocol, v5(PacketType::Disconnect, &[]));
    assert_eq!(
        broken(&v5(PacketType::Pingresp, &[]), &protocol),
        ["MQTT-3.14.4-1"]
    );
}

#[test]
fn connack_tells_of_a_session_only_where_there_can_be_one() {
    let connecting = |clean| {
        let mut protocol = Protocol::new(Version::V5_0, Rc::<Leftovers>::default());
        protocol.sent(&v5(PacketType::Connect, &[("clean", Value::Flag(clean))]));
        protocol
    };
    let present = ("session_present", Value::Flag(true));
    let accepts = v5(PacketType::Connack, std::slice::from_ref(&present));
    assert_eq!(broken(&accepts, &connecting(true)), ["MQTT-3.2.2-2"]);
    assert!(broken(&accepts, &connecting(false)).is_empty());
    let refuses = v5(PacketType::Connack, &[present, ("reason", number(0x87))]);
    assert_eq!(broken(&refuses, &connecting(false)), ["MQTT-3.2.2-6"]);
}

#[test]
fn what_the_client_declined_does_not_come() {
    let declining = accepted(&[("request_problem_information", number(0))], false);
    let explained = v5(
        PacketType::Puback,
        &[("id", number(1)), ("reason_string", text("no"))],
    );
    assert!(broken(&explained, &declining).contains(&"MQTT-3.1.2-29"));
    assert!(!broken(&explained, &accepted(&[], false)).contains(&"MQTT-3.1.2-29"));
    let farewell = v5(PacketType::Disconnect, &[("reason_string", text("no"))]);
    assert!(broken(&farewell, &declining).is_empty());
    let auth = v5(PacketType::Auth, &[]);
    assert_eq!(broken(&auth, &accepted(&[], false)), ["MQTT-4.12.0-6"]);
}

#[test]
fn packets_keep_within_the_maximum_size() {
    let pong = v5(PacketType::Pingresp, &[]);
    let limited = |size| accepted(&[("maximum_packet_size", number(size))], false);
    assert_eq!(broken(&pong, &limited(49)), ["MQTT-3.1.2-24"]);
    assert!(broken(&pong, &limited(50)).is_empty());
    assert!(broken(&pong, &limited(0)).is_empty(), "0 is no size");
}

#[test]
fn aliases_keep_within_the_maximum_and_stand_for_something() {
    let aliased = |alias, topic| {
        v5(
            PacketType::Publish,
            &[("topic_alias", number(alias)), ("topic", text(topic))],
        )
    };
    assert_eq!(
        broken(&aliased(1, "t"), &accepted(&[], false)),
        ["MQTT-3.1.2-27"]
    );
    let mut two = accepted(&[("topic_alias_maximum", number(2))], false);
    assert_eq!(broken(&aliased(3, "t"), &two), ["MQTT-3.1.2-26"]);
    assert_eq!(broken(&aliased(2, ""), &two), ["U50-3.3.4-4"]);
    arrives(&mut two, aliased(2, "t"));
    assert!(broken(&aliased(2, ""), &two).is_empty());
    let mut used = aliased(2, "");
    two.received(&mut used);
    assert_eq!(
        used.get("topic"),
        Some(&text("t")),
        "a scenario sees the topic that the alias stands for"
    );
}

#[test]
fn a_packet_id_in_use_is_not_given_again() {
    let mut protocol = accepted(&[], false);
    arrives(&mut protocol, delivery(7, "x", false));
    assert_eq!(
        broken(&delivery(7, "y", false), &protocol),
        ["MQTT-2.2.1-4"]
    );
    assert!(broken(&delivery(8, "y", false), &protocol).is_empty());
    protocol.sent(&v5(PacketType::Puback, &[("id", number(7))]));
    assert!(broken(&delivery(7, "y", false), &protocol).is_empty());
}

#[test]
fn dup_tells_a_repeat_from_a_first_sending() {
    let leftovers = Rc::<Leftovers>::default();
    let connect = |session_present| {
        let mut protocol = Protocol::new(Version::V5_0, leftovers.clone());
        let fields = [
            ("client_id", text("c")),
            ("clean", Value::Flag(false)),
            ("session_expiry", number(60)),
        ];
        protocol.sent(&v5(PacketType::Connect, &fields));
        arrives(
            &mut protocol,
            v5(
                PacketType::Connack,
                &[("session_present", Value::Flag(session_present))],
            ),
        );
        protocol
    };
    let mut first = connect(false);
    assert_eq!(broken(&delivery(7, "x", true), &first), ["MQTT-3.3.1-3"]);
    arrives(&mut first, delivery(7, "x", false));
    let second = connect(true);
    assert_eq!(broken(&delivery(7, "x", false), &second), ["MQTT-3.3.1-1"]);
    assert!(broken(&delivery(7, "x", true), &second).is_empty());
    assert!(
        broken(&delivery(9, "z", true), &second).is_empty(),
        "its first sending may have been lost"
    );
    let third = connect(false);
    assert_eq!(
        broken(&delivery(7, "x", true), &third),
        ["MQTT-3.3.1-3"],
        "the session is a new one"
    );
}

#[test]
fn deliveries_keep_within_the_receive_maximum() {
    let mut protocol = accepted(&[("receive_maximum", number(1))], false);
    arrives(&mut protocol, delivery(1, "x", false));
    assert_eq!(
        broken(&delivery(2, "y", false), &protocol),
        ["MQTT-3.3.4-9"]
    );
    protocol.sent(&v5(PacketType::Pubrec, &[("id", number(1))]));
    assert_eq!(
        broken(&delivery(2, "y", false), &protocol),
        ["MQTT-3.3.4-9"],
        "PUBREC frees no place"
    );
    protocol.sent(&v5(PacketType::Pubcomp, &[("id", number(1))]));
    assert!(broken(&delivery(2, "y", false), &protocol).is_empty());
}

#[test]
fn answers_belong_to_what_was_sent() {
    let mut protocol = accepted(&[], false);
    let answer = |packet_type| v5(packet_type, &[("id", number(5))]);
    assert_eq!(
        broken(&answer(PacketType::Puback), &protocol),
        ["MQTT-2.2.1-5"]
    );
    assert_eq!(
        broken(&answer(PacketType::Suback), &protocol),
        ["MQTT-2.2.1-6"]
    );
    protocol.sent(&delivery(5, "x", false));
    assert!(broken(&answer(PacketType::Puback), &protocol).is_empty());
    assert_eq!(
        broken(&answer(PacketType::Pubrec), &protocol),
        ["MQTT-3.3.4-1"]
    );
    let filters = Value::Texts(vec![b"a".to_vec(), b"b".to_vec()]);
    protocol.sent(&v5(
        PacketType::Unsubscribe,
        &[("id", number(6)), ("filters", filters)],
    ));
    let codes = |codes: &[u64]| {
        v5(
            PacketType::Unsuback,
            &[("id", number(6)), ("codes", Value::Numbers(codes.to_vec()))],
        )
    };
    assert!(broken(&codes(&[0, 0x11]), &protocol).is_empty());
    assert_eq!(broken(&codes(&[0]), &protocol), ["MQTT-3.11.3-1"]);
    protocol.obscure = true;
    assert!(
        broken(&codes(&[0]), &protocol).is_empty(),
        "nobody knows what was asked"
    );
}
