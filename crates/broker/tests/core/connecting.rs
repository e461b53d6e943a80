//! CONNECT and its CONNACK, in each version, and what comes before and behind them.

use broker::Config;
use broker::config::{RedirectedWhen, Redirection};

use crate::script::play;

/// Every exchange of this file, for those who look at them all.
pub(crate) const ALL: &[fn()] = &[
    each_version_is_accepted_in_its_way,
    the_first_packet_is_connect_and_the_only_one,
    an_unknown_version_is_refused_in_the_way_of_the_nearest,
    a_malformed_connect_gets_connack_in_5_and_silence_in_3_1_1,
    what_follows_a_refused_connect_is_not_processed,
    what_follows_an_accepted_connect_is_processed,
    in_one_segment_a_refused_connect_hides_what_follows,
    in_one_segment_an_accepted_connect_goes_before,
    clients_are_sent_elsewhere,
    clients_are_sent_elsewhere_when_the_broker_stops,
    response_information_is_given_on_request,
    disconnect_closes_the_connection,
];

fn default() -> Config {
    Config::default()
}

#[test]
fn each_version_is_accepted_in_its_way() {
    play(
        default(),
        "
        a: opens v5.0
        a -> CONNECT: { client_id: a }
        a <- CONNACK: { session_present: false, reason: success, receive_maximum: 32, maximum_packet_size: 4194304, topic_alias_maximum: 16 }
        b: opens v3.1.1
        b -> CONNECT: { client_id: b }
        b <- CONNACK: { session_present: false, code: accepted }
        c: opens v3.1
        c -> CONNECT: { client_id: c }
        c <- CONNACK: { code: accepted }
        a -> PINGREQ
        a <- PINGRESP
        b -> PINGREQ
        b <- PINGRESP
        ",
    );
}

#[test]
fn the_first_packet_is_connect_and_the_only_one() {
    play(
        default(),
        "
        a: opens v5.0
        a -> PINGREQ
        a <- closed
        b: v5.0 connects { client_id: b }
        b -> CONNECT: { client_id: b }
        b <- DISCONNECT: { reason: protocol_error, .. }
        b <- closed
        c: v3.1.1 connects { client_id: c }
        c -> CONNECT: { client_id: c }
        c <- closed
        ",
    );
}

#[test]
fn an_unknown_version_is_refused_in_the_way_of_the_nearest() {
    play(
        default(),
        "
        a: opens v3.1.1
        a -> bytes 10 14 00 04 4d 51 54 54 ff 02 00 3c 00 08 62 61 64 6c 65 76 65 6c
        a <- CONNACK: { session_present: false, code: unacceptable_protocol_version }
        a <- closed
        b: opens v3.1.1
        b -> CONNECT: { client_id: b, protocol_version: 6 }
        b <- CONNACK: { session_present: false, code: unacceptable_protocol_version }
        b <- closed
        c: opens v5.0
        c -> CONNECT: { client_id: c, protocol_version: 6 }
        c <- CONNACK: { session_present: false, reason: unsupported_protocol_version, .. }
        c <- closed
        d: opens v3.1.1
        d -> CONNECT: { client_id: d, protocol_name: MQTX }
        d <- closed
        e: opens v5.0
        e -> CONNECT: { client_id: e, protocol_name: MQTX }
        e <- CONNACK: { session_present: false, reason: unsupported_protocol_version, .. }
        e <- closed
        ",
    );
}

#[test]
fn a_malformed_connect_gets_connack_in_5_and_silence_in_3_1_1() {
    play(
        default(),
        "
        a: opens v5.0
        a -> CONNECT: { client_id: a, reserved_flag: true }
        a <- CONNACK: { session_present: false, reason: malformed_packet, .. }
        a <- closed
        b: opens v3.1.1
        b -> CONNECT: { client_id: b, reserved_flag: true }
        b <- closed
        ",
    );
}

