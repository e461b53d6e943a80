//! Each verdict, and the rulings that it comes from.

use std::time::Duration;

use codec::Version;
use tokio::time::sleep;

use super::peer::{Peer, Stand, play};
use crate::event::{CaseReport, Happening, Level, Verdict};

fn steps(steps: &str) -> String {
    format!("clauses: [v3.1.1/MQTT-3.3.4-1, v5.0/MQTT-3.3.4-1]\nclients: [a]\nsteps:\n{steps}")
}

fn messages(report: &CaseReport) -> Vec<&str> {
    report
        .findings
        .iter()
        .map(|finding| finding.message.as_str())
        .collect()
}

fn v5() -> Stand {
    Stand {
        version: Version::V5_0,
        ..Stand::default()
    }
}

/// Accepts, sends something at the first PINGREQ, and goes on.
fn tells(hex: &'static str) -> impl Fn(Peer) -> std::pin::Pin<Box<dyn Future<Output = ()>>> {
    move |mut peer: Peer| {
        Box::pin(async move {
            peer.accept().await;
            peer.next().await;
            peer.send(hex).await;
            peer.send("d0 00").await;
            while peer.answer().await {}
        })
    }
}

/// A PUBLISH at QoS 0 to topic `a`.
const MESSAGE: &str = "30 04 00 01 61 78";

#[test]
fn what_nobody_reads_fails_at_the_end() {
    let report = play(&Stand::default(), &steps("  - a pings\n"), tells(MESSAGE));
    assert_eq!(
        messages(&report),
        ["`a` received a PUBLISH that nothing asked for (at the end of the case)"]
    );
    assert_eq!(report.verdict, Verdict::Fail);
}

#[test]
fn another_cases_message_is_ignored_and_acknowledged() {
    // Level `assay00001000k` is the token of another case.
    let report = play(
        &Stand::default(),
        &steps("  - a pings\n"),
        tells("32 13 00 0e 61 73 73 61 79 30 30 30 30 31 30 30 30 6b 00 07 78"),
    );
    assert_eq!(report.verdict, Verdict::Pass, "{:#?}", report.findings);
    let acknowledged = report.trace.iter().any(|entry| {
        matches!(&entry.what, Happening::Sent { notation, .. } if notation == "PUBACK: { id: 7 }")
    });
    assert!(acknowledged);
}

#[test]
fn a_message_of_the_targets_own_is_ignored_where_a_filter_asks_for_anything() {
    let text = |filter: &str| {
        steps(&format!(
            "  - a subscribes: {{ filter: '{filter}', qos: 0 }}\n  - a pings\n"
        ))
    };
    let own = |mut peer: Peer| async move {
        peer.accept().await;
        peer.answer().await;
        peer.send(MESSAGE).await;
        while peer.answer().await {}
    };
    assert_eq!(
        play(&Stand::default(), &text("#"), own).verdict,
        Verdict::Pass
    );
    assert_eq!(
        play(&Stand::default(), &text("<t>/#"), own).verdict,
        Verdict::Fail
    );
}

#[test]
fn before_5_0_a_repeat_is_tolerated() {
    let twice = "32 06 00 01 61 00 07 78 3a 06 00 01 61 00 07 78";
    let text = steps("  - a pings\n  - a <- PUBLISH: { id: 7, dup: false }\n");
    let old = play(&Stand::default(), &text, tells(twice));
    assert_eq!(old.verdict, Verdict::Pass, "{:#?}", old.findings);
    let new = play(
        &v5(),
        &text,
        tells("32 07 00 01 61 00 07 00 78 3a 07 00 01 61 00 07 00 78"),
    );
    assert_eq!(new.verdict, Verdict::Fail);
}

/// Sends a PUBLISH at QoS 2 with id 7, which is answered by these bytes.
fn recorded(version: Version, end: &str, answers: &'static str) -> CaseReport {
    let stand = Stand {
        version,
        ..Stand::default()
    };
    let text = steps(&format!(
        "  - a -> PUBLISH: {{ id: 7, topic: <t>, payload: x, qos: 2 }}\n  - a <- PUBREC: {{ id: 7 }}\n{end}"
    ));
    play(&stand, &text, move |mut peer| async move {
        peer.accept().await;
        peer.next().await;
        peer.send(answers).await;
        while peer.answer().await {}
    })
}

