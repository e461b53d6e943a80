//! Targets that answer late or byte by byte, die, send garbage, or flood.

use std::time::Duration;

use codec::Version;
use tokio::time::sleep;

use super::peer::{Peer, Stand, play};

use crate::event::{CaseReport, Level, Verdict};
use crate::target::{Credentials, Facts};

const PING: &str = "clauses: [v3.1.1/MQTT-3.12.4-1]\nclients: [a]\nsteps:\n  - a pings\n";

fn only_finding(report: &CaseReport) -> &str {
    assert_eq!(report.findings.len(), 1, "{:#?}", report.findings);
    &report.findings[0].message
}

async fn answers_after(mut peer: Peer, period: Duration) {
    peer.accept().await;
    let first = peer.next().await.unwrap();
    assert_eq!(first, [0xC0, 0]);
    sleep(period).await;
    peer.send("d0 00").await;
    while peer.answer().await {}
}

#[test]
fn a_sound_answer_passes() {
    let report = play(&Stand::default(), PING, |mut peer| async move {
        peer.serve().await;
    });
    assert_eq!(report.verdict, Verdict::Pass);
    assert_eq!(report.elapsed, Duration::ZERO);
}

#[test]
fn single_bytes_are_put_together() {
    let report = play(&Stand::default(), PING, |mut peer| async move {
        peer.byte_by_byte = true;
        peer.serve().await;
    });
    assert_eq!(report.verdict, Verdict::Pass, "{report:#?}");
}

#[test]
fn an_answer_on_the_very_deadline_counts_and_one_behind_it_does_not() {
    let on_time = play(&Stand::default(), PING, |peer| {
        answers_after(peer, Duration::from_secs(5))
    });
    assert_eq!(on_time.verdict, Verdict::Pass, "{on_time:#?}");
    let late = play(&Stand::default(), PING, |peer| {
        answers_after(peer, Duration::from_millis(5002))
    });
    assert_eq!(only_finding(&late), "`a` received no PINGRESP in time");
    assert_eq!(late.verdict, Verdict::Fail);
}

#[test]
fn patience_stretches_the_wait() {
    let patient = Stand {
        patience: 3.0,
        ..Stand::default()
    };
    let report = play(&patient, PING, |peer| {
        answers_after(peer, Duration::from_secs(14))
    });
    assert_eq!(report.verdict, Verdict::Pass, "{report:#?}");
}

#[test]
fn an_explicit_bound_is_exact_and_stretched_by_patience() {
    let text = "clauses: [v3.1.1/MQTT-3.12.4-1]\nclients: [a]\nsteps:\n  - a -> PINGREQ as <sent>\n  \
                - a <- PINGRESP after 1s within 2s since <sent>\n";
    let judged = |period: u64, patience| {
        let stand = Stand {
            patience,
            ..Stand::default()
        };
        play(&stand, text, move |peer| {
            answers_after(peer, Duration::from_millis(period))
        })
    };
    assert_eq!(judged(1000, 1.0).verdict, Verdict::Pass);
    assert_eq!(judged(2000, 1.0).verdict, Verdict::Pass);
    let early = judged(999, 1.0);
    assert_eq!(
        only_finding(&early),
        "`a` received PINGRESP after 0.999 s, which is before 1.000 s"
    );
    assert_eq!(judged(2010, 1.0).verdict, Verdict::Fail);
    assert_eq!(judged(3999, 2.0).verdict, Verdict::Pass);
    assert_eq!(
        judged(999, 2.0).verdict,
        Verdict::Fail,
        "lower bounds are not stretched"
    );
}

#[test]
fn a_death_within_a_packet_is_told_as_that() {
    let report = play(&Stand::default(), PING, |mut peer| async move {
        peer.accept().await;
        peer.next().await;
        peer.send("d0").await;
        peer.reset();
    });
    assert_eq!(
        only_finding(&report),
        "the target reset the connection of `a`"
    );
    assert_eq!(report.verdict, Verdict::Fail);
    let report = play(&Stand::default(), PING, |mut peer| async move {
        peer.accept().await;
        peer.next().await;
        peer.send("d0").await;
    });
    assert_eq!(
        only_finding(&report),
        "the target closed the connection of `a`"
    );
}

#[test]
fn garbage_is_a_finding_of_its_own_clause() {
    let report = play(&Stand::default(), PING, |mut peer| async move {
        peer.accept().await;
        peer.next().await;
        peer.send("d0 ff ff ff ff ff").await;
        while peer.answer().await {}
    });
    assert_eq!(report.verdict, Verdict::Fail);
    let clauses: Vec<_> = report
        .findings
        .iter()
        .map(|finding| finding.clauses[0].name())
        .collect();
    assert!(clauses.contains(&"v3.1.1/U311-2.2.3-1"), "{clauses:?}");
    assert!(clauses.contains(&"v3.1.1/MQTT-3.12.4-1"), "{clauses:?}");
}

