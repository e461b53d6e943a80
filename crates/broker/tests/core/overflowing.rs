//! More waits for a client than may: its Session ends, and nobody else is hurt.

use broker::Config;

use crate::script::play;

/// Every exchange of this file, for those who look at them all.
pub(crate) const ALL: &[fn()] = &[
    the_session_of_a_client_that_is_away_ends,
    a_connected_client_is_told,
    a_shared_message_goes_to_another,
    its_will_is_published,
    what_can_be_sent_at_once_does_not_wait,
    a_subscription_brings_all_retained_messages_or_none,
];

fn two_may_wait() -> Config {
    let mut config = Config::default();
    config.limits.queued_messages = 2;
    config
}

#[test]
fn the_session_of_a_client_that_is_away_ends() {
    play(
        two_may_wait(),
        "
        a: v5.0 connects { client_id: a, session_expiry: 100 }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 1 }] }
        a <- SUBACK: { id: 1, codes: [granted_qos_1] }
        a cuts
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: t, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        p -> PUBLISH: { topic: t, qos: 1, id: 2 }
        p <- PUBACK: { id: 2 }
        p -> PUBLISH: { topic: t, qos: 1, id: 3 }
        p <- PUBACK: { id: 3 }
        noted v5.0/MQTT-4.5.0-1: the Session of \"a\" ended
        p -> PUBLISH: { topic: t, qos: 1, id: 4 }
        p <- PUBACK: { id: 4, reason: no_matching_subscribers }
        a: opens v5.0
        a -> CONNECT: { client_id: a, clean: false, session_expiry: 100 }
        a <- CONNACK: { session_present: false, .. }
        ",
    );
}

#[test]
fn a_connected_client_is_told() {
    play(
        two_may_wait(),
        "
        five: v5.0 connects { client_id: five, session_expiry: 100, receive_maximum: 1 }
        five -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 2 }] }
        five <- SUBACK: { id: 1, codes: [granted_qos_2] }
        three: v3.1.1 connects { client_id: three }
        three -> SUBSCRIBE: { id: 1, filters: [{ filter: u, qos: 1 }] }
        three <- SUBACK: { id: 1, codes: [granted_qos_1] }
        three congested
        p: v3.1.1 connects { client_id: p }
        p -> PUBLISH: { topic: t, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        five <- PUBLISH: { topic: t, qos: 1, id: 1 }
        p -> PUBLISH: { topic: t, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        p -> PUBLISH: { topic: t, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        five <- nothing
        p -> PUBLISH: { topic: t, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        five <- DISCONNECT: { reason: quota_exceeded, .. }
        five <- closed
        p -> PUBLISH: { topic: u, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        p -> PUBLISH: { topic: u, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        three <- nothing
        p -> PUBLISH: { topic: u, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        three <- closed
        ",
    );
}

#[test]
fn a_shared_message_goes_to_another() {
    play(
        two_may_wait(),
        "
        a: v5.0 connects { client_id: a, session_expiry: 100 }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: $share/g/t, qos: 1 }, { filter: own, qos: 1 }] }
        a <- SUBACK: { id: 1, codes: [granted_qos_1, granted_qos_1] }
        a cuts
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: t, qos: 1, id: 1, payload: kept }
        p <- PUBACK: { id: 1 }
        b: v5.0 connects { client_id: b }
        b -> SUBSCRIBE: { id: 1, filters: [{ filter: $share/g/t, qos: 1 }] }
        b <- SUBACK: { id: 1, codes: [granted_qos_1] }
        p -> PUBLISH: { topic: own, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        b <- nothing
        p -> PUBLISH: { topic: own, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        b <- PUBLISH: { topic: t, qos: 1, id: 1, payload: kept }
        ",
    );
}

#[test]
fn its_will_is_published() {
    play(
        two_may_wait(),
        "
        a: v5.0 connects { client_id: a, session_expiry: 100, will: { topic: w, payload: gone, delay: 50 } }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 1 }] }
        a <- SUBACK: { id: 1, codes: [granted_qos_1] }
        a cuts
        p: v3.1.1 connects { client_id: p }
        p -> SUBSCRIBE: { id: 1, filters: [{ filter: w, qos: 0 }] }
        p <- SUBACK: { id: 1, codes: [granted_qos_0] }
        p -> PUBLISH: { topic: t, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        p -> PUBLISH: { topic: t, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        p <- nothing
        p -> PUBLISH: { topic: t, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        p <- PUBLISH: { topic: w, payload: gone }
        ",
    );
}

#[test]
fn what_can_be_sent_at_once_does_not_wait() {
    let mut config = two_may_wait();
    config.limits.queued_messages = 0;
    play(
        config,
        "
        p: v3.1.1 connects { client_id: p }
        p -> PUBLISH: { topic: t, qos: 1, id: 1, retain: true, payload: x }
        p <- PUBACK: { id: 1 }
        a: v5.0 connects { client_id: a, receive_maximum: 2 }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 1 }] }
        a <- SUBACK: { id: 1, codes: [granted_qos_1] }
        a <- PUBLISH: { topic: t, qos: 1, id: 1, retain: true, payload: x }
        p -> PUBLISH: { topic: t, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        a <- PUBLISH: { topic: t, qos: 1, id: 2 }
        a -> PUBACK: { id: 1 }
        p -> PUBLISH: { topic: t, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        a <- PUBLISH: { topic: t, qos: 1, id: 3 }
        p -> PUBLISH: { topic: t, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        a <- DISCONNECT: { reason: quota_exceeded, .. }
        a <- closed
        ",
    );
}

#[test]
fn a_subscription_brings_all_retained_messages_or_none() {
    play(
        two_may_wait(),
        "
        p: v3.1.1 connects { client_id: p }
        p -> PUBLISH: { topic: r/1, qos: 1, id: 1, retain: true, payload: x }
        p <- PUBACK: { id: 1 }
        p -> PUBLISH: { topic: r/2, qos: 1, id: 1, retain: true, payload: x }
        p <- PUBACK: { id: 1 }
        p -> PUBLISH: { topic: r/3, qos: 1, id: 1, retain: true, payload: x }
        p <- PUBACK: { id: 1 }
        a: v5.0 connects { client_id: a, receive_maximum: 1 }
        a congested
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: r/+, qos: 1 }, { filter: r/1, qos: 1 }] }
        a <- SUBACK: { id: 1, codes: [quota_exceeded, granted_qos_1], .. }
        noted v5.0/MQTT-3.8.4-7: SUBSCRIBE refused: more retained messages match
        a <- nothing
        a drained
        a <- PUBLISH: { topic: r/1, qos: 1, id: 1, retain: true, payload: x }
        b: v3.1.1 connects { client_id: b }
        b -> SUBSCRIBE: { id: 1, filters: [{ filter: r/+, qos: 0 }] } # nothing of it has to wait
        b <- SUBACK: { id: 1, codes: [granted_qos_0] }
        b <- PUBLISH: { topic: r/1, retain: true, payload: x }
        b <- PUBLISH: { topic: r/2, retain: true, payload: x }
        b <- PUBLISH: { topic: r/3, retain: true, payload: x }
        ",
    );
}
