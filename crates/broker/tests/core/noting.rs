//! What the core tells for a log: each refusal that leaves the connection open, each message that is dropped.

use broker::Config;
use broker::config::Permission;

use crate::script::play;

/// Every exchange of this file, for those who look at them all.
pub(crate) const ALL: &[fn()] = &[
    refusals_are_noted_with_their_clause,
    unknown_packet_identifiers_are_noted,
    dropped_messages_are_noted,
    messages_that_the_permissions_withhold_are_noted,
    what_waits_for_another_user_is_withheld,
    messages_that_nobody_of_a_share_takes_are_noted,
];

fn nobody_may(filter: &str) -> Config {
    let mut config = Config::default();
    config.access.permissions.push(Permission {
        user: None,
        filter: filter.into(),
        publish: false,
        subscribe: false,
    });
    config
}

#[test]
fn refusals_are_noted_with_their_clause() {
    play(
        nobody_may("secret"),
        "
        five: v5.0 connects { client_id: five }
        five -> SUBSCRIBE: { id: 1, filters: [{ filter: secret, qos: 1 }] }
        five <- SUBACK: { id: 1, codes: [not_authorized], .. }
        noted v5.0/MQTT-3.8.4-7: SUBSCRIBE refused: this client may not subscribe there
        five -> PUBLISH: { topic: secret, qos: 1, id: 1 }
        five <- PUBACK: { id: 1, reason: not_authorized, .. }
        noted v5.0/MQTT-3.4.2-1: PUBLISH refused: this client may not publish there
        five -> PUBLISH: { topic: $SYS/x, qos: 2, id: 1 }
        five <- PUBREC: { id: 1, reason: not_authorized, .. }
        noted v5.0/U50-4.7.2-1: PUBLISH refused
        five -> PUBLISH: { topic: t, qos: 1, id: 1, payload_format: 1, payload: ok }
        five <- PUBACK: { id: 1, reason: no_matching_subscribers }
        three: v3.1.1 connects { client_id: three, will: { topic: secret, payload: x } }
        three -> SUBSCRIBE: { id: 1, filters: [{ filter: secret, qos: 1 }] }
        three <- SUBACK: { id: 1, codes: [0x80] }
        noted v3.1.1/MQTT-3.8.4-5: SUBSCRIBE refused
        three -> PUBLISH: { topic: secret, qos: 0, payload: x }
        noted v3.1.1/MQTT-3.3.5-2: PUBLISH refused
        three cuts
        noted v3.1.1/MQTT-3.3.5-2: a message on \"secret\" for \"three\" dropped: its client may not publish there
        ",
    );
}

#[test]
fn unknown_packet_identifiers_are_noted() {
    play(
        Config::default(),
        "
        a: v5.0 connects { client_id: a }
        a -> PUBREL: { id: 9 }
        a <- PUBCOMP: { id: 9, reason: packet_identifier_not_found }
        noted v5.0/MQTT-2.2.1-5: PUBREL refused
        a -> PUBREC: { id: 9 }
        a <- PUBREL: { id: 9, reason: packet_identifier_not_found }
        noted v5.0/MQTT-2.2.1-5: PUBREC refused
        ",
    );
}

#[test]
fn dropped_messages_are_noted() {
    play(
        Config::default(),
        "
        a: v5.0 connects { client_id: a, session_expiry: 100, maximum_packet_size: 20 }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 1 }] }
        a <- SUBACK: { id: 1, codes: [granted_qos_1] }
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: t, payload: '01234567890123456789' }
        noted v5.0/MQTT-3.1.2-25: a message on \"t\" for \"a\" dropped
        p -> PUBLISH: { topic: t, qos: 1, id: 1, payload: '01234567890123456789' }
        p <- PUBACK: { id: 1 }
        noted v5.0/MQTT-3.1.2-25: a message on \"t\" for \"a\" dropped
        p -> PUBLISH: { topic: t, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        a <- PUBLISH: { topic: t, qos: 1, id: 2 }
        a -> PUBACK: { id: 2, reason: unspecified_error }
        noted v5.0/MQTT-4.4.0-2: dropped: the client has refused it
        a cuts
        p -> PUBLISH: { topic: t, qos: 0 }
        noted v5.0/MQTT-4.3.1-1: dropped: with QoS 0 it does not wait
        p -> PUBLISH: { topic: t, qos: 1, id: 1, message_expiry: 1 }
        p <- PUBACK: { id: 1 }
        wait 2s
        a: v5.0 connects { client_id: a, clean: false }
        noted v5.0/MQTT-3.3.2-5: dropped: its Message Expiry Interval has passed
        ",
    );
}

