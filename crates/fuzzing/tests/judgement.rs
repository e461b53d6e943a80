//! What the oracle accuses a target of over a network, and what it must not accuse it of: exchanges byte by byte.

use std::time::Duration;

use fuzzing::observe::{End, Observer};
use fuzzing::oracle::{Oracle, Strictness};

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;
const CONNECT_5: &[u8] = b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01a";
const ACCEPTED_5: &[u8] = b"\x20\x03\x00\x00\x00";
const CONNECT_4: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a";
const CONNECT_B: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01b";
const ACCEPTED_4: &[u8] = b"\x20\x02\x00\x00";
const PINGREQ: &[u8] = b"\xc0\x00";
const PINGRESP: &[u8] = b"\xd0\x00";

/// An exchange that is judged as over a network.
struct Exchange(Oracle);

impl Exchange {
    fn new() -> Self {
        Self(Oracle::new(Strictness::Safety))
    }

    fn connects(mut self, client: usize, connect: &[u8], connack: &[u8]) -> Self {
        self.0.opened(client, Duration::ZERO);
        self.sends(client, connect).receives(client, connack)
    }

    fn sends(mut self, client: usize, bytes: &[u8]) -> Self {
        self.0.sent(client, bytes, Duration::ZERO);
        self
    }

    fn receives(mut self, client: usize, bytes: &[u8]) -> Self {
        self.0.received(client, bytes, Duration::ZERO);
        self
    }

    fn ends(mut self, client: usize, end: End) -> Self {
        self.0.ended(client, end, Duration::ZERO);
        self
    }

    fn classes(self) -> Vec<String> {
        let findings = self.0.findings().iter();
        findings.map(fuzzing::oracle::Finding::class).collect()
    }
}

#[test]
fn who_answers_behind_a_malformed_packet_has_not_closed() {
    // PUBACK with a Reason Code that it does not have.
    let malformed = b"\x40\x03\x00\x01\x4c";
    let exchange = || Exchange::new().connects(A, CONNECT_5, ACCEPTED_5);
    let goes_on = ["goes-on-behind-what-is-forbidden (v5.0/MQTT-3.4.2-1)"];
    assert_eq!(
        exchange()
            .sends(A, malformed)
            .sends(A, PINGREQ)
            .receives(A, PINGRESP)
            .classes(),
        goes_on
    );
    // What was asked before may be answered: who sends has not seen yet what comes.
    let asked_before = exchange().sends(A, PINGREQ).sends(A, malformed);
    assert_eq!(asked_before.receives(A, PINGRESP).classes(), [""; 0]);
}

#[test]
fn what_cannot_be_taken_apart_is_compared_with_what_comes() {
    // A packet type that there is not; in its body a PUBLISH of QoS 2 with Packet Identifier 7.
    let reserved = b"\x00\x40\x34\x06\x00\x01t\x00\x07x";
    let pubrec = |id: u8| [0x50, 2, 0, id];
    let exchange = || Exchange::new().connects(A, CONNECT_4, ACCEPTED_4);
    assert_eq!(
        exchange()
            .sends(A, reserved)
            .receives(A, &pubrec(7))
            .classes(),
        ["goes-on-behind-what-is-forbidden (v3.1.1/MQTT-4.8.0-1)"]
    );
    assert_eq!(
        exchange()
            .sends(A, reserved)
            .receives(A, &pubrec(9))
            .classes(),
        ["acknowledgement-for-another-id (v3.1.1/MQTT-2.3.1-6)"],
        "no byte of it says 9"
    );
    // MQTT 3.1 asks nobody to close.
    let connect = b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x00\x00\x01a";
    let old = Exchange::new().connects(A, connect, ACCEPTED_4);
    let old = old.sends(A, reserved).receives(A, &pubrec(7));
    assert_eq!(old.classes(), [""; 0]);
}

