//! PUBLISH from clients: acknowledgement, Topic Aliases, flow control, what is not taken over.

use broker::Config;
use broker::config::Permission;

use crate::script::play;

/// Every exchange of this file, for those who look at them all.
pub(crate) const ALL: &[fn()] = &[
    each_qos_has_its_acknowledgement,
    content_reaches_subscribers_as_it_was_published,
    topic_aliases_of_a_client,
    the_receive_maximum_of_the_server_is_enforced,
    what_is_not_permitted_is_not_passed_on,
    a_payload_that_is_not_the_text_it_says_is_refused,
    no_reason_string_where_the_client_wants_no_problem_information,
    after_an_error_the_packet_identifier_means_a_new_message,
    dup_does_not_tell_a_repeated_message,
    topics_are_taken_as_they_are,
    each_side_has_packet_identifiers_of_its_own,
    topic_aliases_end_with_the_connection,
    what_3_1_1_does_not_permit_is_acknowledged_and_goes_no_further,
];

#[test]
fn each_qos_has_its_acknowledgement() {
    play(
        Config::default(),
        "
        s: v5.0 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 2 }] }
        s <- SUBACK: { codes: [granted_qos_2], id: 1 }
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: t, payload: zero }
        p <- nothing
        s <- PUBLISH: { topic: t, payload: zero }
        p -> PUBLISH: { topic: t, payload: one, qos: 1, id: 5 }
        p <- PUBACK: { id: 5 }
        s <- PUBLISH: { topic: t, payload: one, qos: 1, id: 1 }
        s -> PUBACK: { id: 1 }
        p -> PUBLISH: { topic: t, payload: two, qos: 2, id: 6 }
        p <- PUBREC: { id: 6 }
        s <- PUBLISH: { topic: t, payload: two, qos: 2, id: 2 }
        s -> PUBREC: { id: 2 }
        s <- PUBREL: { id: 2 }
        s -> PUBCOMP: { id: 2 }
        p -> PUBREL: { id: 6 }
        p <- PUBCOMP: { id: 6 }
        p -> PUBLISH: { topic: nobody, qos: 1, id: 7 }
        p <- PUBACK: { reason: no_matching_subscribers, id: 7 }
        q: v3.1.1 connects { client_id: q }
        q -> PUBLISH: { topic: nobody, qos: 2, id: 7 }
        q <- PUBREC: { id: 7 }
        q -> PUBREL: { id: 7 }
        q <- PUBCOMP: { id: 7 }
        ",
    );
}

#[test]
fn content_reaches_subscribers_as_it_was_published() {
    play(
        Config::default(),
        "
        s: v5.0 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: t }] }
        s <- SUBACK: { codes: [granted_qos_0], id: 1 }
        o: v3.1.1 connects { client_id: o }
        o -> SUBSCRIBE: { id: 1, filters: [{ filter: t }] }
        o <- SUBACK: { codes: [0], id: 1 }
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: t, payload: x, payload_format: 1, content_type: text, user_properties: [[b, 1], [a, 2], [b, 1]], response_topic: r, correlation_data: c }
        s <- PUBLISH: { topic: t, payload: x, payload_format: 1, content_type: text, user_properties: [[b, 1], [a, 2], [b, 1]], response_topic: r, correlation_data: c }
        o <- PUBLISH: { topic: t, payload: x }
        ",
    );
}

#[test]
fn topic_aliases_of_a_client() {
    play(
        Config::default(),
        "
        s: v5.0 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: '#' }] }
        s <- SUBACK: { codes: [granted_qos_0], id: 1 }
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: one, payload: a, topic_alias: 16 }
        p -> PUBLISH: { topic: '', payload: b, topic_alias: 16 }
        p -> PUBLISH: { topic: two, payload: c, topic_alias: 16 }
        p -> PUBLISH: { topic: '', payload: d, topic_alias: 16 }
        s <- PUBLISH: { topic: one, payload: a }
        s <- PUBLISH: { topic: one, payload: b }
        s <- PUBLISH: { topic: two, payload: c }
        s <- PUBLISH: { topic: two, payload: d }
        p -> PUBLISH: { topic: '', payload: e, topic_alias: 1 }
        p <- DISCONNECT: { reason: protocol_error, .. }
        p <- closed
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: '', payload: f, topic_alias: 16 }
        p <- DISCONNECT: { reason: protocol_error, .. }
        p <- closed
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: three, payload: g, topic_alias: 17 }
        p <- DISCONNECT: { reason: topic_alias_invalid, .. }
        p <- closed
        s <- nothing
        ",
    );
}