#[test]
fn before_5_0_a_repeated_pubrec_is_tolerated() {
    let twice = "50 02 00 07 50 02 00 07";
    let old = recorded(Version::V3_1_1, "  - a pings\n", twice);
    assert_eq!(old.verdict, Verdict::Pass, "{:#?}", old.findings);
    let new = recorded(Version::V5_0, "  - a pings\n", twice);
    assert_eq!(
        messages(&new),
        ["`a` received a PUBREC that nothing asked for (at the end of the case)"]
    );
    let first = recorded(Version::V3_1_1, "  - a <- nothing\n", "50 02 00 07");
    assert_eq!(first.verdict, Verdict::Pass, "{:#?}", first.findings);
    let unread = play(
        &Stand::default(),
        &steps("  - a -> PUBLISH: { id: 7, topic: <t>, payload: x, qos: 2 }\n  - a pings\n"),
        |mut peer| async move { peer.serve().await },
    );
    assert_eq!(
        messages(&unread),
        ["`a` received a PUBREC that nothing asked for (at the end of the case)"],
        "the first is no repeat"
    );
}

#[test]
fn a_repeated_pubrec_does_not_stand_for_the_next_messages() {
    for next in [7, 8] {
        let again = format!(
            "  - a -> PUBREL: {{ id: 7 }}\n  - a <- PUBCOMP: {{ id: 7 }}\n  \
             - a -> PUBLISH: {{ id: {next}, topic: <t>, payload: y, qos: 2 }}\n  - a <- PUBREC: {{ id: {next} }}\n  \
             - a -> PUBREL: {{ id: {next} }}\n  - a <- PUBCOMP: {{ id: {next} }}\n"
        );
        let report = recorded(Version::V3_1_1, &again, "50 02 00 07 50 02 00 07");
        assert_eq!(report.verdict, Verdict::Pass, "{:#?}", report.findings);
    }
}

#[test]
fn a_missed_close_within_should_is_told_once() {
    let text = "clauses: [v3.1.1/MQTT-3.1.2-22]\nclients: []\ncontrol:\n  - a connects\nsteps:\n  \
                - a -> CONNECT\n  - should:\n      - a <- closed within 2s\n";
    let report = play(&Stand::default(), text, |mut peer| async move {
        peer.serve().await;
    });
    assert_eq!(messages(&report), ["the target kept the connection of `a`"]);
    assert_eq!(report.verdict, Verdict::Warn);
}

#[test]
fn a_miss_within_should_warns_and_strictness_makes_it_fail() {
    let text = steps("  - should:\n      - a <- nothing\n  - a pings\n");
    let warned = play(&Stand::default(), &text, tells(MESSAGE));
    assert_eq!(warned.verdict, Verdict::Warn, "{:#?}", warned.findings);
    assert_eq!(
        warned.findings.len(),
        1,
        "told once: {:#?}",
        warned.findings
    );
    let strict = Stand {
        strict: true,
        ..Stand::default()
    };
    assert_eq!(play(&strict, &text, tells(MESSAGE)).verdict, Verdict::Fail);
}

#[test]
fn what_a_warning_showed_is_not_told_again_and_can_still_be_read() {
    let missed = "  - a pings\n  - should:\n      - a <- PUBLISH: { payload: y }\n";
    let report = play(&Stand::default(), &steps(missed), tells(MESSAGE));
    assert_eq!(
        messages(&report),
        ["`a` received another PUBLISH: payload is x, not y"]
    );
    assert_eq!(report.verdict, Verdict::Warn);
    let read = format!("{missed}  - a <- PUBLISH: {{ payload: x }}\n");
    assert_eq!(
        play(&Stand::default(), &steps(&read), tells(MESSAGE)).verdict,
        Verdict::Warn
    );
    let other = format!("{missed}  - a <- PUBLISH: {{ payload: z }}\n");
    assert_eq!(
        play(&Stand::default(), &steps(&other), tells(MESSAGE)).verdict,
        Verdict::Fail
    );
}

#[test]
fn a_miss_that_only_should_clauses_speak_for_warns() {
    let text = "clauses: [v3.1.1/U311-3.1.4-1]\nclients: []\ncontrol:\n  - a connects\nsteps:\n  - a opens\n  - a <- closed within 2s\n";
    let report = play(&Stand::default(), text, |mut peer| async move {
        peer.serve().await;
    });
    assert_eq!(messages(&report), ["the target kept the connection of `a`"]);
    assert_eq!(report.findings[0].level, Level::Should);
    assert_eq!(report.verdict, Verdict::Warn);
}

#[test]
fn skip_ends_the_case_unjudged() {
    let report = play(
        &Stand::default(),
        &steps("  - a pings\n  - skip: not here\n"),
        tells(MESSAGE),
    );
    assert_eq!(
        report.verdict,
        Verdict::Skip {
            reason: "not here".to_owned()
        }
    );
}

