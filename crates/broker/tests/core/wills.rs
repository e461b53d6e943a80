//! Wills.

use broker::Config;

use crate::script::play;

/// Every exchange of this file, for those who look at them all.
pub(crate) const ALL: &[fn()] = &[
    a_will_is_published_when_the_connection_is_lost,
    a_will_is_published_when_the_server_closes,
    a_will_is_dropped_by_disconnect,
    a_will_is_delayed_and_recalled,
    a_delayed_will_is_published_when_its_session_ends,
    without_a_will_nothing_is_published,
    a_will_of_3_1_1_may_be_retained,
];

const WITNESS: &str = "
    w: v5.0 connects { client_id: w }
    w -> SUBSCRIBE: { id: 1, filters: [{ filter: gone, qos: 1, retain_as_published: true }] }
    w <- SUBACK: { codes: [granted_qos_1], id: 1 }
";

fn play_with_witness(script: &str) {
    play(Config::default(), &format!("{WITNESS}{script}"));
}

#[test]
fn a_will_is_published_when_the_connection_is_lost() {
    play_with_witness(
        "
        a: v3.1.1 connects { client_id: a, will: { topic: gone, payload: x, qos: 1 } }
        a cuts
        w <- PUBLISH: { topic: gone, payload: x, qos: 1, id: 1 }
        a: v5.0 connects { client_id: a, will: { topic: gone, payload: y, retain: true, content_type: text, user_properties: [[b, 1], [a, 2]] } }
        a -> DISCONNECT: { reason: disconnect_with_will_message }
        w <- PUBLISH: { topic: gone, payload: y, retain: true, content_type: text, user_properties: [[b, 1], [a, 2]] }
        w -> SUBSCRIBE: { id: 2, filters: [{ filter: gone }] }
        w <- SUBACK: { codes: [granted_qos_0], id: 2 }
        w <- PUBLISH: { topic: gone, payload: y, retain: true, content_type: text, user_properties: [[b, 1], [a, 2]] }
        ",
    );
}

#[test]
fn a_will_is_published_when_the_server_closes() {
    play_with_witness(
        "
        a: v3.1.1 connects { client_id: a, keep_alive: 2, will: { topic: gone, payload: silent } }
        wait 3s
        a <- closed
        w <- PUBLISH: { topic: gone, payload: silent }
        b: v5.0 connects { client_id: b, will: { topic: gone, payload: error } }
        b -> CONNECT: { client_id: b }
        b <- DISCONNECT: { reason: protocol_error, .. }
        b <- closed
        w <- PUBLISH: { topic: gone, payload: error }
        ",
    );
}

#[test]
fn a_will_is_dropped_by_disconnect() {
    play_with_witness(
        "
        a: v3.1.1 connects { client_id: a, will: { topic: gone, payload: x } }
        a -> DISCONNECT
        b: v5.0 connects { client_id: b, will: { topic: gone, payload: x } }
        b -> DISCONNECT
        wait 100s
        w <- nothing
        ",
    );
}

#[test]
fn a_will_is_delayed_and_recalled() {
    play_with_witness(
        "
        a: v5.0 connects { client_id: a, session_expiry: 60, will: { topic: gone, payload: x, delay: 10 } }
        a cuts
        wait 9.999s
        w <- nothing
        a: v5.0 connects { client_id: a, clean: false, session_expiry: 60, will: { topic: gone, payload: y, delay: 10 } }
        wait 100s
        w <- nothing
        a cuts
        wait 9.999s
        w <- nothing
        wait 0.001s
        w <- PUBLISH: { topic: gone, payload: y }
        ",
    );
}

#[test]
fn a_delayed_will_is_published_when_its_session_ends() {
    play_with_witness(
        "
        a: v5.0 connects { client_id: a, session_expiry: 5, will: { topic: gone, payload: x, delay: 10 } }
        a cuts
        wait 5s
        w <- PUBLISH: { topic: gone, payload: x }
        b: v5.0 connects { client_id: b, will: { topic: gone, payload: y, delay: 10 } }
        b cuts
        w <- PUBLISH: { topic: gone, payload: y }
        c: v5.0 connects { client_id: c, session_expiry: 60, will: { topic: gone, payload: z, delay: 10 } }
        c cuts
        w <- nothing
        c: v5.0 connects { client_id: c, clean: true }
        w <- PUBLISH: { topic: gone, payload: z }
        ",
    );
}

#[test]
fn without_a_will_nothing_is_published() {
    play(
        Config::default(),
        "
        w: v3.1.1 connects { client_id: w }
        w -> SUBSCRIBE: { id: 1, filters: [{ filter: '#' }] }
        w <- SUBACK: { codes: [0], id: 1 }
        a: v3.1.1 connects { client_id: a }
        a cuts
        w <- nothing
        ",
    );
}

#[test]
fn a_will_of_3_1_1_may_be_retained() {
    play(
        Config::default(),
        "
        a: v3.1.1 connects { client_id: a, clean: false, will: { topic: gone, payload: x, retain: true } }
        a cuts
        w: v3.1.1 connects { client_id: w }
        w -> SUBSCRIBE: { id: 1, filters: [{ filter: gone }] }
        w <- SUBACK: { codes: [0], id: 1 }
        w <- PUBLISH: { topic: gone, payload: x, retain: true }
        ",
    );
}
