//! Limited servers: what is not offered, and what there is no room for.

use broker::Config;
use codec::QoS;

use crate::script::play;

/// Every exchange of this file, for those who look at them all.
pub(crate) const ALL: &[fn()] = &[
    a_limited_server_says_so,
    a_limited_server_refuses_what_it_lacks,
    the_maximum_packet_size_of_the_server_is_kept,
    no_reason_string_makes_a_packet_too_large,
    explanations_give_way_to_the_maximum_packet_size,
    there_are_no_more_sessions_than_there_may_be,
    a_full_server_refuses_what_it_would_have_to_keep,
    there_are_no_more_retained_messages_than_there_may_be,
    there_are_no_more_subscriptions_than_there_may_be,
    a_topic_has_no_more_levels_than_it_may_have,
    packets_in_part_are_kept_up_to_a_limit,
];

fn default() -> Config {
    Config::default()
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

#[test]
fn a_full_server_refuses_what_it_would_have_to_keep() {
    let mut config = default();
    config.limits.all_queued_messages = 2;
    play(
        config,
        "
        s: v5.0 connects { client_id: s, session_expiry: 100 }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 1 }] }
        s <- SUBACK: { codes: [granted_qos_1], id: 1 }
        s cuts
        a: v5.0 connects { client_id: a }
        a -> PUBLISH: { topic: t, qos: 1, id: 1, payload: x }
        a <- PUBACK: { id: 1 }
        a -> PUBLISH: { topic: t, qos: 1, id: 1, payload: y }
        a <- PUBACK: { id: 1 }
        a -> PUBLISH: { topic: t, qos: 1, id: 1, payload: z }
        a <- PUBACK: { id: 1, reason: quota_exceeded, reason_string: 'as many messages are on their way as may be (0x97, v5.0/MQTT-3.4.2-1)' }
        a -> PUBLISH: { topic: t, qos: 2, id: 1, payload: z }
        a <- PUBREC: { id: 1, reason: quota_exceeded, .. }
        a -> PUBLISH: { topic: t, payload: z }
        b: v3.1.1 connects { client_id: b }
        b -> PUBLISH: { topic: t, qos: 1, id: 1, payload: z }
        b <- closed
        s: v5.0 connects { client_id: s, clean: false }
        s <- PUBLISH: { topic: t, qos: 1, id: 1, payload: x }
        s <- PUBLISH: { topic: t, qos: 1, id: 2, payload: y }
        s -> PUBACK: { id: 1 }
        a -> PUBLISH: { topic: t, qos: 1, id: 1, payload: z }
        a <- PUBACK: { id: 1 }
        s <- PUBLISH: { topic: t, qos: 1, id: 3, payload: z }
        ",
    );
}

#[test]
fn there_are_no_more_retained_messages_than_there_may_be() {
    let mut config = default();
    config.limits.retained_messages = 1;
    play(
        config,
        "
        a: v5.0 connects { client_id: a }
        a -> PUBLISH: { topic: t, qos: 1, id: 1, payload: x, retain: true }
        a <- PUBACK: { id: 1, reason: no_matching_subscribers }
        a -> PUBLISH: { topic: u, qos: 1, id: 1, payload: x, retain: true }
        a <- PUBACK: { id: 1, reason: quota_exceeded, .. }
        a -> PUBLISH: { topic: u, payload: x, retain: true }
        a -> PUBLISH: { topic: t, qos: 1, id: 1, payload: y, retain: true, message_expiry: 10 }
        a <- PUBACK: { id: 1, reason: no_matching_subscribers }
        b: v3.1.1 connects { client_id: b }
        b -> PUBLISH: { topic: u, qos: 1, id: 1, payload: x, retain: true }
        b <- closed
        wait 10s
        a -> PUBLISH: { topic: u, qos: 1, id: 1, payload: z, retain: true }
        a <- PUBACK: { id: 1, reason: no_matching_subscribers }
        a -> SUBSCRIBE: { id: 2, filters: [{ filter: '#' }] }
        a <- SUBACK: { codes: [granted_qos_0], id: 2 }
        a <- PUBLISH: { topic: u, payload: z, retain: true }
        ",
    );
}

#[test]
fn there_are_no_more_subscriptions_than_there_may_be() {
    let mut config = default();
    config.limits.subscriptions = 2;
    config.limits.all_subscriptions = 3;
    config.limits.topic_levels = 2;
    play(
        config,
        "
        a: v5.0 connects { client_id: a }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: a }, { filter: b }, { filter: c }, { filter: a }] }
        a <- SUBACK: { codes: [granted_qos_0, granted_qos_0, quota_exceeded, granted_qos_0], id: 1, .. }
        b: v3.1.1 connects { client_id: b }
        b -> SUBSCRIBE: { id: 1, filters: [{ filter: a/b/c }, { filter: a/b }, { filter: b }] }
        b <- SUBACK: { codes: [0x80, 0, 0x80], id: 1 }
        a -> UNSUBSCRIBE: { id: 2, filters: [a] }
        a <- UNSUBACK: { codes: [success], id: 2 }
        b -> SUBSCRIBE: { id: 2, filters: [{ filter: b }] }
        b <- SUBACK: { codes: [0], id: 2 }
        b -> DISCONNECT
        b <- closed
        a -> SUBSCRIBE: { id: 3, filters: [{ filter: $share/g/a }] }
        a <- SUBACK: { codes: [granted_qos_0], id: 3 }
        ",
    );
}

#[test]
fn a_topic_has_no_more_levels_than_it_may_have() {
    let mut config = default();
    config.limits.topic_levels = 2;
    play(
        config,
        "
        a: v5.0 connects { client_id: a }
        a -> PUBLISH: { topic: a/b, qos: 1, id: 1 }
        a <- PUBACK: { id: 1, reason: no_matching_subscribers }
        a -> PUBLISH: { topic: a/b/c, qos: 1, id: 1 }
        a <- PUBACK: { id: 1, reason: topic_name_invalid, reason_string: 'the topic has too many levels (0x90, v5.0/MQTT-3.4.2-1)' }
        a -> PUBLISH: { topic: a/b/c, qos: 2, id: 1 }
        a <- PUBREC: { id: 1, reason: topic_name_invalid, .. }
        a -> PUBLISH: { topic: a/b/c, retain: true, payload: x }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: '#' }] }
        a <- SUBACK: { codes: [granted_qos_0], id: 1 }
        b: opens v5.0
        b -> CONNECT: { client_id: b, will: { topic: a/b/c, payload: x } }
        b <- CONNACK: { session_present: false, reason: topic_name_invalid, .. }
        b <- closed
        ",
    );
}

#[test]
fn packets_in_part_are_kept_up_to_a_limit() {
    let mut config = default();
    config.limits.all_partial_bytes = 10;
    // Both announce 100 bytes.
    play(
        config,
        "
        a: v5.0 connects { client_id: a }
        a -> bytes 30 64 00 01 74 00
        b: v5.0 connects { client_id: b }
        b -> bytes 30 64 00 01
        b -> bytes 74
        b <- DISCONNECT: { reason: quota_exceeded, .. }
        b <- closed
        c: opens v3.1.1
        c -> bytes 10 64 00 04 4d
        c <- closed
        a -> bytes 00 00 00 00
        a cuts
        d: v3.1.1 connects { client_id: d }
        d -> bytes 30 64 00 01 74 00 00 00 00 00 00
        d <- closed
        ",
    );
}