#[test]
fn a_lower_grant_skips_and_a_failure_fails() {
    let text = steps("  - a subscribes: { filter: <t>, qos: 2 }\n");
    let granting = |code: &'static str| {
        move |mut peer: Peer| async move {
            peer.accept().await;
            let request = peer.next().await.unwrap();
            peer.send(&format!(
                "90 03 {:02x} {:02x} {code}",
                request[2], request[3]
            ))
            .await;
            while peer.answer().await {}
        }
    };
    let lower = play(&Stand::default(), &text, granting("01"));
    assert!(
        matches!(lower.verdict, Verdict::Skip { .. }),
        "{:?}",
        lower.verdict
    );
    let refused = play(&Stand::default(), &text, granting("80"));
    assert_eq!(messages(&refused), ["the target refuses what `a` asks for"]);
    let said = steps(
        "  - a subscribes: { filter: <t>, qos: 2, gets: { granted: <g1> } }\n  - if <g1> = 1:\n      - skip: seen\n",
    );
    let bound = play(&Stand::default(), &said, granting("01"));
    assert_eq!(
        bound.verdict,
        Verdict::Skip {
            reason: "seen".to_owned()
        }
    );
}

#[test]
fn a_refused_connection_is_a_prerequisite() {
    let report = play(
        &Stand::default(),
        &steps("  - a pings\n"),
        |mut peer| async move {
            peer.next().await;
            peer.send("20 02 00 05").await;
        },
    );
    assert!(
        matches!(&report.verdict, Verdict::Untested { reason } if reason.contains("`a` cannot connect"))
    );
}

const NEGATIVE: &str = "  - a !> SUBSCRIBE: { id: 1, filters: [{ filter: <t>, qos: 0 }], but: { flags: 0b0000 } }\n  \
                        - a <- closed: [malformed_packet, protocol_error]\n";

/// Closes at the forbidden SUBSCRIBE, in 5.0 after these bytes.
fn closes_at_flags(
    farewell: &'static str,
) -> impl Fn(Peer) -> std::pin::Pin<Box<dyn Future<Output = ()>>> {
    move |mut peer: Peer| {
        Box::pin(async move {
            peer.accept().await;
            while let Some(packet) = peer.next().await {
                match packet[0] {
                    0x80 => {
                        peer.send(farewell).await;
                        return;
                    }
                    0x82 => {
                        let v5 = peer.version == Version::V5_0;
                        let tail = if v5 { "00 00" } else { "00" };
                        let length = if v5 { "04" } else { "03" };
                        peer.send(&format!(
                            "90 {length} {:02x} {:02x} {tail}",
                            packet[2], packet[3]
                        ))
                        .await;
                    }
                    0xC0 => peer.send("d0 00").await,
                    _ => {}
                }
            }
        })
    }
}

#[test]
fn a_forbidden_packet_is_judged_behind_its_twin() {
    let report = play(&Stand::default(), &steps(NEGATIVE), closes_at_flags(""));
    assert_eq!(report.verdict, Verdict::Pass, "{:#?}", report.findings);
}

#[test]
fn who_closes_everything_has_proven_nothing() {
    let report = play(&Stand::default(), &steps(NEGATIVE), |mut peer| async move {
        peer.accept().await;
        peer.next().await;
    });
    assert!(
        matches!(&report.verdict, Verdict::Untested { reason } if reason.contains("the control twin failed")),
        "{:?}",
        report.verdict
    );
}

#[test]
fn who_keeps_the_connection_fails() {
    let report = play(&Stand::default(), &steps(NEGATIVE), |mut peer| async move {
        peer.serve().await;
    });
    assert_eq!(messages(&report), ["the target kept the connection of `a`"]);
    assert_eq!(report.verdict, Verdict::Fail);
}

#[test]
fn in_5_0_a_missing_or_another_reason_is_a_warning() {
    let named = play(&v5(), &steps(NEGATIVE), closes_at_flags("e0 02 81 00"));
    assert_eq!(named.verdict, Verdict::Pass, "{:#?}", named.findings);
    let silent = play(&v5(), &steps(NEGATIVE), closes_at_flags(""));
    assert_eq!(silent.verdict, Verdict::Warn);
    assert_eq!(silent.findings[0].clauses[0].name(), "v5.0/U50-4.13.1-2");
    let other = play(&v5(), &steps(NEGATIVE), closes_at_flags("e0 02 87 00"));
    assert_eq!(
        messages(&other),
        ["DISCONNECT gives a Reason Code that does not say what was wrong"]
    );
    assert_eq!(other.verdict, Verdict::Warn);
}

const CHOICE: &str = "  - a pings\n  - any:\n      one:\n        - a <- PUBLISH: { payload: x }\n        - a <- nothing\n      \
                      two:\n        - all:\n            - a <- PUBLISH: { payload: y }\n            - a <- PUBLISH: { payload: x }\n        - a <- nothing\n";

