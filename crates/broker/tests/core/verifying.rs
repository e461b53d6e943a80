//! Passwords that somebody else checks: what the core does until it knows.

use broker::{Config, Password};

use crate::script::play;

/// Every exchange of this file, for those who look at them all.
pub(crate) const ALL: &[fn()] = &[
    a_hashed_password_is_waited_for,
    a_wrong_password_is_refused_once_that_is_known,
    what_follows_connect_waits_and_is_bounded,
    a_client_that_leaves_or_takes_too_long_is_not_let_in,
];

fn hashed() -> Config {
    let mut config = Config::default();
    let hash = Password::hash("secret", [7; 16]).expect("a hash");
    config.access.passwords.insert("ann".into(), hash);
    config
}

#[test]
fn a_hashed_password_is_waited_for() {
    play(
        hashed(),
        "
        other: v5.0 connects { client_id: other }
        a: opens v5.0
        a -> CONNECT: { client_id: a, user_name: ann, password: secret }
        a <- nothing
        other -> PINGREQ
        other <- PINGRESP
        a is verified
        a <- CONNACK: { reason: success, .. }
        ",
    );
}

#[test]
fn a_wrong_password_is_refused_once_that_is_known() {
    play(
        hashed(),
        "
        a: opens v5.0
        a -> CONNECT: { client_id: a, user_name: ann, password: wrong }
        a <- nothing
        a is verified
        a <- CONNACK: { reason: bad_user_name_or_password, .. }
        a <- closed
        b: opens v3.1.1
        b -> CONNECT: { client_id: b, user_name: ann, password: wrong }
        b is verified
        b <- CONNACK: { session_present: false, code: 4 }
        b <- closed
        c: opens v3.1.1                       # nobody has to count for a user that there is not
        c -> CONNECT: { client_id: c, user_name: bob, password: secret }
        c <- CONNACK: { session_present: false, code: 4 }
        c <- closed
        ",
    );
}

#[test]
fn what_follows_connect_waits_and_is_bounded() {
    let mut config = hashed();
    config.limits.first_packet_size = 100;
    play(
        config,
        "
        a: opens v3.1.1
        a -> CONNECT: { client_id: a, user_name: ann, password: secret }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 0 }] }
        a -> PINGREQ
        a <- nothing
        a is verified
        a <- CONNACK: { session_present: false, code: 0 }
        a <- SUBACK: { id: 1, codes: [granted_qos_0] }
        a <- PINGRESP
        b: opens v3.1.1                       # nor is any of it handled where the password is wrong
        b -> CONNECT: { client_id: b, user_name: ann, password: wrong }
        b -> PUBLISH: { topic: t, payload: smuggled }
        b is verified
        b <- CONNACK: { session_present: false, code: 4 }
        b <- closed
        a <- nothing
        c: opens v5.0
        c -> CONNECT: { client_id: c, user_name: ann, password: secret }
        c -> PUBLISH: { topic: t, payload: '0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789' }
        c <- CONNACK: { reason: quota_exceeded, .. }
        c <- closed
        a <- nothing
        ",
    );
}

#[test]
fn a_client_that_leaves_or_takes_too_long_is_not_let_in() {
    let core = play(
        hashed(),
        "
        a: opens v5.0
        a -> CONNECT: { client_id: a, user_name: ann, password: secret }
        a cuts
        a is verified
        b: opens v5.0
        b -> CONNECT: { client_id: b, user_name: ann, password: secret }
        wait 10s
        b <- closed
        b is verified
        ",
    );
    assert_eq!(core.census().sessions, 0);
}