#[test]
fn a_malformed_packet_is_told_whatever_the_scenario_is_after() {
    let report = play(&Stand::default(), PING, |mut peer| async move {
        peer.accept().await;
        peer.next().await;
        // A PUBLISH with both QoS bits, then the answer.
        peer.send("36 06 00 01 61 00 01 78 d0 00").await;
        while peer.answer().await {}
    });
    assert_eq!(report.verdict, Verdict::Fail);
    let qos = report
        .findings
        .iter()
        .any(|finding| finding.clauses[0].name() == "v3.1.1/MQTT-3.3.1-4");
    assert!(qos, "{:#?}", report.findings);
}

#[test]
fn a_flood_ends_the_case() {
    let report = play(&Stand::default(), PING, |mut peer| async move {
        peer.accept().await;
        peer.next().await;
        for _ in 0..20_000 {
            peer.send("30 04 00 01 61 78").await;
        }
        while peer.answer().await {}
    });
    assert_eq!(
        only_finding(&report),
        "the target floods `a` with packets that nothing asked for"
    );
}

#[test]
fn a_target_that_does_not_read_is_told_as_that() {
    let text = "clauses: [v3.1.1/MQTT-3.3.4-1]\nclients: [a]\nsteps:\n  \
                - a -> PUBLISH: { topic: <t>, payload: { size: 400000 }, qos: 0 }\n  - a pings\n";
    let report = play(&Stand::default(), text, |mut peer| async move {
        peer.accept().await;
        sleep(Duration::from_mins(10)).await;
    });
    assert_eq!(
        only_finding(&report),
        "the target does not read what is sent to it"
    );
    assert!(
        report.elapsed < Duration::from_secs(30),
        "{:?}",
        report.elapsed
    );
}

#[test]
fn a_target_that_reads_slowly_does_read() {
    let text = "clauses: [v3.1.1/MQTT-3.3.4-1]\nclients: [a]\nsteps:\n  \
                - a -> PUBLISH: { topic: <t>, payload: { size: 1000000 }, qos: 0 }\n  - a pings\n";
    let report = play(&Stand::default(), text, |mut peer| async move {
        peer.accept().await;
        for _ in 0..10 {
            peer.take(80_000).await;
            sleep(Duration::from_secs(3)).await;
        }
        while peer.answer().await {}
    });
    assert_eq!(report.verdict, Verdict::Pass, "{report:#?}");
    assert!(report.elapsed > Duration::from_secs(10));
}

#[test]
fn a_target_that_is_not_there_leaves_the_case_untested() {
    let report = play(&Stand::default(), PING, |peer| async move { drop(peer) });
    assert!(
        matches!(&report.verdict, Verdict::Untested { reason } if reason.contains("cannot connect")),
        "{:?}",
        report.verdict
    );
    assert!(
        report
            .findings
            .iter()
            .all(|finding| finding.level > Level::Must)
    );
}

#[test]
fn a_case_with_a_client_of_a_version_that_the_target_lacks_is_skipped() {
    let lacks_five = Stand {
        facts: Facts {
            unspoken: vec![(Version::V5_0, "the target does not speak v5.0".into())],
            ..Facts::default()
        },
        ..Stand::default()
    };
    let text = "clauses: [v3.1.1/MQTT-3.12.4-1]\nclients: [a, b: { version: v5.0 }]\nsteps:\n  - a pings\n";
    let report = play(&lacks_five, text, |mut peer| async move {
        peer.serve().await;
    });
    assert_eq!(
        report.verdict,
        Verdict::Skip {
            reason: "the target does not speak v5.0".into()
        }
    );
}

/// A CONNECT of 3.1.1 whose client id is `assay`, with or without the User Name `ann`.
const BARE: &str = "10 11 string(MQTT) 04 02 u16(60) string(assay)";
const NAMED: &str = "10 16 string(MQTT) 04 82 u16(60) string(assay) string(ann)";

fn raw_connect(sent: &str, wants_credentials: bool) -> Verdict {
    let text = format!(
        "clauses: [v3.1.1/MQTT-3.1.4-4]\nclients: []\nsteps:\n  - a opens\n  - a -> bytes: {sent}\n  \
         - a <- CONNACK: {{ code: 0 }}\n"
    );
    let stand = Stand {
        facts: Facts {
            credentials: wants_credentials.then(Credentials::of_anybody),
            ..Facts::default()
        },
        ..Stand::default()
    };
    let refuses_the_nameless = move |mut peer: Peer| async move {
        let connect = peer.next().await.unwrap_or_default();
        let named = connect.get(9).is_some_and(|flags| flags & 0x80 != 0);
        if wants_credentials && !named {
            peer.send("20 02 00 05").await;
        } else {
            peer.send("20 02 00 00").await;
            while peer.answer().await {}
        }
    };
    play(&stand, &text, refuses_the_nameless).verdict
}

#[test]
fn a_connect_written_as_bytes_is_not_played_where_it_lacks_credentials() {
    let skipped = raw_connect(BARE, true);
    assert!(
        matches!(&skipped, Verdict::Skip { reason } if reason.contains("wants credentials")),
        "{skipped:?}"
    );
    assert_eq!(raw_connect(NAMED, true), Verdict::Pass);
    assert_eq!(raw_connect(BARE, false), Verdict::Pass);
}