#[test]
fn the_receive_maximum_of_the_server_is_enforced() {
    let mut config = Config::default();
    config.limits.receive_maximum = 2;
    play(
        config,
        "
        p: v5.0 connects { client_id: p, session_expiry: 100 }
        p -> PUBLISH: { topic: t, qos: 2, id: 1 }
        p <- PUBREC: { reason: no_matching_subscribers, id: 1 }
        p -> PUBLISH: { topic: t, qos: 2, id: 2 }
        p <- PUBREC: { reason: no_matching_subscribers, id: 2 }
        p -> PUBREL: { id: 1 }
        p <- PUBCOMP: { id: 1 }
        p -> PUBLISH: { topic: t, qos: 2, id: 3 }
        p <- PUBREC: { reason: no_matching_subscribers, id: 3 }
        p -> PUBLISH: { topic: t, qos: 1, id: 4 }
        p <- DISCONNECT: { reason: receive_maximum_exceeded, .. }
        p <- closed
        p: v5.0 connects { client_id: p, clean: false, session_expiry: 100 }
        p -> PUBLISH: { topic: t, qos: 1, id: 4 }
        p <- PUBACK: { reason: no_matching_subscribers, id: 4 }
        ",
    );
}

#[test]
fn what_is_not_permitted_is_not_passed_on() {
    let mut config = Config::default();
    config.access.permissions.push(Permission {
        user: None,
        filter: "secret/#".into(),
        publish: false,
        subscribe: false,
    });
    play(
        config,
        "
        s: v5.0 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: '#' }, { filter: secret/x }] }
        s <- SUBACK: { codes: [granted_qos_0, not_authorized], id: 1, .. }
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: secret/x, qos: 1, id: 1 }
        p <- PUBACK: { reason: not_authorized, id: 1, .. }
        p -> PUBLISH: { topic: secret/x, qos: 2, id: 2 }
        p <- PUBREC: { reason: not_authorized, id: 2, .. }
        p -> PUBLISH: { topic: secret/x }
        p -> PUBLISH: { topic: $SYS/x, qos: 1, id: 3 }
        p <- PUBACK: { reason: not_authorized, id: 3, .. }
        o: v3.1.1 connects { client_id: o }
        o -> PUBLISH: { topic: secret/x, qos: 1, id: 1 }
        o <- PUBACK: { id: 1 }
        o -> PUBLISH: { topic: secret/x, qos: 2, id: 2 }
        o <- PUBREC: { id: 2 }
        o -> PUBREL: { id: 2 }
        o <- PUBCOMP: { id: 2 }
        o -> SUBSCRIBE: { id: 9, filters: [{ filter: secret/# }] }
        o <- SUBACK: { codes: [0x80], id: 9 }
        s <- nothing
        ",
    );
}

#[test]
fn a_payload_that_is_not_the_text_it_says_is_refused() {
    // PUBLISH QoS 1, id 1, topic t, Payload Format Indicator 1, payload FF.
    play(
        Config::default(),
        "
        p: v5.0 connects { client_id: p }
        p -> bytes 32 09 00 01 74 00 01 02 01 01 ff
        p <- PUBACK: { reason: payload_format_invalid, id: 1, .. }
        ",
    );
}

#[test]
fn no_reason_string_where_the_client_wants_no_problem_information() {
    play(
        Config::default(),
        "
        p: v5.0 connects { client_id: p, request_problem_information: 0 }
        p -> PUBLISH: { topic: $SYS/x, qos: 1, id: 3 }
        p <- PUBACK: { reason: not_authorized, id: 3 }
        ",
    );
}

#[test]
fn after_an_error_the_packet_identifier_means_a_new_message() {
    play(
        Config::default(),
        "
        s: v5.0 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: t }] }
        s <- SUBACK: { codes: [granted_qos_0], id: 1 }
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: $SYS/x, qos: 2, id: 7 }
        p <- PUBREC: { reason: not_authorized, id: 7, .. }
        p -> PUBLISH: { topic: t, qos: 2, id: 7 }
        p <- PUBREC: { id: 7 }
        s <- PUBLISH: { topic: t }
        p -> PUBLISH: { topic: t, qos: 1, id: 7 }
        p <- PUBACK: { reason: packet_identifier_in_use, id: 7, .. }
        ",
    );
}

