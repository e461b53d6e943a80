//! What the oracle must not hold against a target that it knows nothing about, each beside what it must.

use std::time::Duration;

use fuzzing::observe::{End, Observer};
use fuzzing::oracle::{Oracle, Strictness};

const CONNECT_3_1_1: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a";
const CONNACK_3_1_1: &[u8] = b"\x20\x02\x00\x00";
/// With a Receive Maximum of 1.
const CONNECT_5_0: &[u8] = b"\x10\x11\x00\x04MQTT\x05\x02\x00\x3c\x03\x21\x00\x01\x00\x01a";
const CONNACK_5_0: &[u8] = b"\x20\x03\x00\x00\x00";

enum Way {
    Sent,
    Received,
}
use Way::{Received, Sent};

/// The rules that one client sees broken when these bytes go back and forth.
fn broken(strictness: Strictness, exchange: &[(Way, &[u8])]) -> Vec<&'static str> {
    let mut oracle = Oracle::new(strictness);
    oracle.opened(0, Duration::ZERO);
    for (way, bytes) in exchange {
        match way {
            Sent => oracle.sent(0, bytes, Duration::ZERO),
            Received => oracle.received(0, bytes, Duration::ZERO),
        }
    }
    let findings = oracle.take_findings();
    findings.into_iter().map(|finding| finding.rule).collect()
}

#[test]
fn before_5_0_a_target_may_share_subscriptions_or_not() {
    let subscribed: [(Way, &[u8]); 6] = [
        (Sent, CONNECT_3_1_1),
        (Received, CONNACK_3_1_1),
        (Sent, b"\x82\x11\x00\x01\x00\x0c$share/g/f/#\x00"),
        (Received, b"\x90\x03\x00\x01\x00"),
        (Sent, b"\x30\x05\x00\x03f/a"),
        (Received, b"\x30\x05\x00\x03f/a"),
    ];
    assert!(broken(Strictness::Safety, &subscribed).is_empty());
    // The reference broker does not share them there.
    assert_eq!(broken(Strictness::Exact, &subscribed), ["not-subscribed"]);
    let [connect, connack, subscribe, suback, ..] = subscribed;
    let other = [
        connect,
        connack,
        subscribe,
        suback,
        (Sent, b"\x30\x05\x00\x03g/a"),
        (Received, b"\x30\x05\x00\x03g/a"),
    ];
    assert_eq!(broken(Strictness::Safety, &other), ["not-subscribed"]);
}

#[test]
fn a_client_identifier_outside_the_namespace_may_be_somebody_else_s_too() {
    let broken = |client_id: &[u8; 7]| {
        let mut oracle = Oracle::new(Strictness::Safety).in_namespace(*b"f00001");
        let connect = [
            b"\x10\x13\x00\x04MQTT\x04\x00\x00\x00\x00\x07",
            &client_id[..],
        ]
        .concat();
        oracle.opened(0, Duration::ZERO);
        oracle.sent(0, &connect, Duration::ZERO);
        oracle.received(0, b"\x20\x02\x01\x00", Duration::ZERO);
        let findings = oracle.take_findings();
        findings
            .into_iter()
            .map(|finding| finding.rule)
            .collect::<Vec<_>>()
    };
    assert_eq!(broken(b"f00001a"), ["session-present-without-a-session"]);
    assert!(broken(b"f0^001a").is_empty());
}

#[test]
fn a_session_may_be_that_of_a_connect_that_is_not_answered_yet() {
    let connect: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x00\x00\x01a";
    let broken = |first_asks: bool, first_is_told: bool| {
        let mut oracle = Oracle::new(Strictness::Safety);
        for client in [0, 1] {
            oracle.opened(client, Duration::ZERO);
            if client == 1 || first_asks {
                oracle.sent(client, connect, Duration::ZERO);
            }
        }
        if first_is_told {
            oracle.received(0, CONNACK_3_1_1, Duration::ZERO);
        }
        oracle.received(1, b"\x20\x02\x01\x00", Duration::ZERO);
        let findings = oracle.take_findings();
        let rules = findings.into_iter().map(|finding| finding.rule);
        rules.collect::<Vec<_>>()
    };
    assert_eq!(broken(false, false), ["session-present-without-a-session"]);
    assert!(broken(true, false).is_empty());
    assert!(broken(true, true).is_empty());
}