/// `ann` may receive what is secret; what others subscribe to beyond that reaches them without it.
fn only_ann_may_receive_secrets() -> Config {
    let mut config = nobody_may("secret/#");
    let entry = &mut config.access.permissions[0];
    entry.publish = true;
    let for_ann = Permission {
        user: Some("ann".into()),
        filter: "#".into(),
        publish: true,
        subscribe: true,
    };
    config.access.permissions.insert(0, for_ann);
    config
}

#[test]
fn messages_that_the_permissions_withhold_are_noted() {
    play(
        only_ann_may_receive_secrets(),
        "
        ann: v5.0 connects { client_id: ann, user_name: ann }
        ann -> SUBSCRIBE: { id: 1, filters: [{ filter: '#' }] }
        ann <- SUBACK: { id: 1, codes: [granted_qos_0] }
        bob: v5.0 connects { client_id: bob }
        bob -> SUBSCRIBE: { id: 1, filters: [{ filter: '#', qos: 1 }, { filter: +/x }] }
        bob <- SUBACK: { id: 1, codes: [granted_qos_1, granted_qos_0] }
        ann -> PUBLISH: { topic: secret/x, payload: x, retain: true }
        ann <- PUBLISH: { topic: secret/x, payload: x }
        bob <- nothing
        noted v5.0/MQTT-4.5.0-1: a message on \"secret/x\" for \"bob\" dropped: its client may not receive it
        three: v3.1.1 connects { client_id: three }
        three -> SUBSCRIBE: { id: 1, filters: [{ filter: '#' }] }
        three <- SUBACK: { id: 1, codes: [0] }
        three <- nothing
        noted v3.1.1/MQTT-4.5.0-1: a message on \"secret/x\" for \"three\" dropped: its client may not receive it
        ",
    );
}

#[test]
fn what_waits_for_another_user_is_withheld() {
    play(
        only_ann_may_receive_secrets(),
        "
        a: v5.0 connects { client_id: a, user_name: ann, session_expiry: 100, receive_maximum: 1 }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: '#', qos: 2 }] }
        a <- SUBACK: { id: 1, codes: [granted_qos_2] }
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: secret/1, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        p -> PUBLISH: { topic: secret/2, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        p -> PUBLISH: { topic: open, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        a <- PUBLISH: { topic: secret/1, qos: 1, id: 1 }
        a cuts
        a: v5.0 connects { client_id: a, clean: false, session_expiry: 100 }
        noted v5.0/MQTT-4.5.0-1: a message on \"secret/1\" for \"a\" dropped: its client may not receive it
        noted v5.0/MQTT-4.5.0-1: a message on \"secret/2\" for \"a\" dropped: its client may not receive it
        a <- PUBLISH: { topic: open, qos: 1, id: 2 }
        a -> PUBACK: { id: 2 }
        a cuts
        a: v5.0 connects { client_id: a, user_name: ann, clean: false }
        a <- nothing
        ",
    );
}

#[test]
fn messages_that_nobody_of_a_share_takes_are_noted() {
    play(
        only_ann_may_receive_secrets(),
        "
        a: v5.0 connects { client_id: a, session_expiry: 100 }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: $share/g/+/x, qos: 1 }] }
        a <- SUBACK: { id: 1, codes: [granted_qos_1] }
        a cuts
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: secret/x, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        noted v5.0/MQTT-4.5.0-1: a message on \"secret/x\" for \"a\" dropped: its client may not receive it
        p -> PUBLISH: { topic: open/x }
        noted v5.0/MQTT-4.3.1-1: a message on \"open/x\" for \"a\" dropped: with QoS 0 it does not wait
        ann: v5.0 connects { client_id: ann, user_name: ann }
        ann -> SUBSCRIBE: { id: 1, filters: [{ filter: $share/g/+/x }] }
        ann <- SUBACK: { id: 1, codes: [granted_qos_0] }
        p -> PUBLISH: { topic: secret/x, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        ann <- PUBLISH: { topic: secret/x }
        ",
    );
}
