//! Runs that never took place, for the tests of the reports: every verdict, every kind of line, hostile text.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use clauses::clause;
use codec::Version;
use runner::event::{
    CaseInfo, CaseReport, Crash, Entry, Event, Finding, Happening, Level, Round, RunInfo,
    RunSummary, Verdict,
};
use scenario::{Source, Span};

const KEPT: &str = "\
title: A retained message reaches a new subscriber with RETAIN set
clauses: [v5.0/MQTT-3.3.1-9, v5.0/U50-3.3.1.3-2]
each: { qos: [1, 2] }
clients: [pub, sub]
steps:
  - pub publishes: { topic: <t>/x, payload: kept, retain: true, qos: <qos> }
  - sub subscribes: { filter: <t>/+, qos: <qos> }
  - sub receives: { topic: <t>/x, payload: kept, retain: true }
  - sub <- nothing
";

const FLAGS: &str = "\
title: A SUBSCRIBE with wrong reserved flags closes the connection
clauses: [v3.1.1/MQTT-3.8.1-1, v5.0/MQTT-3.8.1-1]
clients: [a]
steps:
  - a !> SUBSCRIBE: { id: 1, filters: [{ filter: <t>, qos: 0 }], but: { flags: 0b0000 } }
  - a <- closed: [malformed_packet, protocol_error]
";

/// A run with every verdict in it.
pub(crate) fn run() -> Vec<Event> {
    let mut events = vec![started("mqtt://localhost:1883", 12)];
    events.extend(finished(pass("ping/answered@v3.1.1/tcp", Version::V3_1_1)));
    events.extend(finished(pass("ping/answered@v5.0/tcp", Version::V5_0)));
    events.extend(finished(failed_with(
        "the retained message arrived without RETAIN",
    )));
    let again = failed_with("the retained message arrived without RETAIN");
    let mut info = again.case.as_ref().clone();
    info.name = info.name.replace("qos=1", "qos=2");
    events.extend(finished(CaseReport {
        case: Arc::new(info),
        ..again
    }));
    events.extend(finished(flags()));
    events.extend(finished(with_reason(
        "shared/each-once@v5.0/tcp",
        |reason| Verdict::Skip { reason },
        "the target declares no shared subscriptions",
    )));
    events.extend(finished(with_reason(
        "shared/order@v5.0/tcp",
        |reason| Verdict::Skip { reason },
        "the target declares no shared subscriptions",
    )));
    events.extend(finished(with_reason("will/delay@v5.0/tcp", |reason| Verdict::Untested { reason }, "the control twin failed: the sound CONNECT was refused with not_authorized (0x87), so that nothing is known of the forbidden one")));
    events.extend(finished(with_reason(
        "topic/dollar@v5.0/tcp",
        |reason| Verdict::Known { reason },
        "passes $-topics to # on purpose, see its manual",
    )));
    events.extend(finished(CaseReport {
        verdict: Verdict::Fixed,
        ..pass("topic/empty-level@v5.0/tcp", Version::V5_0)
    }));
    events.extend(finished(CaseReport {
        verdict: Verdict::Note,
        notes: vec!["the Will of a taken-over session: published".into()],
        ..pass("session/takeover@v5.0/tcp", Version::V5_0)
    }));
    events.extend(finished(CaseReport {
        trace: every_happening(),
        ..with_reason(
            "malformed/property-twice@v5.0/tcp",
            |reason| Verdict::Crashed { reason },
            "the connection was reset, and the target takes no new one",
        )
    }));
    events.push(Event::Notice(
        "the target reorders messages: \"nothing arrives\" rests on quiet periods of 200 ms".into(),
    ));
    events.push(Event::TargetCrashed(Crash {
        case: Some("malformed/property-twice@v5.0/tcp".into()),
        seen: "connection refused by 127.0.0.1:1883".into(),
        log_tail: Some(
            "1795000000: New client connected\nAssertion failed: property != NULL".into(),
        ),
    }));
    events.push(Event::RunFinished(RunSummary {
        elapsed: Duration::from_millis(152),
        interrupted: false,
        unplayed: 3,
        stale: vec!["known.yaml:3 `topic/gone@*`".into()],
        flaky: Vec::new(),
    }));
    events
}

