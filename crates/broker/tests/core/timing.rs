//! Keep alive, and the time to complete a CONNECT.

use std::time::Duration;

use broker::Config;

use crate::script::play;

/// Every exchange of this file, for those who look at them all.
pub(crate) const ALL: &[fn()] = &[
    a_silent_client_is_closed_after_one_and_a_half_keep_alives,
    a_server_keep_alive_holds_in_place_of_the_clients,
    a_connection_that_brings_no_connect_is_closed,
    a_partial_packet_does_not_keep_a_connection_alive,
];

fn default() -> Config {
    Config::default()
}

#[test]
fn a_silent_client_is_closed_after_one_and_a_half_keep_alives() {
    play(
        default(),
        "
        a: v5.0 connects { client_id: a, keep_alive: 10 }
        b: v3.1.1 connects { client_id: b, keep_alive: 10 }
        c: v5.0 connects { client_id: c, keep_alive: 0 }
        wait 14.999s
        a <- nothing
        a -> PINGREQ
        a <- PINGRESP
        wait 0.001s
        b <- closed
        wait 14.998s
        a <- nothing
        wait 0.001s
        a <- DISCONNECT: { reason: keep_alive_timeout, .. }
        a <- closed
        wait 100000s
        c <- nothing
        ",
    );
}

#[test]
fn a_server_keep_alive_holds_in_place_of_the_clients() {
    let mut config = default();
    config.limits.server_keep_alive = Some(2);
    play(
        config,
        "
        a: opens v5.0
        a -> CONNECT: { client_id: a, keep_alive: 100 }
        a <- CONNACK: { server_keep_alive: 2, .. }
        b: v3.1.1 connects { client_id: b, keep_alive: 100 }
        wait 3s
        a <- DISCONNECT: { reason: keep_alive_timeout, .. }
        a <- closed
        b <- nothing
        ",
    );
}

#[test]
fn a_connection_that_brings_no_connect_is_closed() {
    let mut config = default();
    config.limits.connect_timeout = Duration::from_secs(5);
    play(
        config,
        "
        a: opens v5.0
        wait 4.999s
        a <- nothing
        wait 0.001s
        a <- closed
        ",
    );
}

#[test]
fn a_partial_packet_does_not_keep_a_connection_alive() {
    play(
        default(),
        "
        a: v5.0 connects { client_id: a, keep_alive: 10 }
        wait 14s
        a -> bytes 30
        wait 1s
        a <- DISCONNECT: { reason: keep_alive_timeout, .. }
        a <- closed
        ",
    );
}
