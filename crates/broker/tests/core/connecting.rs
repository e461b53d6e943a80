//! CONNECT, CONNACK, keep alive, authentication, and what ends a connection.

use std::time::Duration;

use broker::Config;
use broker::config::Redirection;
use codec::QoS;

use crate::script::play;

/// Every exchange of this file, for those who look at them all.
pub(crate) const ALL: &[fn()] = &[
    each_version_is_accepted_in_its_way,
    the_first_packet_is_connect_and_the_only_one,
    an_unknown_version_is_refused_in_the_way_of_the_nearest,
    a_malformed_connect_gets_connack_in_5_and_silence_in_3_1_1,
    what_follows_a_refused_connect_is_not_processed,
    what_follows_an_accepted_connect_is_processed,
    an_empty_client_identifier_is_assigned,
    a_silent_client_is_closed_after_one_and_a_half_keep_alives,
    a_server_keep_alive_holds_in_place_of_the_clients,
    a_connection_that_brings_no_connect_is_closed,
    a_partial_packet_does_not_keep_a_connection_alive,
    credentials_are_checked,
    enhanced_authentication_goes_back_and_forth,
    a_limited_server_says_so,
    clients_are_sent_elsewhere,
    the_maximum_packet_size_of_the_server_is_kept,
    response_information_is_given_on_request,
    no_reason_string_makes_a_packet_too_large,
    in_one_segment_a_refused_connect_hides_what_follows,
    in_one_segment_an_accepted_connect_goes_before,
    assigned_identifiers_of_3_1_1_differ,
    client_identifiers_of_3_1_have_up_to_23_characters,
    authentication_goes_by_the_rules,
    a_limited_server_refuses_what_it_lacks,
    explanations_give_way_to_the_maximum_packet_size,
    disconnect_closes_the_connection,
    there_are_no_more_sessions_than_there_may_be,
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
fn an_empty_client_identifier_is_assigned() {
    play(
        default(),
        "
        a: opens v5.0
        a -> CONNECT: {}
        a <- CONNACK: { reason: success, assigned_client_id: assigned1, .. }
        b: opens v5.0
        b -> CONNECT: {}
        b <- CONNACK: { reason: success, assigned_client_id: assigned2, .. }
        c: v3.1.1 connects { clean: true }
        d: opens v3.1.1
        d -> CONNECT: { clean: false }
        d <- CONNACK: { session_present: false, code: identifier_rejected }
        d <- closed
        e: opens v3.1
        e -> CONNECT: { clean: true }
        e <- CONNACK: { code: identifier_rejected }
        e <- closed
        a -> PINGREQ
        a <- PINGRESP
        ",
    );
}

#[test]
fn a_silent_client_is_closed_after_one_and_a_half_keep_alives() {
    play(
        default(),
        "
        a: v5.0 connects { client_id: a, keep_alive: 10 }
        b: v3.1.1 connects { client_id: b, keep_alive: 10 }
        c: v5.0 connects { client_id: c, keep_alive: 0 }
        wait 14.999s
        a <- nothing
        a -> PINGREQ
        a <- PINGRESP
        wait 0.001s
        b <- closed
        wait 14.998s
        a <- nothing
        wait 0.001s
        a <- DISCONNECT: { reason: keep_alive_timeout, .. }
        a <- closed
        wait 100000s
        c <- nothing
        ",
    );
}

#[test]
fn a_server_keep_alive_holds_in_place_of_the_clients() {
    let mut config = default();
    config.limits.server_keep_alive = Some(2);
    play(
        config,
        "
        a: opens v5.0
        a -> CONNECT: { client_id: a, keep_alive: 100 }
        a <- CONNACK: { server_keep_alive: 2, .. }
        b: v3.1.1 connects { client_id: b, keep_alive: 100 }
        wait 3s
        a <- DISCONNECT: { reason: keep_alive_timeout, .. }
        a <- closed
        b <- nothing
        ",
    );
}

#[test]
fn a_connection_that_brings_no_connect_is_closed() {
    let mut config = default();
    config.limits.connect_timeout = Duration::from_secs(5);
    play(
        config,
        "
        a: opens v5.0
        wait 4.999s
        a <- nothing
        wait 0.001s
        a <- closed
        ",
    );
}

#[test]
fn a_partial_packet_does_not_keep_a_connection_alive() {
    play(
        default(),
        "
        a: v5.0 connects { client_id: a, keep_alive: 10 }
        wait 14s
        a -> bytes 30
        wait 1s
        a <- DISCONNECT: { reason: keep_alive_timeout, .. }
        a <- closed
        ",
    );
}

#[test]
fn credentials_are_checked() {
    let mut config = default();
    config.access.anonymous = false;
    config
        .access
        .passwords
        .insert("ann".into(), broker::Password::text("secret"));
    play(
        config,
        "
        a: opens v5.0
        a -> CONNECT: { client_id: a }
        a <- CONNACK: { session_present: false, reason: not_authorized, .. }
        a <- closed
        b: opens v5.0
        b -> CONNECT: { client_id: b, user_name: ann, password: wrong }
        b <- CONNACK: { reason: bad_user_name_or_password, .. }
        b <- closed
        c: opens v3.1.1
        c -> CONNECT: { client_id: c, user_name: ann, password: wrong }
        c <- CONNACK: { session_present: false, code: 4 }
        c <- closed
        d: v3.1.1 connects { client_id: d, user_name: ann, password: secret }
        ",
    );
}

#[test]
fn enhanced_authentication_goes_back_and_forth() {
    play(
        default(),
        "
        a: opens v5.0
        a -> CONNECT: { client_id: a, authentication_method: ECHO }
        a <- AUTH: { reason: continue_authentication, authentication_method: ECHO, authentication_data: 'challenge 0.1' }
        a -> AUTH: { reason: continue_authentication, authentication_method: ECHO, authentication_data: 'challenge 0.1' }
        a <- CONNACK: { reason: success, authentication_method: ECHO, .. }
        a -> AUTH: { reason: re_authenticate, authentication_method: ECHO }
        a <- AUTH: { reason: continue_authentication, authentication_data: 'challenge 0.2', .. }
        a -> AUTH: { reason: continue_authentication, authentication_method: ECHO, authentication_data: 'challenge 0.2' }
        a <- AUTH: { authentication_method: ECHO }
        a -> AUTH: { reason: re_authenticate, authentication_method: other }
        a <- DISCONNECT: { reason: protocol_error, .. }
        a <- closed
        b: opens v5.0
        b -> CONNECT: { client_id: b, authentication_method: other }
        b <- CONNACK: { reason: bad_authentication_method, .. }
        b <- closed
        c: opens v5.0
        c -> CONNECT: { client_id: c, authentication_method: ECHO }
        c <- AUTH: { reason: continue_authentication, .. }
        c -> AUTH: { reason: continue_authentication, authentication_method: ECHO, authentication_data: wrong }
        c <- CONNACK: { reason: not_authorized, .. }
        c <- closed
        d: v5.0 connects { client_id: d }
        d -> AUTH: { reason: re_authenticate, authentication_method: ECHO }
        d <- DISCONNECT: { reason: protocol_error, .. }
        d <- closed
        e: opens v5.0
        e -> CONNECT: { client_id: e, authentication_method: ECHO }
        e <- AUTH: { reason: continue_authentication, .. }
        e -> PINGREQ
        e <- CONNACK: { reason: protocol_error, .. }
        e <- closed
        ",
    );
}

#[test]
fn a_limited_server_says_so() {
    let mut config = default();
    config.features.maximum_qos = QoS::AT_LEAST_ONCE;
    config.features.retain = false;
    config.features.wildcards = false;
    config.features.shared_subscriptions = false;
    config.features.subscription_identifiers = false;
    config.answers.response_information = None;
    play(
        config,
        "
        a: opens v5.0
        a -> CONNECT: { client_id: a, request_response_information: 1 }
        a <- CONNACK: { session_present: false, reason: success, receive_maximum: 32, maximum_qos: 1, maximum_packet_size: 4194304, topic_alias_maximum: 16, retain_available: false, wildcard_available: false, subscription_ids_available: false, shared_available: false }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 2 }] }
        a <- SUBACK: { codes: [granted_qos_2], id: 1 }
        a -> PUBLISH: { topic: t, qos: 2, id: 1 }
        a <- DISCONNECT: { reason: qos_not_supported, .. }
        a <- closed
        b: v5.0 connects { client_id: b }
        b -> PUBLISH: { topic: t, retain: true }
        b <- DISCONNECT: { reason: retain_not_supported, .. }
        b <- closed
        c: opens v5.0
        c -> CONNECT: { client_id: c, will: { topic: t, payload: x, qos: 2 } }
        c <- CONNACK: { reason: qos_not_supported, .. }
        c <- closed
        d: v5.0 connects { client_id: d }
        d -> SUBSCRIBE: { id: 1, filters: [{ filter: t/+ }] }
        d <- DISCONNECT: { reason: wildcard_subscriptions_not_supported, .. }
        d <- closed
        e: v3.1.1 connects { client_id: e }
        e -> SUBSCRIBE: { id: 1, filters: [{ filter: t/+ }, { filter: t }] }
        e <- SUBACK: { codes: [0x80, 0], id: 1 }
        f: v5.0 connects { client_id: f }
        f -> SUBSCRIBE: { id: 1, filters: [{ filter: $share/g/t }] }
        f <- DISCONNECT: { reason: shared_subscriptions_not_supported, .. }
        f <- closed
        ",
    );
}