/// A run on the reference broker that finds nothing.
pub(crate) fn conforming_run() -> Vec<Event> {
    let mut events = vec![started("the embedded reference broker", 2)];
    events.extend(finished(pass("ping/answered@v3.1.1", Version::V3_1_1)));
    events.extend(finished(pass("ping/answered@v5.0", Version::V5_0)));
    events.push(Event::RunFinished(RunSummary {
        elapsed: Duration::from_micros(170),
        ..RunSummary::default()
    }));
    events
}

/// A run that its user stopped.
pub(crate) fn interrupted_run() -> Vec<Event> {
    let mut events = vec![started("mqtt://localhost:1883", 40)];
    events.extend(finished(pass("ping/answered@v5.0/tcp", Version::V5_0)));
    events.push(Event::RunFinished(RunSummary {
        elapsed: Duration::from_secs(14),
        interrupted: true,
        unplayed: 39,
        ..RunSummary::default()
    }));
    events
}

/// Three rounds, of which one differs, not yet told as one.
pub(crate) fn flaky_run() -> Vec<Event> {
    let mut events = vec![started("mqtt://localhost:1883", 2)];
    if let Some(Event::RunStarted(info)) = events.first_mut() {
        info.rounds = 3;
    }
    for number in 1..=3 {
        let mut shaky = failed_with("the retained message arrived without RETAIN");
        if number != 2 {
            shaky.verdict = Verdict::Pass;
            shaky.findings.clear();
        }
        let mut totals = runner::Totals::default();
        for report in [pass("ping/answered@v5.0/tcp", Version::V5_0), shaky] {
            totals.count(&report.verdict);
            events.extend(finished(report));
        }
        events.push(Event::RoundFinished(Round { number, totals }));
    }
    events.push(Event::RunFinished(RunSummary {
        elapsed: Duration::from_millis(90),
        ..RunSummary::default()
    }));
    events
}

/// A run against a broker that tries to steer the reader's terminal.
pub(crate) fn hostile_run() -> Vec<Event> {
    run_with_text_everywhere("\u{1b}[2J\u{7}\r")
}

/// A run in which this text stands wherever a broker or a scenario can put text.
pub(crate) fn run_with_text_everywhere(text: &str) -> Vec<Event> {
    let has = |place: &str| format!("{place}{text}");
    let mut report = failed_with(&has("message "));
    let entry = |what| Entry {
        at: Duration::ZERO,
        client: has("c"),
        what,
    };
    report.trace = vec![
        entry(Happening::Received {
            notation: has("PUBLISH: "),
            bytes: text.as_bytes().to_vec(),
        }),
        entry(Happening::Garbled {
            violation: has("violation "),
            bytes: text.as_bytes().to_vec(),
        }),
        entry(Happening::Remark(has("remark "))),
    ];
    let finding = &mut report.findings[0];
    finding.expected = Some(has("expected "));
    finding.received = Some(has("received "));
    finding.why = Some(has("why "));
    report.notes.push(has("note "));
    let mut events = vec![started(&has("target "), 2)];
    events.extend(finished(report));
    events.extend(finished(with_reason(
        &has("name "),
        |reason| Verdict::Skip { reason },
        &has("reason "),
    )));
    events.push(Event::Notice(has("notice ")));
    events.push(Event::TargetCrashed(Crash {
        case: Some(has("case ")),
        seen: has("seen "),
        log_tail: Some(has("log ")),
    }));
    events.push(Event::RunFinished(RunSummary {
        stale: vec![has("stale ")],
        ..RunSummary::default()
    }));
    events
}