#[test]
fn nobody_knows_what_is_asked_behind_bytes_that_are_no_packets() {
    let subscribe = b"\x82\x06\x00\x03\x00\x01t\x00";
    let suback = b"\x90\x03\x00\x03\x00";
    let message = b"\x30\x04\x00\x01tx";
    // A Remaining Length in five bytes; a packet type that there is not, whose length need not be taken for one.
    for lost in [&b"\x70\x82\x80\x80\x80\x00"[..], b"\x00\x02\x00\x00"] {
        let goes_on = Exchange::new()
            .connects(A, CONNECT_4, ACCEPTED_4)
            .sends(A, lost)
            .sends(A, subscribe)
            .receives(A, suback)
            .connects(B, CONNECT_B, ACCEPTED_4)
            .sends(B, message)
            .receives(A, message);
        let classes = goes_on.classes();
        assert!(
            classes
                .iter()
                .all(|class| class.starts_with("goes-on-behind-what-is-forbidden")),
            "{classes:?}"
        );
        assert!(!classes.is_empty());
    }
}

#[test]
fn a_session_keeps_what_came_of_bytes_that_are_no_packets() {
    // A Session that lasts, with a subscription of QoS 2; behind lost framing the client acknowledges a copy of the message,
    // subscribes to `u`, and publishes with QoS 2.
    let lasting = b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x00\x00\x01a";
    let resumed = || {
        Exchange::new()
            .connects(A, lasting, ACCEPTED_4)
            .sends(A, b"\x82\x06\x00\x01\x00\x01t\x02")
            .receives(A, b"\x90\x03\x00\x01\x02")
            .sends(A, b"\x34\x06\x00\x01t\x00\x02x")
            .receives(A, b"\x50\x02\x00\x02\x34\x06\x00\x01t\x00\x09x")
            .sends(A, b"\x70\x82\x80\x80\x80\x00\x00\x02")
            .sends(A, b"\x50\x02\x00\x09\x70\x02\x00\x09")
            .sends(A, b"\x82\x06\x00\x03\x00\x01u\x00")
            .sends(A, b"\x34\x06\x00\x01v\x00\x05y")
            .ends(A, End::Reset)
            .connects(A, lasting, b"\x20\x02\x01\x00")
            .connects(B, CONNECT_B, ACCEPTED_4)
    };
    // The other copy, with the identifier that was free again.
    let other_copy = resumed().receives(A, b"\x34\x06\x00\x01t\x00\x09x");
    assert_eq!(other_copy.classes(), [""; 0]);
    let subscribed = resumed()
        .sends(B, b"\x30\x04\x00\x01ux")
        .receives(A, b"\x30\x04\x00\x01ux");
    assert_eq!(subscribed.classes(), [""; 0]);
    let released = resumed()
        .sends(A, b"\x62\x02\x00\x05")
        .receives(A, b"\x70\x02\x00\x05");
    assert_eq!(released.classes(), [""; 0]);
    // Of an identifier that nobody used it knows nothing.
    assert_eq!(
        resumed().receives(A, b"\x70\x02\x00\x07").classes(),
        ["acknowledgement-for-another-id (v3.1.1/MQTT-2.3.1-6)"]
    );
}

#[test]
fn a_forbidden_connect_is_not_accepted() {
    // The reserved flag is set.
    let connect = b"\x10\x0d\x00\x04MQTT\x04\x03\x00\x00\x00\x01a";
    let exchange = Exchange::new().connects(A, connect, ACCEPTED_4);
    assert_eq!(
        exchange.classes(),
        ["goes-on-behind-what-is-forbidden (v3.1.1/MQTT-3.1.2-3)"]
    );
    let refused = Exchange::new().connects(A, connect, b"\x20\x02\x00\x01");
    assert_eq!(refused.classes(), [""; 0]);
}

#[test]
fn a_will_may_come_of_who_is_taken_over_about_when_it_leaves() {
    // A Will on `w`, another client that subscribes to it, and a third with the Client Identifier of the first.
    let connect = b"\x10\x13\x00\x04MQTT\x04\x06\x00\x00\x00\x01b\x00\x01w\x00\x01x";
    let same = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01b";
    let begun = || {
        Exchange::new()
            .connects(A, CONNECT_4, ACCEPTED_4)
            .sends(A, b"\x82\x06\x00\x01\x00\x01w\x00")
            .receives(A, b"\x90\x03\x00\x01\x00")
            .connects(B, connect, ACCEPTED_4)
    };
    let ends = |exchange: Exchange| {
        exchange
            .ends(B, End::ByTarget)
            .receives(A, b"\x30\x04\x00\x01wx")
            .classes()
    };
    let leaves = b"\xe0\x00";
    let overtaken = begun().connects(C, same, ACCEPTED_4).sends(B, leaves);
    assert_eq!(ends(overtaken), [""; 0]);
    let crossed = begun().sends(B, leaves).connects(C, same, ACCEPTED_4);
    assert_eq!(ends(crossed), [""; 0]);
    let before = begun().sends(B, leaves);
    assert_eq!(ends(before), ["nobody-published-it (v3.1.1/MQTT-3.3.2-3)"]);
}

