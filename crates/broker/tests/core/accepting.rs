//! What a client may send and a server takes: left out, repeated, in any order.

use broker::Config;

use crate::script::play;

/// Every exchange of this file, for those who look at them all.
pub(crate) const ALL: &[fn()] = &[
    acknowledgements_may_leave_out_their_reason,
    properties_come_in_any_order_and_user_properties_repeat,
    in_3_1_the_end_of_a_connect_outweighs_its_flags,
];

#[test]
fn acknowledgements_may_leave_out_their_reason() {
    play(
        Config::default(),
        "
        a: v5.0 connects { client_id: a }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: t, qos: 2 }] }
        a <- SUBACK: { codes: [granted_qos_2], id: 1 }
        a -> PUBLISH: { topic: t, qos: 1, id: 7, payload: x }
        a <- PUBLISH: { topic: t, qos: 1, id: 1, payload: x }
        a <- PUBACK: { id: 7 }
        a -> bytes 40 02 00 01
        a -> PUBLISH: { topic: t, qos: 2, id: 7, payload: y }
        a <- PUBLISH: { topic: t, qos: 2, id: 2, payload: y }
        a <- PUBREC: { id: 7 }
        a -> bytes 62 02 00 07
        a <- PUBCOMP: { id: 7 }
        a -> bytes 50 02 00 02
        a <- PUBREL: { id: 2 }
        a -> bytes 70 02 00 02
        a -> bytes e0 00
        a <- closed
        ",
    );
}

#[test]
fn properties_come_in_any_order_and_user_properties_repeat() {
    // User Property (0x26) before Payload Format Indicator (0x01).
    play(
        Config::default(),
        "
        a: v5.0 connects { client_id: a, user_properties: [[x, 1], [x, 1]] }
        a -> SUBSCRIBE: { id: 1, filters: [{ filter: t }] }
        a <- SUBACK: { codes: [granted_qos_0], id: 1 }
        a -> bytes 30 0e 00 01 74 09 26 00 01 78 00 01 79 01 00 7a
        a <- PUBLISH: { topic: t, payload: z, user_properties: [[x, y]], .. }
        ",
    );
}

#[test]
fn in_3_1_the_end_of_a_connect_outweighs_its_flags() {
    // With the flags of a User Name and a Password, and then without either, or without the second.
    play(
        Config::default(),
        "
        a: opens v3.1
        a -> bytes 10 0f 00 06 4d 51 49 73 64 70 03 c2 00 3c 00 01 61
        a <- CONNACK: { code: accepted }
        b: opens v3.1
        b -> bytes 10 12 00 06 4d 51 49 73 64 70 03 c2 00 3c 00 01 62 00 01 75
        b <- CONNACK: { code: accepted }
        ",
    );
}
