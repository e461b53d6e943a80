//! Who a client is: Client Identifiers, credentials, enhanced authentication.

use broker::Config;

use crate::script::play;

/// Every exchange of this file, for those who look at them all.
pub(crate) const ALL: &[fn()] = &[
    an_empty_client_identifier_is_assigned,
    assigned_identifiers_of_3_1_1_differ,
    client_identifiers_of_3_1_have_up_to_23_characters,
    credentials_are_checked,
    enhanced_authentication_goes_back_and_forth,
    authentication_goes_by_the_rules,
];

fn default() -> Config {
    Config::default()
}

#[test]
fn an_empty_client_identifier_is_assigned() {
    play(
        default(),
        "
        a: opens v5.0
        a -> CONNECT: {}
        a <- CONNACK: { reason: success, assigned_client_id: assigned1, .. }
        b: opens v5.0
        b -> CONNECT: {}
        b <- CONNACK: { reason: success, assigned_client_id: assigned2, .. }
        c: v3.1.1 connects { clean: true }
        d: opens v3.1.1
        d -> CONNECT: { clean: false }
        d <- CONNACK: { session_present: false, code: identifier_rejected }
        d <- closed
        e: opens v3.1
        e -> CONNECT: { clean: true }
        e <- CONNACK: { code: identifier_rejected }
        e <- closed
        a -> PINGREQ
        a <- PINGRESP
        ",
    );
}

#[test]
fn assigned_identifiers_of_3_1_1_differ() {
    play(
        default(),
        "
        a: v3.1.1 connects { clean: true }
        b: v3.1.1 connects { clean: true }
        a -> PINGREQ
        a <- PINGRESP
        ",
    );
}

#[test]
fn client_identifiers_of_3_1_have_up_to_23_characters() {
    play(
        default(),
        "
        a: v3.1 connects { client_id: a2345678901234567890123 }
        b: opens v3.1
        b -> CONNECT: { client_id: b23456789012345678901234 }
        b <- CONNACK: { code: identifier_rejected }
        b <- closed
        c: v3.1.1 connects { client_id: c23456789012345678901234 }
        ",
    );
}

#[test]
fn credentials_are_checked() {
    let mut config = default();
    config.access.anonymous = false;
    config
        .access
        .passwords
        .insert("ann".into(), broker::Password::text("secret"));
    play(
        config,
        "
        a: opens v5.0
        a -> CONNECT: { client_id: a }
        a <- CONNACK: { session_present: false, reason: not_authorized, .. }
        a <- closed
        b: opens v5.0
        b -> CONNECT: { client_id: b, user_name: ann, password: wrong }
        b <- CONNACK: { reason: bad_user_name_or_password, .. }
        b <- closed
        c: opens v3.1.1
        c -> CONNECT: { client_id: c, user_name: ann, password: wrong }
        c <- CONNACK: { session_present: false, code: 4 }
        c <- closed
        d: v3.1.1 connects { client_id: d, user_name: ann, password: secret }
        ",
    );
}

#[test]
fn enhanced_authentication_goes_back_and_forth() {
    play(
        default(),
        "
        a: opens v5.0
        a -> CONNECT: { client_id: a, authentication_method: ECHO }
        a <- AUTH: { reason: continue_authentication, authentication_method: ECHO, authentication_data: 'challenge 0.1' }
        a -> AUTH: { reason: continue_authentication, authentication_method: ECHO, authentication_data: 'challenge 0.1' }
        a <- CONNACK: { reason: success, authentication_method: ECHO, .. }
        a -> AUTH: { reason: re_authenticate, authentication_method: ECHO }
        a <- AUTH: { reason: continue_authentication, authentication_data: 'challenge 0.2', .. }
        a -> AUTH: { reason: continue_authentication, authentication_method: ECHO, authentication_data: 'challenge 0.2' }
        a <- AUTH: { authentication_method: ECHO }
        a -> AUTH: { reason: re_authenticate, authentication_method: other }
        a <- DISCONNECT: { reason: protocol_error, .. }
        a <- closed
        b: opens v5.0
        b -> CONNECT: { client_id: b, authentication_method: other }
        b <- CONNACK: { reason: bad_authentication_method, .. }
        b <- closed
        c: opens v5.0
        c -> CONNECT: { client_id: c, authentication_method: ECHO }
        c <- AUTH: { reason: continue_authentication, .. }
        c -> AUTH: { reason: continue_authentication, authentication_method: ECHO, authentication_data: wrong }
        c <- CONNACK: { reason: not_authorized, .. }
        c <- closed
        d: v5.0 connects { client_id: d }
        d -> AUTH: { reason: re_authenticate, authentication_method: ECHO }
        d <- DISCONNECT: { reason: protocol_error, .. }
        d <- closed
        e: opens v5.0
        e -> CONNECT: { client_id: e, authentication_method: ECHO }
        e <- AUTH: { reason: continue_authentication, .. }
        e -> PINGREQ
        e <- CONNACK: { reason: protocol_error, .. }
        e <- closed
        ",
    );
}

#[test]
fn authentication_goes_by_the_rules() {
    play(
        default(),
        "
        a: opens v5.0
        a -> CONNECT: { client_id: a, authentication_method: ECHO }
        a <- AUTH: { reason: continue_authentication, .. }
        a -> AUTH: { reason: re_authenticate, authentication_method: ECHO, authentication_data: 'challenge 0.1' }
        a <- CONNACK: { reason: protocol_error, .. }
        a <- closed
        b: opens v5.0
        b -> CONNECT: { client_id: b, authentication_method: ECHO }
        b <- AUTH: { reason: continue_authentication, .. }
        b -> AUTH: { reason: continue_authentication, authentication_method: ECHO, authentication_data: 'challenge 1.1' }
        b <- CONNACK: { reason: success, .. }
        b -> AUTH: { reason: re_authenticate, authentication_method: ECHO }
        b <- AUTH: { reason: continue_authentication, .. }
        b -> AUTH: { reason: continue_authentication, authentication_method: ECHO, authentication_data: wrong }
        b <- DISCONNECT: { reason: not_authorized, .. }
        b <- closed
        ",
    );
}