#[test]
fn clients_are_sent_elsewhere() {
    let config = Config {
        redirection: Some(Redirection {
            server_reference: "other:1883".into(),
            permanent: false,
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
fn the_maximum_packet_size_of_the_server_is_kept() {
    let mut config = default();
    config.limits.maximum_packet_size = 20;
    play(
        config,
        "
        a: v5.0 connects { client_id: a }
        a -> PUBLISH: { topic: t, payload: 01234567890123456789 }
        a <- DISCONNECT: { reason: packet_too_large, .. }
        a <- closed
        b: v5.0 connects { client_id: b }
        b -> bytes 30 ff ff 7f
        b <- DISCONNECT: { reason: packet_too_large, .. }
        b <- closed
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
fn no_reason_string_makes_a_packet_too_large() {
    play(
        default(),
        "
        a: v5.0 connects { client_id: a, maximum_packet_size: 40 }
        a -> CONNECT: { client_id: a }
        a <- DISCONNECT: { reason: protocol_error }
        a <- closed
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
fn assigned_identifiers_of_3_1_1_differ() {
    play(
        default(),
        "
        a: v3.1.1 connects { clean: true }
        b: v3.1.1 connects { clean: true }
        a -> PINGREQ
        a <- PINGRESP
        ",
    );
}

#[test]
fn client_identifiers_of_3_1_have_up_to_23_characters() {
    play(
        default(),
        "
        a: v3.1 connects { client_id: a2345678901234567890123 }
        b: opens v3.1
        b -> CONNECT: { client_id: b23456789012345678901234 }
        b <- CONNACK: { code: identifier_rejected }
        b <- closed
        c: v3.1.1 connects { client_id: c23456789012345678901234 }
        ",
    );
}

#[test]
fn authentication_goes_by_the_rules() {
    play(
        default(),
        "
        a: opens v5.0
        a -> CONNECT: { client_id: a, authentication_method: ECHO }
        a <- AUTH: { reason: continue_authentication, .. }
        a -> AUTH: { reason: re_authenticate, authentication_method: ECHO, authentication_data: 'challenge 0.1' }
        a <- CONNACK: { reason: protocol_error, .. }
        a <- closed
        b: opens v5.0
        b -> CONNECT: { client_id: b, authentication_method: ECHO }
        b <- AUTH: { reason: continue_authentication, .. }
        b -> AUTH: { reason: continue_authentication, authentication_method: ECHO, authentication_data: 'challenge 1.1' }
        b <- CONNACK: { reason: success, .. }
        b -> AUTH: { reason: re_authenticate, authentication_method: ECHO }
        b <- AUTH: { reason: continue_authentication, .. }
        b -> AUTH: { reason: continue_authentication, authentication_method: ECHO, authentication_data: wrong }
        b <- DISCONNECT: { reason: not_authorized, .. }
        b <- closed
        ",
    );
}

#[test]
fn a_limited_server_refuses_what_it_lacks() {
    let mut config = default();
    config.features.retain = false;
    config.features.subscription_identifiers = false;
    config.limits.topic_alias_maximum = 0;
    play(
        config,
        "
        a: opens v5.0
        a -> CONNECT: { client_id: a, will: { topic: t, payload: x, retain: true } }
        a <- CONNACK: { reason: retain_not_supported, .. }
        a <- closed
        b: v5.0 connects { client_id: b }
        b -> SUBSCRIBE: { id: 1, subscription_id: 1, filters: [{ filter: t }] }
        b <- DISCONNECT: { reason: subscription_identifiers_not_supported, .. }
        b <- closed
        c: v5.0 connects { client_id: c }
        c -> PUBLISH: { topic: t, topic_alias: 1 }
        c <- DISCONNECT: { reason: topic_alias_invalid, .. }
        c <- closed
        ",
    );
}

#[test]
fn explanations_give_way_to_the_maximum_packet_size() {
    let mut config = default();
    let long = "0123456789".repeat(10);
    config.answers.user_properties = vec![("name".into(), long)];
    play(
        config,
        "
        a: opens v5.0
        a -> CONNECT: { client_id: a, maximum_packet_size: 60, authentication_method: ECHO }
        a <- AUTH: { reason: continue_authentication, authentication_method: ECHO, authentication_data: 'challenge 0.1' }
        a -> AUTH: { reason: continue_authentication, authentication_method: ECHO, authentication_data: 'challenge 0.1' }
        a <- CONNACK: { session_present: false, reason: success, receive_maximum: 32, maximum_packet_size: 4194304, topic_alias_maximum: 16, authentication_method: ECHO }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 2 }] }
        a <- SUBACK: { codes: [granted_qos_2], id: 1 }
        a -> PUBLISH: { topic: t, qos: 2, id: 1 }
        a <- PUBLISH: { topic: t, qos: 2, id: 1 }
        a <- PUBREC: { id: 1 }
        a -> PUBREL: { id: 1 }
        a <- PUBCOMP: { id: 1 }
        a -> PUBREC: { id: 1 }
        a <- PUBREL: { id: 1 }
        a -> PUBLISH: { topic: $SYS/x, qos: 1, id: 1 }
        a <- PUBACK: { reason: not_authorized, id: 1 }
        a -> UNSUBSCRIBE: { id: 2, filters: [t] }
        a <- UNSUBACK: { codes: [success], id: 2 }
        b: v5.0 connects { client_id: b }
        b -> PUBLISH: { topic: t, qos: 1, id: 1 }
        b <- PUBACK: { reason: no_matching_subscribers, id: 1, user_properties: [[name, 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789]] }
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

#[test]
fn there_are_no_more_sessions_than_there_may_be() {
    let mut config = default();
    config.limits.sessions = 1;
    config.limits.connections = 3;
    play(
        config,
        "
        a: v5.0 connects { client_id: a }
        b: opens v5.0
        b -> CONNECT: { client_id: b }
        b <- CONNACK: { session_present: false, reason: quota_exceeded, reason_string: 'there are as many sessions as there may be (0x97, v5.0/MQTT-3.1.4-2)' }
        b <- closed
        c: opens v3.1.1
        c -> CONNECT: { client_id: c }
        c <- CONNACK: { session_present: false, code: 3 }
        c <- closed
        d: opens v5.0
        e: opens v5.0
        f: opens v5.0
        f <- closed
        a -> DISCONNECT
        a <- closed
        f: v5.0 connects { client_id: f }
        ",
    );
}