#[test]
fn of_two_messages_with_one_identifier_either_may_be_meant() {
    let came = |message: &'static [u8]| {
        let exchange: [(Way, &[u8]); 11] = [
            (Sent, CONNECT_3_1_1),
            (Received, CONNACK_3_1_1),
            (Sent, b"\x82\x08\x00\x01\x00\x03f/#\x00"),
            (Received, b"\x90\x03\x00\x01\x00"),
            (Sent, b"\x34\x08\x00\x03f/a\x00\x02x"),
            (Received, b"\x50\x02\x00\x02"),
            (Sent, b"\x34\x08\x00\x03f/b\x00\x02y"),
            (Received, b"\x50\x02\x00\x02"),
            (Sent, b"\x62\x02\x00\x02"),
            (Received, b"\x70\x02\x00\x02"),
            (Received, message),
        ];
        broken(Strictness::Safety, &exchange)
    };
    assert!(came(b"\x30\x06\x00\x03f/ax").is_empty());
    assert!(came(b"\x30\x06\x00\x03f/by").is_empty());
    assert_eq!(came(b"\x30\x06\x00\x03f/bz"), ["nobody-published-it"]);
}

#[test]
fn an_acknowledgement_that_nobody_asked_for_may_let_one_message_more_through() {
    let answered = |acknowledgements: &'static [u8]| {
        let exchange: [(Way, &[u8]); 9] = [
            (Sent, CONNECT_5_0),
            (Received, CONNACK_5_0),
            (Sent, b"\x82\x09\x00\x01\x00\x00\x03f/#\x01"),
            (Received, b"\x90\x04\x00\x01\x00\x01"),
            (
                Sent,
                b"\x30\x07\x00\x03f/a\x00x\x30\x07\x00\x03f/a\x00y\x30\x07\x00\x03f/a\x00z",
            ),
            (Received, b"\x30\x07\x00\x03f/a\x00x"),
            (Received, b"\x30\x07\x00\x03f/a\x00y"),
            (Sent, acknowledgements),
            (Received, b"\x30\x07\x00\x03f/a\x00z"),
        ];
        broken(Strictness::Safety, &exchange)
    };
    assert!(answered(b"").is_empty(), "QoS 0 takes no part in it");

    let under_way = |acknowledgements: &'static [u8]| {
        let exchange: [(Way, &[u8]); 9] = [
            (Sent, CONNECT_5_0),
            (Received, CONNACK_5_0),
            (Sent, b"\x82\x09\x00\x01\x00\x00\x03f/#\x01"),
            (Received, b"\x90\x04\x00\x01\x00\x01"),
            (
                Sent,
                b"\x32\x09\x00\x03f/a\x00\x05\x00x\x32\x09\x00\x03f/a\x00\x06\x00y\x32\x09\x00\x03f/a\x00\x07\x00z",
            ),
            (Received, b"\x32\x09\x00\x03f/a\x00\x01\x00x"),
            (Sent, acknowledgements),
            (Received, b"\x32\x09\x00\x03f/a\x00\x02\x00y"),
            (Received, b"\x32\x09\x00\x03f/a\x00\x03\x00z"),
        ];
        broken(Strictness::Safety, &exchange)
    };
    assert_eq!(under_way(b"\x40\x02\x00\x01"), ["above-receive-maximum"]);
    assert!(under_way(b"\x40\x02\x00\x01\x40\x02\x00\x01").is_empty());
}

/// The rules that are seen broken when clients `a` and `b`, both of 3.1.1, do and get this.
fn broken_by_two(exchange: &[(usize, Way, &[u8])]) -> Vec<&'static str> {
    let mut oracle = Oracle::new(Strictness::Safety);
    for client in 0..2 {
        oracle.opened(client, Duration::ZERO);
    }
    for (client, way, bytes) in exchange {
        match way {
            Sent => oracle.sent(*client, bytes, Duration::ZERO),
            Received => oracle.received(*client, bytes, Duration::ZERO),
        }
    }
    let findings = oracle.take_findings();
    findings.into_iter().map(|finding| finding.rule).collect()
}