/// A trace with every kind of line.
pub(crate) fn every_happening() -> Vec<Entry> {
    let happenings = [
        ("sub", Happening::Opened),
        ("sub", Happening::Sent { notation: "CONNECT: { client_id: k0sub, keep_alive: 60 }".into(), bytes: vec![0x10, 0x00], forbidden: false }),
        ("sub", Happening::Received { notation: "CONNACK: { session_present: false, reason: success }".into(), bytes: vec![0x20, 0x03, 0x00, 0x00, 0x00] }),
        ("publisher", Happening::Opened),
        ("publisher", Happening::Sent { notation: "PUBLISH: { topic: k0/a-rather-long-topic, payload: a payload that is long as well, qos: 1, id: 7 }".into(), bytes: vec![0x32], forbidden: true }),
        ("publisher", Happening::Garbled { violation: "PUBACK: byte 2: the Reason Code 0x42 is none of PUBACK".into(), bytes: vec![0x40, 0x03, 0x00, 0x07, 0x42] }),
        ("publisher", Happening::Garbled { violation: "a packet type 0 is forbidden".into(), bytes: vec![0; 40] }),
        ("", Happening::Remark("any: the target chose `closes`".into())),
        ("publisher", Happening::Ended("half-closes")),
        ("publisher", Happening::TargetEnded("closed")),
        ("sub", Happening::Sent { notation: "PINGREQ".into(), bytes: vec![0xc0, 0x00], forbidden: false }),
        ("sub", Happening::TargetEnded("reset")),
    ];
    (0..)
        .zip(happenings)
        .map(|(step, (client, what))| Entry {
            at: Duration::from_micros(step * 1_250),
            client: client.into(),
            what,
        })
        .collect()
}

/// A case whose exchange has bytes that can be sent, a pause, an old client, and what is no packet.
pub(crate) fn replayed() -> CaseReport {
    let sent = |notation: &str, bytes: &[u8], forbidden| Happening::Sent {
        notation: notation.into(),
        bytes: bytes.into(),
        forbidden,
    };
    let received = |notation: &str, bytes: &[u8]| Happening::Received {
        notation: notation.into(),
        bytes: bytes.into(),
    };
    let happenings = [
        (0, "old", Happening::Opened),
        (
            0,
            "old",
            sent(
                "CONNECT: { client_id: <t>0old }",
                b"\x10\x0e\0\x04MQTT\x04\x02\0\x3c\0\x02ol",
                false,
            ),
        ),
        (
            1,
            "old",
            received(
                "CONNACK: { session_present: false, code: accepted }",
                b"\x20\x02\0\0",
            ),
        ),
        (1, "a", Happening::Opened),
        (
            1,
            "a",
            sent(
                "CONNECT: { client_id: <t>1a }",
                b"\x10\x0e\0\x04MQTT\x05\x02\0\x3c\0\0\x01a",
                false,
            ),
        ),
        (
            2,
            "a",
            received(
                "CONNACK: { session_present: false, reason: success }",
                b"\x20\x03\0\0\0",
            ),
        ),
        (
            1502,
            "old",
            sent(
                "PUBLISH: { topic: <t>/x, payload: a<<b }",
                b"\x30\x08\0\x03t/xa<b",
                false,
            ),
        ),
        (
            3502,
            "a",
            received(
                "PUBLISH: { topic: <t>/x, payload: a<<b }",
                b"\x30\x09\0\x03t/x\0a<b",
            ),
        ),
        (
            3502,
            "",
            Happening::Remark("any: the target chose `closes`".into()),
        ),
        (
            3502,
            "a",
            sent("PINGREQ: { but: { flags: 0b0001 } }", b"\xc1\0", true),
        ),
        (
            3503,
            "a",
            Happening::Garbled {
                violation: "a packet type 0 is forbidden".into(),
                bytes: vec![0, 0],
            },
        ),
        (3503, "a", Happening::TargetEnded("closed")),
        (3504, "old", Happening::Ended("closes")),
    ];
    let mut report = flags();
    report.trace = happenings
        .into_iter()
        .map(|(at, client, what)| Entry {
            at: Duration::from_millis(at),
            client: client.into(),
            what,
        })
        .collect();
    report
}

