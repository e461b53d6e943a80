//! Sessions: resumed, thrown away, expired, taken over.

use broker::Config;

use crate::script::play;

/// Every exchange of this file, for those who look at them all.
pub(crate) const ALL: &[fn()] = &[
    a_session_of_3_1_1_waits_for_its_client,
    a_session_expires_when_its_interval_has_passed,
    the_server_may_grant_less_expiry,
    a_second_connection_takes_the_session_over,
    what_was_in_flight_is_sent_again,
    the_receiver_of_qos_2_remembers_across_connections,
    what_was_in_flight_is_sent_again_in_its_order,
    messages_wait_in_their_order,
    a_session_belongs_to_its_client_identifier,
    a_session_lasts_as_long_as_its_connection,
    what_was_sent_does_not_expire,
];

#[test]
fn a_session_of_3_1_1_waits_for_its_client() {
    play(
        Config::default(),
        "
        p: v3.1.1 connects { client_id: p }
        a: v3.1.1 connects { client_id: a, clean: false }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 1 }] }
        a <- SUBACK: { codes: [1], id: 1 }
        a -> DISCONNECT
        a <- closed
        p -> PUBLISH: { topic: t, payload: zero }
        p -> PUBLISH: { topic: t, payload: one, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        wait 1000000s
        a: opens v3.1.1
        a -> CONNECT: { client_id: a, clean: false }
        a <- CONNACK: { session_present: true, code: accepted }
        a <- PUBLISH: { topic: t, payload: one, qos: 1, id: 1 }
        a -> PUBACK: { id: 1 }
        a -> DISCONNECT
        a: opens v3.1.1
        a -> CONNECT: { client_id: a, clean: true }
        a <- CONNACK: { session_present: false, code: accepted }
        a -> DISCONNECT
        a: opens v3.1.1
        a -> CONNECT: { client_id: a, clean: false }
        a <- CONNACK: { session_present: false, code: accepted }
        p -> PUBLISH: { topic: t, payload: two, qos: 1, id: 2 }
        p <- PUBACK: { id: 2 }
        a <- nothing
        ",
    );
}

#[test]
fn a_session_expires_when_its_interval_has_passed() {
    play(
        Config::default(),
        "
        a: v5.0 connects { client_id: a, session_expiry: 10 }
        a -> DISCONNECT
        wait 9.999s
        a: opens v5.0
        a -> CONNECT: { client_id: a, clean: false, session_expiry: 10 }
        a <- CONNACK: { session_present: true, .. }
        a cuts
        wait 10s
        a: opens v5.0
        a -> CONNECT: { client_id: a, clean: false, session_expiry: 10 }
        a <- CONNACK: { session_present: false, .. }
        a -> DISCONNECT: { session_expiry: 1 }
        wait 1s
        a: opens v5.0
        a -> CONNECT: { client_id: a, clean: false }
        a <- CONNACK: { session_present: false, .. }
        a -> DISCONNECT
        a: opens v5.0
        a -> CONNECT: { client_id: a, clean: false }
        a <- CONNACK: { session_present: false, .. }
        a -> DISCONNECT: { session_expiry: 5 }
        a <- DISCONNECT: { reason: protocol_error, .. }
        a <- closed
        ",
    );
}

#[test]
fn the_server_may_grant_less_expiry() {
    let mut config = Config::default();
    config.limits.session_expiry = Some(60);
    play(
        config,
        "
        a: opens v5.0
        a -> CONNECT: { client_id: a, session_expiry: 100 }
        a <- CONNACK: { session_expiry: 60, .. }
        ",
    );
}

#[test]
fn a_second_connection_takes_the_session_over() {
    play(
        Config::default(),
        "
        w: v5.0 connects { client_id: w }
        w -> SUBSCRIBE: { id: 1, filters: [{ filter: gone }] }
        w <- SUBACK: { codes: [granted_qos_0], id: 1 }
        old: v5.0 connects { client_id: a, session_expiry: 10, will: { topic: gone, payload: old } }
        new: opens v5.0
        new -> CONNECT: { client_id: a, clean: false, session_expiry: 10 }
        old <- DISCONNECT: { reason: session_taken_over, .. }
        old <- closed
        new <- CONNACK: { session_present: true, .. }
        w <- PUBLISH: { topic: gone, payload: old }
        newer: opens v3.1.1
        newer -> CONNECT: { client_id: a }
        new <- DISCONNECT: { reason: session_taken_over, .. }
        new <- closed
        newer <- CONNACK: { session_present: false, code: accepted }
        newest: v3.1.1 connects { client_id: a }
        newer <- closed
        newest -> PINGREQ
        newest <- PINGRESP
        ",
    );
}