#[test]
fn a_will_may_come_where_the_target_may_have_closed_before_disconnect() {
    // A Will on `w`, and another client that subscribes to it.
    let connect = b"\x10\x13\x00\x04MQTT\x04\x06\x00\x00\x00\x01b\x00\x01w\x00\x01x";
    let exchange = |acknowledgement: &[u8]| {
        Exchange::new()
            .connects(A, CONNECT_4, ACCEPTED_4)
            .sends(A, b"\x82\x06\x00\x01\x00\x01w\x00")
            .receives(A, b"\x90\x03\x00\x01\x00")
            .connects(B, connect, ACCEPTED_4)
            .sends(B, acknowledgement)
            .sends(B, b"\xe0\x00")
            .ends(B, End::ByTarget)
            .receives(A, b"\x30\x04\x00\x01wx")
            .classes()
    };
    // PUBCOMP for nothing: some close for it.
    assert_eq!(exchange(b"\x70\x02\xff\xff"), [""; 0]);
    assert_eq!(
        exchange(PINGREQ),
        ["nobody-published-it (v3.1.1/MQTT-3.3.2-3)"]
    );
}

#[test]
fn a_retained_message_names_the_shared_subscription_that_brings_it() {
    // A retained message of QoS 1; then subscriptions at QoS 0, and shared at QoS 1.
    let exchange = Exchange::new()
        .connects(A, CONNECT_5, ACCEPTED_5)
        .sends(A, b"\x33\x07\x00\x01t\x00\x01\x00x")
        .receives(A, b"\x40\x02\x00\x01")
        .sends(
            A,
            b"\x82\x14\x00\x02\x00\x00\x01t\x00\x00\x0a$share/s/t\x01",
        );
    let granted = exchange.receives(A, b"\x90\x05\x00\x02\x00\x00\x01");
    assert_eq!(
        granted
            .receives(A, b"\x33\x07\x00\x01t\x00\x01\x00x")
            .classes(),
        ["retained-message-on-a-shared-subscription"]
    );
}

#[test]
fn what_another_version_knows_nothing_of_may_be_lost() {
    // A session of 5.0 with Retain As Published, then the same of 3.1.1, then of 5.0 again.
    let lasting = b"\x10\x13\x00\x04MQTT\x05\x00\x00\x00\x05\x11\x00\x00\x00\x3c\x00\x01a";
    let plain = b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x00\x00\x01a";
    let publisher = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01b";
    let exchange = |between: bool| {
        let mut exchange = Exchange::new()
            .connects(A, lasting, ACCEPTED_5)
            .sends(A, b"\x82\x07\x00\x01\x00\x00\x01t\x09")
            .receives(A, b"\x90\x04\x00\x01\x00\x01")
            .ends(A, End::Closed);
        if between {
            exchange = exchange
                .connects(A, plain, b"\x20\x02\x01\x00")
                .ends(A, End::Closed);
        }
        exchange
            .connects(B, publisher, ACCEPTED_4)
            .sends(B, b"\x33\x06\x00\x01t\x00\x01x")
            .receives(B, b"\x40\x02\x00\x01")
            .connects(A, lasting, b"\x20\x03\x01\x00\x00")
            .receives(A, b"\x32\x07\x00\x01t\x00\x01\x00x")
            .classes()
    };
    assert_eq!(exchange(true), [""; 0]);
    assert_eq!(
        exchange(false),
        ["no-retain-on-a-retained-message (v5.0/MQTT-3.3.1-13)"]
    );
}