#[test]
fn a_choice_is_noted() {
    let report = play(&Stand::default(), &steps(CHOICE), tells(MESSAGE));
    assert_eq!(report.verdict, Verdict::Note, "{:#?}", report.findings);
    assert_eq!(report.notes, ["one"]);
}

#[test]
fn a_choice_sees_what_is_still_under_way() {
    let report = play(&Stand::default(), &steps(CHOICE), |mut peer| async move {
        peer.accept().await;
        peer.next().await;
        peer.send("d0 00").await;
        peer.send(MESSAGE).await;
        // The second copy comes with the answer to the barrier's PINGREQ.
        peer.next().await;
        peer.send("30 04 00 01 61 79 d0 00").await;
        while peer.answer().await {}
    });
    assert_eq!(report.notes, ["two"], "{report:#?}");
}

#[test]
fn none_of_the_alternatives_fails_with_all_of_them() {
    let report = play(
        &Stand::default(),
        &steps(CHOICE),
        tells("30 04 00 01 61 7a"),
    );
    assert_eq!(messages(&report), ["the target did none of what it may do"]);
    assert_eq!(
        report.findings[0].received.as_deref(),
        Some("PUBLISH: { topic: a, payload: z }")
    );
}

#[test]
fn order_counts_only_where_it_is_asked_for() {
    let any_order =
        "  - a -> PINGREQ\n  - all:\n      - a <- PINGRESP\n      - a <- PUBLISH: { payload: x }\n";
    let report = play(&Stand::default(), &steps(any_order), tells(MESSAGE));
    assert_eq!(report.verdict, Verdict::Pass, "{:#?}", report.findings);
    let in_order = "  - a -> PINGREQ\n  - in order:\n      - a <- PINGRESP\n      - a <- PUBLISH: { payload: x }\n";
    let report = play(&Stand::default(), &steps(in_order), tells(MESSAGE));
    assert_eq!(
        messages(&report),
        ["PUBLISH came too early: the steps before it came later"]
    );
}

#[test]
fn the_oldest_packet_of_a_type_must_match() {
    let text = steps("  - a pings\n  - a <- PUBLISH: { topic: a, payload: y }\n");
    let report = play(
        &Stand::default(),
        &text,
        tells("30 04 00 01 61 78 30 04 00 01 61 79"),
    );
    assert_eq!(
        messages(&report),
        ["`a` received another PUBLISH: payload is x, not y"]
    );
    let finding = &report.findings[0];
    assert_eq!(
        finding.expected.as_deref(),
        Some("PUBLISH: { topic: a, payload: y }")
    );
    assert_eq!(
        finding.received.as_deref(),
        Some("PUBLISH: { topic: a, payload: x }")
    );
    let source = &report.case.source;
    assert_eq!(
        &source.text[finding.span.range()],
        "y",
        "the caret stands at the field"
    );
}

#[test]
fn nothing_for_a_time_sees_what_comes_within_it() {
    let text = steps(
        "  - a -> PINGREQ\n  - a <- PINGRESP\n  - a <- nothing for 3s\n  - a <- PUBLISH: { payload: x }\n",
    );
    let after = |period: u64| {
        play(&Stand::default(), &text, move |mut peer: Peer| async move {
            peer.accept().await;
            peer.next().await;
            peer.send("d0 00").await;
            sleep(Duration::from_millis(period)).await;
            peer.send(MESSAGE).await;
            while peer.answer().await {}
        })
    };
    assert_eq!(
        messages(&after(3000)),
        ["`a` received a PUBLISH that nothing asked for"]
    );
    assert_eq!(after(3010).verdict, Verdict::Pass);
}

#[test]
fn a_standing_rule_is_judged_whatever_the_scenario_is_after() {
    let report = play(
        &v5(),
        &steps("  - a pings\n  - a <- PUBLISH\n"),
        tells("30 08 00 01 61 03 23 00 01 78"),
    );
    assert_eq!(report.findings[0].clauses[0].name(), "v5.0/MQTT-3.1.2-27");
    assert_eq!(report.verdict, Verdict::Fail);
}

#[test]
fn bytes_that_the_scenario_expects_are_no_violation() {
    let text = "clauses: [v5.0/MQTT-3.1.2-2]\nversions: [v5.0]\nclients: []\nsteps:\n  - a !> CONNECT: { client_id: <a.id>, but: { protocol_version: 127 } }\n  \
                - a <- bytes: 20 02 00 01\n  - a <- closed\n";
    let report = play(&v5(), text, |mut peer| async move {
        let connect = peer.next().await.unwrap_or_default();
        if connect[8] == 127 {
            peer.send("20 02 00 01").await;
        } else {
            peer.send("20 03 00 00 00").await;
            while peer.answer().await {}
        }
    });
    assert_eq!(report.verdict, Verdict::Pass, "{:#?}", report.findings);
}
