//! MQTT 3.1, where it makes statements of its own.

use broker::Config;
use broker::config::Permission;

use crate::script::play;

/// Every exchange of this file, for those who look at them all.
pub(crate) const ALL: &[fn()] = &[
    a_session_is_kept_or_discarded,
    messages_come_as_often_as_their_qos_says,
    retained_messages_are_held,
    bits_beside_the_requested_qos_mean_nothing,
    a_will_is_published_unless_the_client_takes_leave,
    a_client_may_be_silent_for_one_and_a_half_keep_alives,
    connections_end_as_they_should,
    what_is_not_authorized_is_acknowledged_and_goes_no_further,
    filters_and_topics_are_taken_literally,
    name_and_version_belong_together,
    what_means_nothing_is_disregarded,
    packets_may_be_repeated,
];

#[test]
fn a_session_is_kept_or_discarded() {
    play(
        Config::default(),
        "
        a: v3.1 connects { client_id: a, clean: false }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 1 }] }
        a <- SUBACK: { codes: [1], id: 1 }
        a cuts
        b: v3.1 connects { client_id: b }
        b -> PUBLISH: { topic: t, qos: 1, id: 1, payload: x }
        b <- PUBACK: { id: 1 }
        b -> PUBLISH: { topic: t, qos: 1, id: 1, payload: y }
        b <- PUBACK: { id: 1 }
        a: v3.1 connects { client_id: a, clean: false }
        a <- PUBLISH: { topic: t, qos: 1, id: 1, payload: x }
        a <- PUBLISH: { topic: t, qos: 1, id: 2, payload: y }
        a cuts
        a: v3.1 connects { client_id: a, clean: false }
        a <- PUBLISH: { topic: t, qos: 1, id: 1, payload: x, dup: true }
        a <- PUBLISH: { topic: t, qos: 1, id: 2, payload: y, dup: true }
        a cuts
        a: v3.1 connects { client_id: a, clean: true }
        b -> PUBLISH: { topic: t, qos: 1, id: 1, payload: z }
        b <- PUBACK: { id: 1 }
        a <- nothing
        ",
    );
}

#[test]
fn messages_come_as_often_as_their_qos_says() {
    play(
        Config::default(),
        "
        w: v3.1 connects { client_id: w }
        w -> SUBSCRIBE: { id: 1, filters: [{ filter: t }] }
        w <- SUBACK: { codes: [0], id: 1 }
        a: v3.1 connects { client_id: a }
        a -> PUBLISH: { topic: t, qos: 1, id: 1, payload: x, dup: true }
        a <- PUBACK: { id: 1 }
        w <- PUBLISH: { topic: t, payload: x }
        a -> PUBLISH: { topic: t, qos: 1, id: 1, payload: x, dup: true }
        a <- PUBACK: { id: 1 }
        w <- PUBLISH: { topic: t, payload: x }
        a -> PUBLISH: { topic: t, qos: 2, id: 1, payload: y }
        a <- PUBREC: { id: 1 }
        w <- PUBLISH: { topic: t, payload: y }
        a -> PUBLISH: { topic: t, qos: 2, id: 1, payload: y, dup: true }
        a <- PUBREC: { id: 1 }
        a -> PUBREL: { id: 1 }
        a <- PUBCOMP: { id: 1 }
        w <- nothing
        a -> PUBLISH: { topic: t }
        w <- PUBLISH: { topic: t }
        ",
    );
}

#[test]
fn retained_messages_are_held() {
    play(
        Config::default(),
        "
        w: v3.1 connects { client_id: w }
        w -> SUBSCRIBE: { id: 1, filters: [{ filter: t }] }
        w <- SUBACK: { codes: [0], id: 1 }
        a: v3.1 connects { client_id: a }
        a -> PUBLISH: { topic: t, payload: x, retain: true }
        w <- PUBLISH: { topic: t, payload: x }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: t }] }
        a <- SUBACK: { codes: [0], id: 1 }
        a <- PUBLISH: { topic: t, payload: x, retain: true }
        w -> SUBSCRIBE: { id: 2, filters: [{ filter: t }] }
        w <- SUBACK: { codes: [0], id: 2 }
        w <- PUBLISH: { topic: t, payload: x, retain: true }
        ",
    );
}

#[test]
fn bits_beside_the_requested_qos_mean_nothing() {
    // 2c is QoS 0 with what 5.0 calls No Local, Retain As Published and Retain Handling 2.
    play(
        Config::default(),
        "
        a: v3.1 connects { client_id: a }
        a -> PUBLISH: { topic: t, payload: x, retain: true }
        a -> bytes 82 06 00 01 00 01 74 2c
        a <- SUBACK: { codes: [0], id: 1 }
        a <- PUBLISH: { topic: t, payload: x, retain: true }
        a -> PUBLISH: { topic: t, payload: y, retain: true }
        a <- PUBLISH: { topic: t, payload: y }
        ",
    );
}

