//! Every matcher, each with what it holds for and what it does not.

use codec::Version;

use super::peer::{Stand, play};
use crate::event::Verdict;

/// Whether `fields` hold for a PUBLISH of 5.0, given as hex digits.
fn holds(fields: &str, publish: &'static str) -> bool {
    let text = format!(
        "clauses: [v5.0/MQTT-3.3.4-1]\nclients: [a: {{ topic_alias_maximum: 10 }}]\nsteps:\n  - a pings\n  - a <- PUBLISH: {{ {fields} }}\n"
    );
    let stand = Stand {
        version: Version::V5_0,
        ..Stand::default()
    };
    let report = play(&stand, &text, move |mut peer| async move {
        peer.accept().await;
        peer.next().await;
        peer.send(publish).await;
        peer.send("d0 00").await;
        while peer.answer().await {}
    });
    match report.verdict {
        Verdict::Pass => true,
        Verdict::Fail => false,
        other => panic!("{fields}: {other:?}"),
    }
}

/// Topic `ab`, payload `xyz`, Message Expiry Interval 100, Subscription Identifiers 3 and 1, User Properties `a: 1`, `b: 2`.
const FULL: &str = "30 1f 00 02 61 62 17 02 00 00 00 64 0b 03 0b 01 26 00 01 61 00 01 31 26 00 01 62 00 01 32 78 79 7a";
/// Topic `ab`, payload `xyz`, no properties.
const BARE: &str = "30 08 00 02 61 62 00 78 79 7a";

#[test]
fn values_hold_for_what_they_say() {
    for (fields, full, bare) in [
        ("topic: ab", true, true),
        ("topic: a", false, false),
        (
            "payload: xyz, qos: 0, dup: false, retain: false",
            true,
            true,
        ),
        ("retain: true", false, false),
        ("message_expiry: 100", true, false),
        ("message_expiry: <absent>", false, true),
        (
            "message_expiry: { any_of: [<absent>, 90..110] }",
            true,
            true,
        ),
        ("message_expiry: { any_of: [1, 2] }", false, false),
        ("message_expiry: { not: 5 }", true, false),
        ("message_expiry: { not: 100 }", false, false),
        ("message_expiry: { near: 99, by: 1 }", true, false),
        ("message_expiry: { near: 98, by: 1 }", false, false),
        ("message_expiry: { below: 101 }", true, false),
        ("message_expiry: { below: 100 }", false, false),
        ("message_expiry: 100..200", true, false),
        ("message_expiry: 101..200", false, false),
        ("payload: { size: 3 }", true, true),
        ("payload: { size: 4 }", false, false),
        ("payload: { hex: 78 79 7a }", true, true),
        ("payload: { contains: yz }", true, true),
        ("payload: { contains: zy }", false, false),
        ("subscription_ids: [3, 1]", true, false),
        ("subscription_ids: [1, 3]", false, false),
        ("subscription_ids: [3]", false, false),
        ("subscription_ids: { any_order: [1, 3] }", true, false),
        ("subscription_ids: { contains: [1] }", true, false),
        ("subscription_ids: <absent>", false, true),
        ("user_properties: [[a, '1'], [b, '2']]", true, false),
        ("user_properties: [[b, '2'], [a, '1']]", false, false),
        ("user_properties: { contains: [[b, '2']] }", true, false),
        ("user_properties: { contains: [[b, '1']] }", false, false),
        (
            "user_properties: { any_order: [[b, '2'], [a, '1']] }",
            true,
            false,
        ),
    ] {
        assert_eq!(holds(fields, FULL), full, "{fields} for the full packet");
        assert_eq!(holds(fields, BARE), bare, "{fields} for the bare packet");
    }
}

#[test]
fn a_name_is_bound_once_and_then_compared() {
    let text = |second: &str| {
        format!(
            "clauses: [v5.0/MQTT-3.3.4-1]\nclients: [a]\nsteps:\n  - a pings\n  - a <- PUBLISH: {{ payload: <x> }}\n  \
             - a <- PUBLISH: {{ payload: {second} }}\n"
        )
    };
    let stand = Stand {
        version: Version::V5_0,
        ..Stand::default()
    };
    let play = |text: &str| {
        play(&stand, text, |mut peer| async move {
            peer.accept().await;
            peer.next().await;
            peer.send("30 05 00 01 61 00 78 30 06 00 01 61 00 78 78 d0 00")
                .await;
            while peer.answer().await {}
        })
    };
    assert_eq!(play(&text("<x><x>")).verdict, Verdict::Pass);
    let differs = play(&text("<x>"));
    assert_eq!(
        differs.findings[0].message,
        "`a` received another PUBLISH: payload is xx, not x"
    );
}