#[test]
fn a_disconnect_that_is_malformed_may_not_have_shortened_the_session() {
    // 5.0, a session for a minute, a subscription, a message of QoS 1; DISCONNECT with wrong flags and expiry 0.
    let lasting = b"\x10\x13\x00\x04MQTT\x05\x02\x00\x00\x05\x11\x00\x00\x00\x3c\x00\x01a";
    let old = b"\x10\x0f\x00\x06MQIsdp\x03\x00\x00\x00\x00\x01a";
    let exchange = Exchange::new()
        .connects(A, lasting, ACCEPTED_5)
        .sends(A, b"\x82\x07\x00\x01\x00\x00\x01t\x01")
        .receives(A, b"\x90\x04\x00\x01\x00\x01")
        .sends(A, b"\x32\x07\x00\x01t\x00\x02\x00x")
        .receives(A, b"\x32\x07\x00\x01t\x00\x01\x00x")
        .sends(A, b"\xe3\x07\x00\x05\x11\x00\x00\x00\x00")
        .ends(A, End::ByTarget)
        .connects(A, old, ACCEPTED_4)
        .receives(A, b"\x3a\x06\x00\x01t\x00\x01x");
    assert_eq!(exchange.classes(), [""; 0]);
}

#[test]
fn a_second_sending_without_dup_is_called_so() {
    let lasting = b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x00\x00\x01a";
    let exchange = Exchange::new()
        .connects(A, lasting, ACCEPTED_4)
        .sends(A, b"\x82\x06\x00\x01\x00\x01t\x02")
        .receives(A, b"\x90\x03\x00\x01\x02")
        .sends(A, b"\x34\x06\x00\x01t\x00\x02x")
        .receives(A, b"\x50\x02\x00\x02\x34\x06\x00\x01t\x00\x01x")
        .ends(A, End::Cut)
        .connects(A, lasting, b"\x20\x02\x01\x00")
        .receives(A, b"\x34\x06\x00\x01t\x00\x01x");
    assert_eq!(
        exchange.classes(),
        ["no-dup-on-a-second-sending (v3.1.1/MQTT-3.3.1-1)"]
    );
}

#[test]
fn an_acknowledgement_may_cross_the_message_that_it_names() {
    // PUBREC and PUBACK for messages of QoS 1 that are on their way.
    let lasting = b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x00\x00\x01a";
    let exchange = Exchange::new()
        .connects(A, lasting, ACCEPTED_4)
        .sends(A, b"\x82\x06\x00\x01\x00\x01t\x01")
        .receives(A, b"\x90\x03\x00\x01\x01")
        .sends(A, b"\x32\x06\x00\x01t\x00\x02x\x32\x06\x00\x01t\x00\x03y")
        .sends(A, b"\x50\x02\x00\x01\x40\x02\x00\x02")
        .receives(A, b"\x32\x06\x00\x01t\x00\x01x\x32\x06\x00\x01t\x00\x02y")
        .receives(A, b"\x62\x02\x00\x01")
        // The second identifier is free again.
        .sends(A, b"\x32\x06\x00\x01t\x00\x04z")
        .receives(A, b"\x32\x06\x00\x01t\x00\x02z")
        .ends(A, End::Cut)
        .connects(A, lasting, b"\x20\x02\x01\x00")
        .receives(A, b"\x3a\x06\x00\x01t\x00\x01x");
    assert_eq!(exchange.classes(), [""; 0]);
}

#[test]
fn what_a_resumed_session_brings_answers_nothing() {
    // QoS 2 up to PUBREC; then a type that there is not, whose body names the Packet Identifier.
    let lasting = b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x00\x00\x01a";
    let exchange = Exchange::new()
        .connects(A, lasting, ACCEPTED_4)
        .sends(A, b"\x82\x06\x00\x01\x00\x01t\x02")
        .receives(A, b"\x90\x03\x00\x01\x02")
        .sends(A, b"\x34\x06\x00\x01t\x00\x02x")
        .receives(A, b"\x50\x02\x00\x02\x34\x06\x00\x01t\x00\x05x")
        .sends(A, b"\x50\x02\x00\x05")
        .ends(A, End::Cut)
        .connects(A, lasting, b"\x20\x02\x01\x00")
        .sends(A, b"\x00\x40\x00\x05")
        .receives(A, b"\x62\x02\x00\x05");
    assert_eq!(exchange.classes(), [""; 0]);
}