#[test]
fn a_will_may_come_before_its_link_is_seen_to_end() {
    // `b` has the Will `gone` on `f/w`.
    let connect = b"\x10\x18\x00\x04MQTT\x04\x06\x00\x3c\x00\x01b\x00\x03f/w\x00\x04gone";
    let came = |message: &'static [u8], farewell: &'static [u8]| {
        broken_by_two(&[
            (0, Sent, CONNECT_3_1_1),
            (0, Received, CONNACK_3_1_1),
            (1, Sent, connect),
            (1, Received, CONNACK_3_1_1),
            (0, Sent, b"\x82\x08\x00\x01\x00\x03f/#\x00"),
            (0, Received, b"\x90\x03\x00\x01\x00"),
            (1, Sent, farewell),
            (0, Received, message),
        ])
    };
    assert!(came(b"\x30\x09\x00\x03f/wgone", b"\xc0\x00").is_empty());
    let other = came(b"\x30\x09\x00\x03f/wcome", b"\xc0\x00");
    assert_eq!(other, ["nobody-published-it"]);
}

#[test]
fn a_disconnect_behind_which_the_client_closes_may_be_read_too_late() {
    // `b` has the Will `gone` on `f/w`.
    let connect = b"\x10\x18\x00\x04MQTT\x04\x06\x00\x3c\x00\x01b\x00\x03f/w\x00\x04gone";
    let broken = |end| {
        let mut oracle = Oracle::new(Strictness::Safety);
        for (client, connect) in [(0, CONNECT_3_1_1), (1, connect)] {
            oracle.opened(client, Duration::ZERO);
            oracle.sent(client, connect, Duration::ZERO);
            oracle.received(client, CONNACK_3_1_1, Duration::ZERO);
        }
        oracle.sent(0, b"\x82\x08\x00\x01\x00\x03f/#\x00", Duration::ZERO);
        oracle.received(0, b"\x90\x03\x00\x01\x00", Duration::ZERO);
        oracle.sent(1, b"\xe0\x00", Duration::ZERO);
        oracle.ended(1, end, Duration::ZERO);
        oracle.received(0, b"\x30\x09\x00\x03f/wgone", Duration::ZERO);
        let findings = oracle.take_findings();
        let rules = findings.into_iter().map(|finding| finding.rule);
        rules.collect::<Vec<_>>()
    };
    assert!(broken(End::Closed).is_empty());
    assert_eq!(broken(End::ByTarget), ["nobody-published-it"]);
}

#[test]
fn what_was_on_its_way_before_a_takeover_may_come_after_it() {
    let subscribed_and_gone = |message: &'static [u8]| {
        broken_by_two(&[
            (0, Sent, b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x3c\x00\x01a"),
            (0, Received, CONNACK_3_1_1),
            (0, Sent, b"\x82\x08\x00\x01\x00\x03f/#\x00"),
            (0, Received, b"\x90\x03\x00\x01\x00"),
            (0, Sent, b"\x30\x05\x00\x03f/a"),
            (1, Sent, b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x3c\x00\x01a"),
            (1, Received, b"\x20\x02\x01\x00"),
            (0, Received, message),
        ])
    };
    assert!(subscribed_and_gone(b"\x30\x05\x00\x03f/a").is_empty());
    // What is no packet is none after a takeover either.
    let unsound = subscribed_and_gone(b"\x36\x05\x00\x03f/a");
    assert_eq!(unsound, ["unsound-packet"]);
}

#[test]
fn in_3_1_the_dollar_is_a_letter() {
    let came = |connect: &'static [u8]| {
        let exchange: [(Way, &[u8]); 6] = [
            (Sent, connect),
            (Received, CONNACK_3_1_1),
            (Sent, b"\x82\x08\x00\x01\x00\x03+/a\x00"),
            (Received, b"\x90\x03\x00\x01\x00"),
            (Sent, b"\x30\x06\x00\x04$f/a"),
            (Received, b"\x30\x06\x00\x04$f/a"),
        ];
        broken(Strictness::Safety, &exchange)
    };
    let of_3_1 = b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x01a";
    assert!(came(of_3_1).is_empty());
    assert_eq!(came(CONNECT_3_1_1), ["wildcard-matches-a-dollar-topic"]);
}
