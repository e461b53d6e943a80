//! Messages to clients: order, Receive Maximum, Maximum Packet Size, Message Expiry, Topic Aliases, congestion.

use broker::Config;

use crate::script::play;

/// Every exchange of this file, for those who look at them all.
pub(crate) const ALL: &[fn()] = &[
    the_receive_maximum_of_the_client_is_kept,
    a_message_too_large_for_the_client_counts_as_delivered,
    a_message_waits_no_longer_than_its_expiry,
    topic_aliases_towards_a_client_stay_within_its_maximum,
    a_client_that_does_not_keep_up_loses_qos_0_only,
    an_exchange_is_completed_though_the_message_has_expired,
];

#[test]
fn the_receive_maximum_of_the_client_is_kept() {
    play(
        Config::default(),
        "
        s: v5.0 connects { client_id: s, receive_maximum: 2 }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 2 }] }
        s <- SUBACK: { codes: [granted_qos_2], id: 1 }
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: t, payload: 1, qos: 2, id: 1 }
        p <- PUBREC: { id: 1 }
        p -> PUBLISH: { topic: t, payload: 2, qos: 1, id: 2 }
        p <- PUBACK: { id: 2 }
        p -> PUBLISH: { topic: t, payload: 3, qos: 1, id: 3 }
        p <- PUBACK: { id: 3 }
        s <- PUBLISH: { topic: t, payload: 1, qos: 2, id: 1 }
        s <- PUBLISH: { topic: t, payload: 2, qos: 1, id: 2 }
        s <- nothing
        s -> PUBREC: { id: 1 }
        s <- PUBREL: { id: 1 }
        s -> PINGREQ
        s <- PINGRESP
        s -> PUBCOMP: { id: 1 }
        s <- PUBLISH: { topic: t, payload: 3, qos: 1, id: 3 }
        ",
    );
}

#[test]
fn a_message_too_large_for_the_client_counts_as_delivered() {
    play(
        Config::default(),
        "
        s: v5.0 connects { client_id: s, maximum_packet_size: 20, receive_maximum: 1 }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 1 }] }
        s <- SUBACK: { codes: [granted_qos_1], id: 1 }
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: t, payload: 0123456789012345, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        p -> PUBLISH: { topic: t, payload: short, qos: 1, id: 2 }
        p <- PUBACK: { id: 2 }
        s <- PUBLISH: { topic: t, payload: short, qos: 1, id: 2 }
        ",
    );
}

#[test]
fn a_message_waits_no_longer_than_its_expiry() {
    play(
        Config::default(),
        "
        s: v5.0 connects { client_id: s, session_expiry: 600 }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 1 }] }
        s <- SUBACK: { codes: [granted_qos_1], id: 1 }
        s -> DISCONNECT
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: t, payload: a, qos: 1, id: 1, message_expiry: 1 }
        p <- PUBACK: { id: 1 }
        p -> PUBLISH: { topic: t, payload: b, qos: 1, id: 2, message_expiry: 600 }
        p <- PUBACK: { id: 2 }
        p -> PUBLISH: { topic: t, payload: c, qos: 1, id: 3 }
        p <- PUBACK: { id: 3 }
        wait 1s
        s: v5.0 connects { client_id: s, clean: false, session_expiry: 600 }
        s <- PUBLISH: { topic: t, payload: b, qos: 1, id: 1, message_expiry: 599 }
        s <- PUBLISH: { topic: t, payload: c, qos: 1, id: 2 }
        ",
    );
}

#[test]
fn topic_aliases_towards_a_client_stay_within_its_maximum() {
    play(
        Config::default(),
        "
        s: v5.0 connects { client_id: s, topic_alias_maximum: 1 }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: '#' }] }
        s <- SUBACK: { codes: [granted_qos_0], id: 1 }
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: one }
        p -> PUBLISH: { topic: one }
        p -> PUBLISH: { topic: two }
        s <- PUBLISH: { topic: one, topic_alias: 1 }
        s <- PUBLISH: { topic: '', topic_alias: 1 }
        s <- PUBLISH: { topic: two }
        ",
    );
}

#[test]
fn a_client_that_does_not_keep_up_loses_qos_0_only() {
    play(
        Config::default(),
        "
        s: v3.1.1 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 1 }] }
        s <- SUBACK: { codes: [1], id: 1 }
        p: v3.1.1 connects { client_id: p }
        s congested
        p -> PUBLISH: { topic: t, payload: zero }
        p -> PUBLISH: { topic: t, payload: one, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        s <- nothing
        s drained
        s <- PUBLISH: { topic: t, payload: one, qos: 1, id: 1 }
        ",
    );
}

#[test]
fn an_exchange_is_completed_though_the_message_has_expired() {
    play(
        Config::default(),
        "
        s: v5.0 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 2 }] }
        s <- SUBACK: { codes: [granted_qos_2], id: 1 }
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: t, qos: 2, id: 1, message_expiry: 5 }
        p <- PUBREC: { id: 1 }
        s <- PUBLISH: { topic: t, qos: 2, id: 1, message_expiry: 5 }
        wait 6s
        s -> PUBREC: { id: 1 }
        s <- PUBREL: { id: 1 }
        ",
    );
}