#[test]
fn what_was_in_flight_is_sent_again() {
    play(
        Config::default(),
        "
        p: v5.0 connects { client_id: p }
        a: v5.0 connects { client_id: a, session_expiry: 100 }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: t/#, qos: 2 }] }
        a <- SUBACK: { codes: [granted_qos_2], id: 1 }
        p -> PUBLISH: { topic: t/1, payload: one, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        p -> PUBLISH: { topic: t/2, payload: two, qos: 2, id: 2 }
        p <- PUBREC: { id: 2 }
        p -> PUBREL: { id: 2 }
        p <- PUBCOMP: { id: 2 }
        p -> PUBLISH: { topic: t/3, payload: three, qos: 2, id: 3 }
        p <- PUBREC: { id: 3 }
        a <- PUBLISH: { topic: t/1, payload: one, qos: 1, id: 1 }
        a <- PUBLISH: { topic: t/2, payload: two, qos: 2, id: 2 }
        a <- PUBLISH: { topic: t/3, payload: three, qos: 2, id: 3 }
        a -> PUBREC: { id: 3 }
        a <- PUBREL: { id: 3 }
        a cuts
        a: v5.0 connects { client_id: a, clean: false, session_expiry: 100 }
        a <- PUBREL: { id: 3 }
        a <- PUBLISH: { topic: t/1, payload: one, dup: true, qos: 1, id: 1 }
        a <- PUBLISH: { topic: t/2, payload: two, dup: true, qos: 2, id: 2 }
        a -> PUBREC: { id: 2, reason: unspecified_error }
        a -> PUBCOMP: { id: 3 }
        a cuts
        a: v5.0 connects { client_id: a, clean: false, session_expiry: 100 }
        a <- PUBLISH: { topic: t/1, payload: one, dup: true, qos: 1, id: 1 }
        a -> PUBACK: { id: 1 }
        a <- nothing
        ",
    );
}

#[test]
fn the_receiver_of_qos_2_remembers_across_connections() {
    play(
        Config::default(),
        "
        s: v5.0 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 0 }] }
        s <- SUBACK: { codes: [granted_qos_0], id: 1 }
        p: v5.0 connects { client_id: p, session_expiry: 100 }
        p -> PUBLISH: { topic: t, payload: once, qos: 2, id: 7 }
        p <- PUBREC: { id: 7 }
        s <- PUBLISH: { topic: t, payload: once }
        p cuts
        p: v5.0 connects { client_id: p, clean: false, session_expiry: 100 }
        p -> PUBLISH: { topic: t, payload: once, qos: 2, id: 7, dup: true }
        p <- PUBREC: { id: 7 }
        s <- nothing
        p -> PUBREL: { id: 7 }
        p <- PUBCOMP: { id: 7 }
        p -> PUBREL: { id: 7 }
        p <- PUBCOMP: { id: 7, reason: packet_identifier_not_found }
        p -> PUBLISH: { topic: t, payload: again, qos: 2, id: 7 }
        p <- PUBREC: { id: 7 }
        s <- PUBLISH: { topic: t, payload: again }
        ",
    );
}