#[test]
fn dup_does_not_tell_a_repeated_message() {
    play(
        Config::default(),
        "
        s: v5.0 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: t }] }
        s <- SUBACK: { codes: [granted_qos_0], id: 1 }
        p: v5.0 connects { client_id: p }
        p -> PUBLISH: { topic: t, payload: 1, qos: 1, id: 7 }
        p <- PUBACK: { id: 7 }
        p -> PUBLISH: { topic: t, payload: 2, dup: true, qos: 1, id: 7 }
        p <- PUBACK: { id: 7 }
        s <- PUBLISH: { topic: t, payload: 1 }
        s <- PUBLISH: { topic: t, payload: 2 }
        ",
    );
}

#[test]
fn topics_are_taken_as_they_are() {
    for (version, granted) in [("v3.1.1", "0"), ("v5.0", "granted_qos_0")] {
        play(
            Config::default(),
            &format!(
                "
                s: {version} connects {{ client_id: s }}
                s -> SUBSCRIBE: {{ id: 1, filters: [{{ filter: \u{FEFF}t/# }}, {{ filter: T/# }}] }}
                s <- SUBACK: {{ codes: [{granted}, {granted}], id: 1 }}
                s -> PUBLISH: {{ topic: \u{FEFF}t/x }}
                s <- PUBLISH: {{ topic: \u{FEFF}t/x }}
                s -> PUBLISH: {{ topic: T/X }}
                s <- PUBLISH: {{ topic: T/X }}
                s -> PUBLISH: {{ topic: t/x }}
                s <- nothing
                "
            ),
        );
    }
}

#[test]
fn each_side_has_packet_identifiers_of_its_own() {
    play(
        Config::default(),
        "
        a: v5.0 connects { client_id: a }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 1 }] }
        a <- SUBACK: { codes: [granted_qos_1], id: 1 }
        a -> PUBLISH: { topic: t, qos: 1, id: 1 }
        a <- PUBLISH: { topic: t, qos: 1, id: 1 }
        a <- PUBACK: { id: 1 }
        a -> PUBLISH: { topic: t, qos: 1, id: 1 }
        a <- PUBLISH: { topic: t, qos: 1, id: 2 }
        a <- PUBACK: { id: 1 }
        ",
    );
}

#[test]
fn topic_aliases_end_with_the_connection() {
    play(
        Config::default(),
        "
        p: v5.0 connects { client_id: p, session_expiry: 10 }
        p -> PUBLISH: { topic: t, topic_alias: 1 }
        p cuts
        p: v5.0 connects { client_id: p, clean: false, session_expiry: 10 }
        p -> PUBLISH: { topic: '', topic_alias: 1 }
        p <- DISCONNECT: { reason: protocol_error, .. }
        p <- closed
        ",
    );
}

#[test]
fn what_3_1_1_does_not_permit_is_acknowledged_and_goes_no_further() {
    let mut config = Config::default();
    config.access.permissions.push(Permission {
        user: None,
        filter: "locked/#".into(),
        publish: false,
        subscribe: true,
    });
    play(
        config,
        "
        s: v3.1.1 connects { client_id: s }
        s -> SUBSCRIBE: { id: 1, filters: [{ filter: locked/# }, { filter: $SYS/# }] }
        s <- SUBACK: { codes: [0, 0], id: 1 }
        p: v3.1.1 connects { client_id: p }
        p -> PUBLISH: { topic: locked/x, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        p -> PUBLISH: { topic: $SYS/x, qos: 1, id: 1 }
        p <- PUBACK: { id: 1 }
        s <- nothing
        ",
    );
}