#[test]
fn what_follows_a_refused_connect_is_not_processed() {
    let mut config = default();
    config.access.refused_client_ids.push("bad".into());
    play(
        config,
        "
        w: v5.0 connects { client_id: w }
        w -> SUBSCRIBE: { id: 1, filters: [{ filter: t }] }
        w <- SUBACK: { codes: [granted_qos_0], id: 1 }
        a: opens v5.0
        a -> CONNECT: { client_id: bad }
        a <- CONNACK: { session_present: false, reason: client_identifier_not_valid, .. }
        a <- closed
        a -> PUBLISH: { topic: t, payload: x }
        w <- nothing
        b: opens v3.1.1
        b -> CONNECT: { client_id: bad }
        b <- CONNACK: { session_present: false, code: identifier_rejected }
        b <- closed
        ",
    );
}

#[test]
fn what_follows_an_accepted_connect_is_processed() {
    // CONNECT and PINGREQ in one segment.
    play(
        default(),
        "
        a: opens v3.1.1
        a -> bytes 10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 61 c0 00
        a <- CONNACK: { session_present: false, code: accepted }
        a <- PINGRESP
        ",
    );
}

#[test]
fn in_one_segment_a_refused_connect_hides_what_follows() {
    let mut config = default();
    config.access.refused_client_ids.push("a".into());
    // CONNECT of client a, and PINGREQ.
    play(
        config,
        "
        a: opens v3.1.1
        a -> bytes 10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 61 c0 00
        a <- CONNACK: { session_present: false, code: identifier_rejected }
        a <- closed
        b: opens v5.0
        b -> bytes 10 0e 00 04 4d 51 54 54 05 02 00 3c 00 00 01 61 c0 00
        b <- CONNACK: { reason: client_identifier_not_valid, .. }
        b <- closed
        ",
    );
}

#[test]
fn in_one_segment_an_accepted_connect_goes_before() {
    play(
        default(),
        "
        b: opens v5.0
        b -> bytes 10 0e 00 04 4d 51 54 54 05 02 00 3c 00 00 01 61 c0 00
        b <- CONNACK: { reason: success, .. }
        b <- PINGRESP
        ",
    );
}

#[test]
fn clients_are_sent_elsewhere() {
    let config = Config {
        redirection: Some(Redirection {
            server_reference: "other:1883".into(),
            permanent: false,
            when: RedirectedWhen::Connecting,
        }),
        ..default()
    };
    play(
        config,
        "
        a: opens v5.0
        a -> CONNECT: { client_id: a }
        a <- CONNACK: { reason: use_another_server, server_reference: other:1883, .. }
        a <- closed
        b: opens v3.1.1
        b -> CONNECT: { client_id: b }
        b <- CONNACK: { session_present: false, code: 3 }
        b <- closed
        ",
    );
}

#[test]
fn clients_are_sent_elsewhere_when_the_broker_stops() {
    let config = Config {
        redirection: Some(Redirection {
            server_reference: "other:1883".into(),
            permanent: true,
            when: RedirectedWhen::Stopping,
        }),
        ..default()
    };
    play(
        config,
        "
        a: v5.0 connects { client_id: a }
        small: v5.0 connects { client_id: small, maximum_packet_size: 20 }
        b: v3.1.1 connects { client_id: b }
        waiting: opens v5.0
        the broker stops
        a <- DISCONNECT: { reason: server_moved, server_reference: other:1883, .. }
        a <- closed
        small <- DISCONNECT: { reason: server_moved, server_reference: other:1883 }
        small <- closed
        b <- closed
        waiting <- closed
        ",
    );
}

#[test]
fn response_information_is_given_on_request() {
    play(
        default(),
        "
        a: opens v5.0
        a -> CONNECT: { client_id: a, request_response_information: 1 }
        a <- CONNACK: { response_information: response, .. }
        ",
    );
}

#[test]
fn disconnect_closes_the_connection() {
    play(
        default(),
        "
        a: v5.0 connects { client_id: a }
        a -> DISCONNECT
        a <- closed
        b: v3.1.1 connects { client_id: b }
        b -> DISCONNECT
        b <- closed
        ",
    );
}