#[test]
fn a_will_is_published_unless_the_client_takes_leave() {
    play(
        Config::default(),
        "
        w: v3.1 connects { client_id: w }
        w -> SUBSCRIBE: { id: 1, filters: [{ filter: t }] }
        w <- SUBACK: { codes: [0], id: 1 }
        a: v3.1 connects { client_id: a, will: { topic: t, payload: x } }
        a cuts
        w <- PUBLISH: { topic: t, payload: x }
        a: v3.1 connects { client_id: a, will: { topic: t, payload: y } }
        a -> DISCONNECT
        a <- closed
        w <- nothing
        ",
    );
}

#[test]
fn a_client_may_be_silent_for_one_and_a_half_keep_alives() {
    play(
        Config::default(),
        "
        a: v3.1 connects { client_id: a, keep_alive: 2 }
        b: v3.1 connects { client_id: b, keep_alive: 0 }
        wait 2.999s
        a <- nothing
        wait 0.001s
        a <- closed
        wait 100000s
        b <- nothing
        b -> PINGREQ
        b <- PINGRESP
        ",
    );
}

#[test]
fn connections_end_as_they_should() {
    // The last CONNECT ends where its Client Identifier should stand.
    play(
        Config::default(),
        "
        a: v3.1 connects { client_id: a }
        b: v3.1 connects { client_id: a }
        a <- closed
        b -> DISCONNECT
        b <- closed
        c: opens v3.1
        c -> bytes 10 0c 00 06 4d 51 49 73 64 70 03 02 00 3c
        c <- closed
        ",
    );
}

#[test]
fn what_is_not_authorized_is_acknowledged_and_goes_no_further() {
    let mut config = Config::default();
    config.access.permissions.push(Permission {
        user: None,
        filter: "t".into(),
        publish: false,
        subscribe: true,
    });
    play(
        config,
        "
        a: v3.1 connects { client_id: a }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: t }] }
        a <- SUBACK: { codes: [0], id: 1 }
        a -> PUBLISH: { topic: t, qos: 1, id: 1, payload: x }
        a <- PUBACK: { id: 1 }
        a -> PUBLISH: { topic: t, qos: 2, id: 1, payload: x }
        a <- PUBREC: { id: 1 }
        ",
    );
}

#[test]
fn filters_and_topics_are_taken_literally() {
    play(
        Config::default(),
        "
        a: v3.1 connects { client_id: a }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: T }] }
        a <- SUBACK: { codes: [0], id: 1 }
        a -> PUBLISH: { topic: t, payload: x }
        a -> PUBLISH: { topic: /T, payload: x }
        a -> PUBLISH: { topic: T, payload: y }
        a <- PUBLISH: { topic: T, payload: y }
        a -> SUBSCRIBE: { id: 2, filters: [{ filter: a/#/b }] }
        a <- closed
        b: v3.1 connects { client_id: b }
        b -> SUBSCRIBE: { id: 1, filters: [{ filter: a+ }] }
        b <- closed
        ",
    );
}

#[test]
fn name_and_version_belong_together() {
    // MQIsdx and 3, then MQIsdp and 4.
    play(
        Config::default(),
        "
        a: opens v3.1
        a -> bytes 10 0f 00 06 4d 51 49 73 64 78 03 02 00 3c 00 01 61
        a <- closed
        b: opens v3.1
        b -> bytes 10 0f 00 06 4d 51 49 73 64 70 04 02 00 3c 00 01 61
        b <- CONNACK: { code: 1, .. }
        b <- closed
        ",
    );
}

#[test]
fn what_means_nothing_is_disregarded() {
    // Will QoS 1 without a Will.
    play(
        Config::default(),
        "
        a: opens v3.1
        a -> bytes 10 0f 00 06 4d 51 49 73 64 70 03 0a 00 3c 00 01 61
        a <- CONNACK: { code: 0, .. }
        ",
    );
}

#[test]
fn packets_may_be_repeated() {
    // SUBSCRIBE, UNSUBSCRIBE and PUBREL with DUP set.
    play(
        Config::default(),
        "
        a: v3.1 connects { client_id: a }
        a -> bytes 8a 06 00 01 00 01 74 00
        a <- SUBACK: { codes: [0], id: 1 }
        a -> bytes aa 05 00 02 00 01 74
        a <- UNSUBACK: { id: 2 }
        a -> PUBLISH: { topic: t, qos: 2, id: 7 }
        a <- PUBREC: { id: 7 }
        a -> bytes 6a 02 00 07
        a <- PUBCOMP: { id: 7 }
        ",
    );
}
