//! SUBSCRIBE and UNSUBSCRIBE, wildcards, overlapping and shared subscriptions.

use broker::Config;

use crate::script::play;

#[test]
fn filters_are_granted_and_deleted_one_by_one() {
    play(
        Config::default(),
        "
        s: v5.0 connects { client_id: s }
        s -> SUBSCRIBE: { id: 10, filters: [{ filter: a, qos: 2 }, { filter: b, qos: 0 }, { filter: c, qos: 1 }] }
        s <- SUBACK: { codes: [granted_qos_2, granted_qos_0, granted_qos_1], id: 10 }
        s -> UNSUBSCRIBE: { id: 11, filters: [b, x, a] }
        s <- UNSUBACK: { codes: [success, no_subscription_existed, success], id: 11 }
        s -> PUBLISH: { topic: a }
        s -> PUBLISH: { topic: c }
        s <- PUBLISH: { topic: c }
        o: v3.1.1 connects { client_id: o }
        o -> UNSUBSCRIBE: { id: 3, filters: [nothing] }
        o <- UNSUBACK: { id: 3 }
        ",
    );
}

#[test]
fn leading_wildcards_pass_over_topics_with_a_dollar() {
    play(
        Config::default(),
        "
        s: v3.1.1 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: '#' }, { filter: +/t }] }
        s <- SUBACK: { codes: [0, 0], id: 1 }
        w: v5.0 connects { client_id: w }
        w -> SUBSCRIBE: { id: 1, filters: [{ filter: $x/+ }] }
        w <- SUBACK: { codes: [granted_qos_0], id: 1 }
        w -> PUBLISH: { topic: $x/t, payload: x }
        w <- PUBLISH: { topic: $x/t, payload: x }
        s <- nothing
        ",
    );
}

#[test]
fn overlapping_subscriptions_give_one_copy() {
    play(
        Config::default(),
        "
        s: v5.0 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, subscription_id: 5, filters: [{ filter: t/+, qos: 0 }] }
        s <- SUBACK: { codes: [granted_qos_0], id: 1 }
        s -> SUBSCRIBE: { id: 2, subscription_id: 7, filters: [{ filter: t/a, qos: 1 }] }
        s <- SUBACK: { codes: [granted_qos_1], id: 2 }
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: t/a, qos: 2, id: 1 }
        p <- PUBREC: { id: 1 }
        s <- PUBLISH: { topic: t/a, qos: 1, id: 1, subscription_ids: [5, 7] }
        s -> PUBACK: { id: 1 }
        s -> SUBSCRIBE: { id: 3, filters: [{ filter: t/a, qos: 0 }] }
        s <- SUBACK: { codes: [granted_qos_0], id: 3 }
        p -> PUBLISH: { topic: t/a }
        s <- PUBLISH: { topic: t/a, subscription_ids: [5] }
        ",
    );
}

#[test]
fn no_local_keeps_a_clients_own_messages_from_it() {
    play(
        Config::default(),
        "
        a: v5.0 connects { client_id: a }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: t, no_local: true }] }
        a <- SUBACK: { codes: [granted_qos_0], id: 1 }
        a -> PUBLISH: { topic: t, payload: own }
        b: v5.0 connects { client_id: b }
        b -> PUBLISH: { topic: t, payload: other }
        a <- PUBLISH: { topic: t, payload: other }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: $share/g/t, no_local: true }] }
        a <- DISCONNECT: { reason: protocol_error, .. }
        a <- closed
        ",
    );
}

#[test]
fn a_malformed_filter_closes_the_connection() {
    for filter in ["a/#/b", "a+", "a#", "$share//t", "$share/g", "$share/a+/t"] {
        play(
            Config::default(),
            &format!(
                "
                a: v5.0 connects {{ client_id: a }}
                a -> SUBSCRIBE: {{ id: 1, filters: [{{ filter: {filter} }}] }}
                a <- DISCONNECT: {{ reason: topic_filter_invalid, .. }}
                a <- closed
                "
            ),
        );
    }
}

#[test]
fn a_share_gives_each_message_to_one_in_turn() {
    play(
        Config::default(),
        "
        a: v5.0 connects { client_id: a }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: $share/g/t, qos: 1 }] }
        a <- SUBACK: { codes: [granted_qos_1], id: 1 }
        b: v5.0 connects { client_id: b }
        b -> SUBSCRIBE: { id: 1, filters: [{ filter: $share/g/t, qos: 1 }] }
        b <- SUBACK: { codes: [granted_qos_1], id: 1 }
        c: v5.0 connects { client_id: c }
        c -> SUBSCRIBE: { id: 1, filters: [{ filter: t }] }
        c <- SUBACK: { codes: [granted_qos_0], id: 1 }
        c -> PUBLISH: { topic: t, payload: 1, qos: 1, id: 1 }
        c <- PUBLISH: { topic: t, payload: 1 }
        c <- PUBACK: { id: 1 }
        c -> PUBLISH: { topic: t, payload: 2, qos: 1, id: 2 }
        c <- PUBLISH: { topic: t, payload: 2 }
        c <- PUBACK: { id: 2 }
        a <- PUBLISH: { topic: t, payload: 1, qos: 1, id: 1 }
        b <- PUBLISH: { topic: t, payload: 2, qos: 1, id: 1 }
        a -> PUBACK: { id: 1, reason: unspecified_error }
        b <- nothing
        b -> DISCONNECT
        a <- PUBLISH: { topic: t, payload: 2, qos: 1, id: 2 }
        ",
    );
}

#[test]
fn a_qos_2_delivery_of_a_share_goes_to_nobody_else() {
    play(
        Config::default(),
        "
        a: v5.0 connects { client_id: a, session_expiry: 10 }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: $share/g/t, qos: 2 }] }
        a <- SUBACK: { codes: [granted_qos_2], id: 1 }
        b: v5.0 connects { client_id: b }
        b -> SUBSCRIBE: { id: 1, filters: [{ filter: $share/g/t, qos: 2 }] }
        b <- SUBACK: { codes: [granted_qos_2], id: 1 }
        b -> PUBLISH: { topic: t, payload: 1, qos: 2, id: 1 }
        b <- PUBREC: { id: 1 }
        a <- PUBLISH: { topic: t, payload: 1, qos: 2, id: 1 }
        a cuts
        wait 9s
        a: v5.0 connects { client_id: a, clean: false, session_expiry: 10 }
        a <- PUBLISH: { topic: t, payload: 1, dup: true, qos: 2, id: 1 }
        a cuts
        wait 10s
        b <- nothing
        ",
    );
}

#[test]
fn to_3_1_1_a_share_is_a_topic_like_any_other() {
    play(
        Config::default(),
        "
        a: v3.1.1 connects { client_id: a }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: $share/g/t }] }
        a <- SUBACK: { codes: [0], id: 1 }
        a -> PUBLISH: { topic: t }
        a -> PUBLISH: { topic: $share/g/t }
        a <- PUBLISH: { topic: $share/g/t }
        ",
    );
}

#[test]
fn limits_are_answered_with_quota_exceeded() {
    let mut config = Config::default();
    config.limits.subscriptions = 1;
    config.limits.topic_levels = 3;
    play(
        config,
        "
        a: v5.0 connects { client_id: a }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: a/b/c/d }, { filter: a/b/c }, { filter: b }, { filter: a/b/c }] }
        a <- SUBACK: { codes: [quota_exceeded, granted_qos_0, quota_exceeded, granted_qos_0], id: 1, .. }
        ",
    );
}