#[test]
fn a_will_may_come_of_who_never_got_its_connack() {
    // A Will on `w`; what follows CONNECT is no packet, so that the target closes, and its CONNACK may be lost.
    let connect = b"\x10\x13\x00\x04MQTT\x04\x06\x00\x00\x00\x01b\x00\x01w\x00\x01x";
    let comes = |packet: &[u8]| {
        Exchange::new()
            .connects(A, CONNECT_4, ACCEPTED_4)
            .sends(A, b"\x82\x06\x00\x01\x00\x01w\x00")
            .receives(A, b"\x90\x03\x00\x01\x00")
            .connects(B, connect, b"")
            .sends(B, b"\x00\x00")
            .receives(A, packet)
            .ends(B, End::ByTarget)
            .classes()
    };
    assert_eq!(comes(b"\x30\x04\x00\x01wx"), [""; 0]);
    assert_eq!(
        comes(b"\x30\x04\x00\x01wy"),
        ["nobody-published-it (v3.1.1/MQTT-3.3.2-3)"]
    );
}

#[test]
fn a_disconnect_with_a_control_character_may_be_none() {
    // A Session that lasts, a subscription to `t`, and a DISCONNECT that ends the Session, with a User Property.
    let connect = b"\x10\x13\x00\x04MQTT\x05\x02\x00\x00\x05\x11\x00\x00\x00\x3c\x00\x01a";
    let resumed = b"\x10\x0f\x00\x06MQIsdp\x03\x00\x00\x00\x00\x01a";
    let comes = |value: u8| {
        let mut leaves = *b"\xe0\x0d\x00\x0b\x11\x00\x00\x00\x00\x26\x00\x00\x00\x01?";
        leaves[14] = value;
        Exchange::new()
            .connects(A, connect, ACCEPTED_5)
            .sends(A, b"\x82\x07\x00\x01\x00\x00\x01t\x00")
            .receives(A, b"\x90\x04\x00\x01\x00\x00")
            .sends(A, &leaves)
            .ends(A, End::ByTarget)
            .connects(A, resumed, ACCEPTED_4)
            .connects(B, CONNECT_B, ACCEPTED_4)
            .sends(B, b"\x30\x04\x00\x01tx")
            .receives(A, b"\x30\x04\x00\x01tx")
            .classes()
    };
    assert_eq!(comes(0x1b), [""; 0]);
    assert_eq!(comes(b'v'), ["not-subscribed"]);
}

#[test]
fn no_local_may_be_forgotten_where_an_older_version_went_on() {
    let connect = b"\x10\x13\x00\x04MQTT\x05\x02\x00\x00\x05\x11\x00\x00\x00\x3c\x00\x01a";
    let older = b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x00\x00\x01a";
    let subscribed = || {
        Exchange::new()
            .connects(A, connect, ACCEPTED_5)
            .sends(A, b"\x82\x07\x00\x01\x00\x00\x01t\x04")
            .receives(A, b"\x90\x04\x00\x01\x00\x00")
    };
    let own = subscribed()
        .sends(A, b"\x30\x05\x00\x01t\x00x")
        .receives(A, b"\x30\x05\x00\x01t\x00x");
    assert_eq!(
        own.classes(),
        ["own-message-in-spite-of-no-local (v5.0/MQTT-3.8.3-3)"]
    );
    let changed = subscribed()
        .ends(A, End::Closed)
        .connects(A, older, b"\x20\x02\x01\x00")
        .sends(A, b"\x30\x04\x00\x01tx")
        .receives(A, b"\x30\x04\x00\x01tx");
    assert_eq!(changed.classes(), [""; 0]);
}

#[test]
fn a_message_that_somebody_published_does_not_come_of_what_cannot_be_read() {
    // B publishes `x` on `t`; A has begun a packet wrongly that speaks of `t` and `y`, and gets a message with RETAIN.
    let comes = |packet: &[u8]| {
        Exchange::new()
            .connects(A, CONNECT_4, ACCEPTED_4)
            .sends(A, b"\x82\x06\x00\x01\x00\x01t\x00")
            .receives(A, b"\x90\x03\x00\x01\x00")
            .connects(
                B,
                b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01b",
                ACCEPTED_4,
            )
            .sends(A, b"\x65\x40\x30\x05\x00\x01ty")
            .sends(B, b"\x31\x04\x00\x01tx")
            .receives(A, packet)
            .classes()
    };
    assert_eq!(comes(b"\x31\x04\x00\x01tx"), [""; 0]);
    assert_eq!(
        comes(b"\x30\x04\x00\x01ty"),
        ["goes-on-behind-what-is-forbidden (v3.1.1/MQTT-3.6.1-1)"]
    );
}
