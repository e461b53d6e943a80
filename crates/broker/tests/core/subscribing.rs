//! SUBSCRIBE and UNSUBSCRIBE, wildcards, overlapping and shared subscriptions.

use broker::Config;
use broker::config::Permission;

use crate::script::play;

/// Every exchange of this file, for those who look at them all.
pub(crate) const ALL: &[fn()] = &[
    filters_are_granted_and_deleted_one_by_one,
    leading_wildcards_pass_over_topics_with_a_dollar,
    overlapping_subscriptions_give_one_copy,
    no_local_keeps_a_clients_own_messages_from_it,
    a_malformed_filter_closes_the_connection,
    a_share_gives_each_message_to_one_in_turn,
    a_qos_2_delivery_of_a_share_goes_to_nobody_else,
    to_3_1_1_a_share_is_a_topic_like_any_other,
    limits_are_answered_with_quota_exceeded,
    malformed_filters_close_connections_of_3_1_1_too,
    unsubscribing_in_3_1_1,
    unsubscribing_in_5,
    overlapping_subscriptions_of_3_1_1_give_the_highest_qos,
    leading_wildcards_of_5_pass_over_topics_with_a_dollar,
    a_subscription_that_3_1_does_not_permit_is_told_as_made,
];

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

#[test]
fn malformed_filters_close_connections_of_3_1_1_too() {
    for filter in ["a/#/b", "a+", "''"] {
        play(
            Config::default(),
            &format!(
                "
                a: v3.1.1 connects {{ client_id: a }}
                a -> SUBSCRIBE: {{ id: 1, filters: [{{ filter: {filter} }}] }}
                a <- closed
                "
            ),
        );
    }
    play(
        Config::default(),
        "
        a: v5.0 connects { client_id: a }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: '' }] }
        a <- DISCONNECT: { .. }
        a <- closed
        ",
    );
}

#[test]
fn unsubscribing_in_3_1_1() {
    play(
        Config::default(),
        "
        s: v3.1.1 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: a, qos: 2 }, { filter: b }, { filter: a/# }] }
        s <- SUBACK: { codes: [2, 0, 0], id: 1 }
        s -> PUBLISH: { topic: a, qos: 2, id: 1 }
        s <- PUBLISH: { topic: a, qos: 2, id: 1 }
        s <- PUBREC: { id: 1 }
        s -> UNSUBSCRIBE: { id: 2, filters: [a, b, '#'] }
        s <- UNSUBACK: { id: 2 }
        s -> PUBLISH: { topic: b }
        s -> PUBLISH: { topic: a, payload: still }
        s <- PUBLISH: { topic: a, payload: still }
        s -> PUBREC: { id: 1 }
        s <- PUBREL: { id: 1 }
        s cuts
        s: v3.1.1 connects { client_id: s, clean: false }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: a, qos: 1 }] }
        s <- SUBACK: { codes: [1], id: 1 }
        s -> PUBLISH: { topic: a, qos: 1, id: 1 }
        s <- PUBLISH: { topic: a, qos: 1, id: 1 }
        s <- PUBACK: { id: 1 }
        s -> UNSUBSCRIBE: { id: 2, filters: [a] }
        s <- UNSUBACK: { id: 2 }
        s cuts
        s: v3.1.1 connects { client_id: s, clean: false }
        s <- PUBLISH: { topic: a, dup: true, qos: 1, id: 1 }
        ",
    );
}

#[test]
fn unsubscribing_in_5() {
    play(
        Config::default(),
        "
        s: v5.0 connects { client_id: s, session_expiry: 10 }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: a, qos: 1 }] }
        s <- SUBACK: { codes: [granted_qos_1], id: 1 }
        s -> PUBLISH: { topic: a, qos: 1, id: 1 }
        s <- PUBLISH: { topic: a, qos: 1, id: 1 }
        s <- PUBACK: { id: 1 }
        s -> UNSUBSCRIBE: { id: 2, filters: [a, x] }
        s <- UNSUBACK: { codes: [success, no_subscription_existed], id: 2 }
        s -> UNSUBSCRIBE: { id: 3, filters: [x] }
        s <- UNSUBACK: { codes: [no_subscription_existed], id: 3 }
        s cuts
        s: v5.0 connects { client_id: s, clean: false }
        s <- PUBLISH: { topic: a, dup: true, qos: 1, id: 1 }
        ",
    );
}

#[test]
fn overlapping_subscriptions_of_3_1_1_give_the_highest_qos() {
    play(
        Config::default(),
        "
        s: v3.1.1 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: t/+, qos: 0 }, { filter: t/a, qos: 1 }] }
        s <- SUBACK: { codes: [0, 1], id: 1 }
        s -> PUBLISH: { topic: t/a, qos: 2, id: 1 }
        s <- PUBLISH: { topic: t/a, qos: 1, id: 1 }
        s <- PUBREC: { id: 1 }
        ",
    );
}

#[test]
fn leading_wildcards_of_5_pass_over_topics_with_a_dollar() {
    play(
        Config::default(),
        "
        s: v5.0 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: '#' }] }
        s <- SUBACK: { codes: [granted_qos_0], id: 1 }
        s -> PUBLISH: { topic: $x/t }
        s <- nothing
        ",
    );
}

#[test]
fn a_subscription_that_3_1_does_not_permit_is_told_as_made() {
    let mut config = Config::default();
    config.access.permissions.push(Permission {
        user: None,
        filter: "secret".into(),
        publish: true,
        subscribe: false,
    });
    play(
        config,
        "
        a: v3.1 connects { client_id: a }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: secret, qos: 1 }] }
        a <- SUBACK: { codes: [1], id: 1 }
        a -> PUBLISH: { topic: secret }
        a <- nothing
        ",
    );
}
