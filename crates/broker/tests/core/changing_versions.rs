//! A Session that a client of one version leaves and a client of another resumes: what 3.1.1 does not know is not sent
//! to it, and what it has no word for holds all the same.

use broker::Config;

use crate::script::play;

/// Every exchange of this file, for those who look at them all.
pub(crate) const ALL: &[fn()] = &[
    a_client_of_3_1_1_resumes_what_one_of_5_0_has_subscribed_to,
    what_is_shared_is_not_lost_with_a_session_that_3_1_1_has_resumed,
    the_same_text_is_another_subscription_in_3_1_1,
];

#[test]
fn a_client_of_3_1_1_resumes_what_one_of_5_0_has_subscribed_to() {
    play(
        Config::default(),
        "
        p: v5.0 connects { client_id: p }
        a: v5.0 connects { client_id: a, session_expiry: 1000 }
        a -> SUBSCRIBE: { id: 1, subscription_id: 7, filters: [{ filter: t, qos: 1, retain_as_published: true }, { filter: own, qos: 1, no_local: true }] }
        a <- SUBACK: { id: 1, codes: [granted_qos_1, granted_qos_1] }
        a cuts
        p -> PUBLISH: { topic: t, qos: 1, id: 1, retain: true, payload: away, message_expiry: 50, user_properties: [[a, b]] }
        p <- PUBACK: { id: 1 }
        a: v3.1.1 connects { client_id: a, clean: false }
        a <- PUBLISH: { topic: t, qos: 1, id: 1, retain: true, payload: away }
        a -> PUBACK: { id: 1 }
        p -> PUBLISH: { topic: t, qos: 1, id: 1, retain: true, payload: here }
        p <- PUBACK: { id: 1 }
        a <- PUBLISH: { topic: t, qos: 1, id: 2, retain: false, payload: here }
        a -> PUBLISH: { topic: own, payload: x }
        a <- nothing
        p -> PUBLISH: { topic: own, payload: y }
        a <- PUBLISH: { topic: own, payload: y }
        ",
    );
}

#[test]
fn what_is_shared_is_not_lost_with_a_session_that_3_1_1_has_resumed() {
    play(
        Config::default(),
        "
        a: v5.0 connects { client_id: a, session_expiry: 1000 }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: $share/g/t, qos: 1 }] }
        a <- SUBACK: { id: 1, codes: [granted_qos_1] }
        a -> DISCONNECT
        a <- closed
        a: v3.1.1 connects { client_id: a, clean: false }
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: t, qos: 1, id: 1, payload: work }
        p <- PUBACK: { id: 1 }
        a <- PUBLISH: { topic: t, qos: 1, id: 1, payload: work }
        b: v5.0 connects { client_id: b }
        b -> SUBSCRIBE: { id: 1, filters: [{ filter: $share/g/t, qos: 1 }] }
        b <- SUBACK: { id: 1, codes: [granted_qos_1] }
        a cuts
        a: v3.1.1 connects { client_id: a, clean: true }
        b <- PUBLISH: { topic: t, qos: 1, id: 1, payload: work }
        ",
    );
}

#[test]
fn the_same_text_is_another_subscription_in_3_1_1() {
    play(
        Config::default(),
        "
        a: v5.0 connects { client_id: a, session_expiry: 1000 }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: $share/g/t, qos: 1 }] }
        a <- SUBACK: { id: 1, codes: [granted_qos_1] }
        a cuts
        a: v3.1.1 connects { client_id: a, clean: false }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: $share/g/t, qos: 0 }] }
        a <- SUBACK: { id: 1, codes: [granted_qos_0] }
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: t, payload: x }
        a <- nothing
        p -> PUBLISH: { topic: $share/g/t, payload: x }
        a <- PUBLISH: { topic: $share/g/t, payload: x }
        ",
    );
}
