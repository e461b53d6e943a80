//! Retained messages.

use broker::Config;
use broker::core::Persist;

use crate::script::play;

/// Every exchange of this file, for those who look at them all.
pub(crate) const ALL: &[fn()] = &[
    the_latest_retained_message_reaches_a_new_subscriber,
    retain_handling_and_retain_as_published,
    a_retained_message_expires,
    a_shared_subscription_gets_no_retained_messages,
    no_local_does_not_concern_retained_messages,
    what_is_retained_in_5_and_what_is_not,
    retained_messages_outlive_the_session_of_their_publisher,
    retained_messages_outlive_the_broker,
];

#[test]
fn the_latest_retained_message_reaches_a_new_subscriber() {
    play(
        Config::default(),
        "
        p: v3.1.1 connects { client_id: p }
        p -> PUBLISH: { topic: t/a, payload: old, retain: true }
        p -> PUBLISH: { topic: t/a, payload: kept, retain: true, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        p -> PUBLISH: { topic: t/a, payload: passing }
        s: v3.1.1 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: t/+, qos: 2 }] }
        s <- SUBACK: { codes: [2], id: 1 }
        s <- PUBLISH: { topic: t/a, payload: kept, retain: true, qos: 1, id: 1 }
        p -> PUBLISH: { topic: t/a, payload: new, retain: true }
        s <- PUBLISH: { topic: t/a, payload: new }
        s -> SUBSCRIBE: { id: 2, filters: [{ filter: t/+, qos: 0 }] }
        s <- SUBACK: { codes: [0], id: 2 }
        s <- PUBLISH: { topic: t/a, payload: new, retain: true }
        p -> PUBLISH: { topic: t/a, retain: true }
        s <- PUBLISH: { topic: t/a }
        s -> SUBSCRIBE: { id: 3, filters: [{ filter: t/# }] }
        s <- SUBACK: { codes: [0], id: 3 }
        s <- nothing
        ",
    );
}

#[test]
fn retain_handling_and_retain_as_published() {
    play(
        Config::default(),
        "
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: t, payload: kept, retain: true }
        s: v5.0 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: t, retain_handling: 1, retain_as_published: true }] }
        s <- SUBACK: { codes: [granted_qos_0], id: 1 }
        s <- PUBLISH: { topic: t, payload: kept, retain: true }
        s -> SUBSCRIBE: { id: 2, filters: [{ filter: t, retain_handling: 1, retain_as_published: true }] }
        s <- SUBACK: { codes: [granted_qos_0], id: 2 }
        s -> SUBSCRIBE: { id: 3, filters: [{ filter: +, retain_handling: 2 }] }
        s <- SUBACK: { codes: [granted_qos_0], id: 3 }
        s -> UNSUBSCRIBE: { id: 4, filters: [+] }
        s <- UNSUBACK: { codes: [success], id: 4 }
        s -> SUBSCRIBE: { id: 5, filters: [{ filter: t, retain_handling: 0, retain_as_published: true }] }
        s <- SUBACK: { codes: [granted_qos_0], id: 5 }
        s <- PUBLISH: { topic: t, payload: kept, retain: true }
        p -> PUBLISH: { topic: t, payload: new, retain: true }
        s <- PUBLISH: { topic: t, payload: new, retain: true }
        ",
    );
}

/// Sections 3.3.1.3 and 3.8.4: Retain Handling alone decides what a subscription brings; No Local what is forwarded.
#[test]
fn no_local_does_not_concern_retained_messages() {
    play(
        Config::default(),
        "
        a: v5.0 connects { client_id: a }
        a -> PUBLISH: { topic: t, payload: own, retain: true }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: t, no_local: true }] }
        a <- SUBACK: { codes: [granted_qos_0], id: 1 }
        a <- PUBLISH: { topic: t, payload: own, retain: true }
        a -> PUBLISH: { topic: t, payload: newer, retain: true }
        a <- nothing
        a -> SUBSCRIBE: { id: 2, filters: [{ filter: t, no_local: true, retain_handling: 1 }] }
        a <- SUBACK: { codes: [granted_qos_0], id: 2 }
        a <- nothing
        a -> SUBSCRIBE: { id: 3, filters: [{ filter: t, no_local: true, retain_handling: 0 }] }
        a <- SUBACK: { codes: [granted_qos_0], id: 3 }
        a <- PUBLISH: { topic: t, payload: newer, retain: true }
        a -> SUBSCRIBE: { id: 4, filters: [{ filter: t, no_local: true, retain_handling: 2 }] }
        a <- SUBACK: { codes: [granted_qos_0], id: 4 }
        a <- nothing
        ",
    );
}

#[test]
fn a_retained_message_expires() {
    play(
        Config::default(),
        "
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: t, payload: kept, retain: true, message_expiry: 10 }
        wait 4s
        s: v5.0 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: t }] }
        s <- SUBACK: { codes: [granted_qos_0], id: 1 }
        s <- PUBLISH: { topic: t, payload: kept, retain: true, message_expiry: 6 }
        wait 6s
        s -> SUBSCRIBE: { id: 2, filters: [{ filter: t }] }
        s <- SUBACK: { codes: [granted_qos_0], id: 2 }
        s <- nothing
        ",
    );
}

#[test]
fn a_shared_subscription_gets_no_retained_messages() {
    play(
        Config::default(),
        "
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: t, payload: kept, retain: true }
        s: v5.0 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: $share/g/t }] }
        s <- SUBACK: { codes: [granted_qos_0], id: 1 }
        s <- nothing
        ",
    );
}

#[test]
fn what_is_retained_in_5_and_what_is_not() {
    play(
        Config::default(),
        "
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: t/a, payload: kept, retain: true }
        s: v5.0 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: t/+ }] }
        s <- SUBACK: { codes: [granted_qos_0], id: 1 }
        s <- PUBLISH: { topic: t/a, payload: kept, retain: true }
        p -> PUBLISH: { topic: t/a, payload: new, retain: true }
        s <- PUBLISH: { topic: t/a, payload: new }
        p -> PUBLISH: { topic: t/a, retain: true }
        s <- PUBLISH: { topic: t/a }
        s -> SUBSCRIBE: { id: 2, filters: [{ filter: t/+ }] }
        s <- SUBACK: { codes: [granted_qos_0], id: 2 }
        s <- nothing
        ",
    );
}

#[test]
fn retained_messages_outlive_the_session_of_their_publisher() {
    play(
        Config::default(),
        "
        p: v3.1.1 connects { client_id: p }
        p -> PUBLISH: { topic: t, payload: kept, retain: true }
        p -> DISCONNECT
        s: v3.1.1 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: t }] }
        s <- SUBACK: { codes: [0], id: 1 }
        s <- PUBLISH: { topic: t, payload: kept, retain: true }
        ",
    );
}

#[test]
fn retained_messages_outlive_the_broker() {
    let core = play(
        Config::default(),
        "
        p: v3.1 connects { client_id: p }
        p -> PUBLISH: { topic: t, payload: kept, retain: true }
        ",
    );
    let kept = core.snapshot();
    assert!(matches!(kept[..], [Persist::Retained(_)]), "{kept:?}");
}