/// The text without colours.
pub(crate) fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    let mut parts = text.split("\u{1b}[");
    plain.extend(parts.next());
    for part in parts {
        // A sequence of the console's own ends with `m`; one of a broker's would stay and be found.
        match part.split_once('m') {
            Some((codes, rest)) if codes.bytes().all(|b| b.is_ascii_digit() || b == b';') => {
                plain.push_str(rest);
            }
            _ => {
                plain.push_str("\u{1b}[");
                plain.push_str(part);
            }
        }
    }
    plain
}

/// A case that failed at its third step, with this message.
fn failed_with(message: &str) -> CaseReport {
    CaseReport {
        verdict: Verdict::Fail,
        findings: vec![Finding {
            level: Level::Must,
            clauses: vec![clause!("v5.0/MQTT-3.3.1-9"), clause!("v5.0/U50-3.3.1.3-2")],
            span: place(KEPT, "sub receives"),
            message: message.into(),
            expected: Some("PUBLISH: { topic: k0/x, payload: kept, retain: true }".into()),
            received: Some("PUBLISH: { topic: k0/x, payload: kept, retain: false }".into()),
            why: Some(
                "The subscription is new, so that the message is sent as a retained one.".into(),
            ),
        }],
        trace: every_happening().into_iter().take(3).collect(),
        ..case("retain/kept[qos=1]@v5.0/tcp", Version::V5_0, KEPT)
    }
}

fn flags() -> CaseReport {
    let mut report = CaseReport {
        verdict: Verdict::Warn,
        findings: vec![Finding {
            level: Level::Should,
            clauses: vec![clause!("v5.0/MQTT-3.8.1-1")],
            span: place(FLAGS, "a <- closed: [malformed_packet, protocol_error]"),
            message: "the connection was closed without a DISCONNECT that says why".into(),
            expected: Some("closed: [malformed_packet, protocol_error]".into()),
            received: Some("closed".into()),
            why: None,
        }],
        ..case("subscribe/flags@v5.0/tcp", Version::V5_0, FLAGS)
    };
    let at = Duration::from_millis(1);
    report.trace = (0..60)
        .map(|_| Entry {
            at,
            client: "a".into(),
            what: Happening::Sent {
                notation: "PINGREQ".into(),
                bytes: vec![0xc0, 0],
                forbidden: false,
            },
        })
        .collect();
    report
}

fn pass(name: &str, version: Version) -> CaseReport {
    case(name, version, KEPT)
}

fn with_reason(name: &str, verdict: impl FnOnce(String) -> Verdict, reason: &str) -> CaseReport {
    CaseReport {
        verdict: verdict(reason.into()),
        ..pass(name, Version::V5_0)
    }
}

fn case(name: &str, version: Version, text: &str) -> CaseReport {
    let (chapter, rest) = name.split_once('/').unwrap_or(("odd", name));
    let file = rest.split(['[', '@']).next().unwrap_or(rest);
    let title = text
        .lines()
        .next()
        .unwrap_or_default()
        .trim_start_matches("title: ");
    CaseReport {
        case: Arc::new(CaseInfo {
            name: name.into(),
            chapter: chapter.into(),
            title: title.into(),
            source: Arc::new(Source {
                name: format!("scenarios/{chapter}/{file}.yaml"),
                text: text.into(),
            }),
            version,
            clauses: vec![clause!("v5.0/MQTT-3.3.1-9")],
        }),
        verdict: Verdict::Pass,
        findings: Vec::new(),
        notes: Vec::new(),
        trace: Vec::new(),
        elapsed: Duration::from_micros(1_200),
        consulted: Vec::new(),
        breaches: Vec::new(),
    }
}

fn started(target: &str, cases: usize) -> Event {
    Event::RunStarted(Box::new(RunInfo {
        target: target.into(),
        cases,
        started: UNIX_EPOCH + Duration::from_secs(1_795_000_000),
        edition: None,
        part: None,
        cases_of_all_parts: cases,
        rounds: 1,
    }))
}

fn finished(report: CaseReport) -> [Event; 2] {
    [
        Event::CaseStarted(report.case.clone()),
        Event::CaseFinished(Box::new(report)),
    ]
}

fn place(text: &str, part: &str) -> Span {
    let start = text.find(part).unwrap();
    Span {
        start,
        end: start + part.len(),
    }
}