#[test]
fn what_was_in_flight_is_sent_again_in_its_order() {
    for (version, keep, granted) in [
        ("v3.1.1", "clean: false", "2"),
        ("v5.0", "clean: false, session_expiry: 100", "granted_qos_2"),
    ] {
        play(
            Config::default(),
            &format!(
                "
                p: {version} connects {{ client_id: p }}
                a: {version} connects {{ client_id: a, {keep} }}
                a -> SUBSCRIBE: {{ id: 1, filters: [{{ filter: t, qos: 2 }}] }}
                a <- SUBACK: {{ codes: [{granted}], id: 1 }}
                p -> PUBLISH: {{ topic: t, payload: 1, qos: 1, id: 1 }}
                p <- PUBACK: {{ id: 1 }}
                p -> PUBLISH: {{ topic: t, payload: 2, qos: 1, id: 1 }}
                p <- PUBACK: {{ id: 1 }}
                p -> PUBLISH: {{ topic: t, payload: 3, qos: 2, id: 1 }}
                p <- PUBREC: {{ id: 1 }}
                p -> PUBLISH: {{ topic: t, payload: 4, qos: 2, id: 2 }}
                p <- PUBREC: {{ id: 2 }}
                p -> PUBLISH: {{ topic: t, payload: 5, qos: 2, id: 3 }}
                p <- PUBREC: {{ id: 3 }}
                a <- PUBLISH: {{ topic: t, payload: 1, qos: 1, id: 1 }}
                a <- PUBLISH: {{ topic: t, payload: 2, qos: 1, id: 2 }}
                a <- PUBLISH: {{ topic: t, payload: 3, qos: 2, id: 3 }}
                a <- PUBLISH: {{ topic: t, payload: 4, qos: 2, id: 4 }}
                a <- PUBLISH: {{ topic: t, payload: 5, qos: 2, id: 5 }}
                a -> PUBREC: {{ id: 4 }}
                a <- PUBREL: {{ id: 4 }}
                a -> PUBREC: {{ id: 3 }}
                a <- PUBREL: {{ id: 3 }}
                a cuts
                a: {version} connects {{ client_id: a, {keep} }}
                a <- PUBREL: {{ id: 4 }}
                a <- PUBREL: {{ id: 3 }}
                a <- PUBLISH: {{ topic: t, payload: 1, dup: true, qos: 1, id: 1 }}
                a <- PUBLISH: {{ topic: t, payload: 2, dup: true, qos: 1, id: 2 }}
                a <- PUBLISH: {{ topic: t, payload: 5, dup: true, qos: 2, id: 5 }}
                a -> PUBCOMP: {{ id: 4 }}
                a -> PUBCOMP: {{ id: 3 }}
                a -> PUBACK: {{ id: 1 }}
                a -> PUBACK: {{ id: 2 }}
                a -> PUBREC: {{ id: 5 }}
                a <- PUBREL: {{ id: 5 }}
                a -> PUBCOMP: {{ id: 5 }}
                a cuts
                a: {version} connects {{ client_id: a, {keep} }}
                a <- nothing
                "
            ),
        );
    }
}

#[test]
fn messages_wait_in_their_order() {
    play(
        Config::default(),
        "
        p: v3.1.1 connects { client_id: p }
        a: v3.1.1 connects { client_id: a, clean: false }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 2 }] }
        a <- SUBACK: { codes: [2], id: 1 }
        a -> DISCONNECT
        p -> PUBLISH: { topic: t, payload: 1, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        p -> PUBLISH: { topic: t, payload: 2, qos: 2, id: 2 }
        p <- PUBREC: { id: 2 }
        a: v3.1.1 connects { client_id: a, clean: false }
        a <- PUBLISH: { topic: t, payload: 1, qos: 1, id: 1 }
        a <- PUBLISH: { topic: t, payload: 2, qos: 2, id: 2 }
        a -> PUBREC: { id: 2 }
        a <- PUBREL: { id: 2 }
        a -> PUBREC: { id: 2 }
        a <- PUBREL: { id: 2 }
        ",
    );
}

#[test]
fn a_session_belongs_to_its_client_identifier() {
    play(
        Config::default(),
        "
        a: v3.1.1 connects { client_id: a, clean: false }
        a -> DISCONNECT
        b: opens v3.1.1
        b -> CONNECT: { client_id: b, clean: false }
        b <- CONNACK: { session_present: false, code: accepted }
        ",
    );
}

#[test]
fn a_session_lasts_as_long_as_its_connection() {
    for (version, granted) in [("v3.1.1", "0"), ("v5.0", "granted_qos_0")] {
        play(
            Config::default(),
            &format!(
                "
                a: {version} connects {{ client_id: a, keep_alive: 0 }}
                a -> SUBSCRIBE: {{ id: 1, filters: [{{ filter: t }}] }}
                a <- SUBACK: {{ codes: [{granted}], id: 1 }}
                wait 100000s
                a -> PINGREQ
                a <- PINGRESP
                a -> PUBLISH: {{ topic: t }}
                a <- PUBLISH: {{ topic: t }}
                "
            ),
        );
    }
}

#[test]
fn what_was_sent_does_not_expire() {
    play(
        Config::default(),
        "
        p: v5.0 connects { client_id: p }
        a: v5.0 connects { client_id: a, session_expiry: 100 }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 2 }] }
        a <- SUBACK: { codes: [granted_qos_2], id: 1 }
        p -> PUBLISH: { topic: t, qos: 2, id: 1, message_expiry: 5 }
        p <- PUBREC: { id: 1 }
        a <- PUBLISH: { topic: t, qos: 2, id: 1, message_expiry: 5 }
        a cuts
        wait 6s
        a: v5.0 connects { client_id: a, clean: false, session_expiry: 100 }
        a <- PUBLISH: { topic: t, dup: true, qos: 2, id: 1, message_expiry: 0 }
        a -> PUBREC: { id: 1 }
        a <- PUBREL: { id: 1 }
        ",
    );
}
