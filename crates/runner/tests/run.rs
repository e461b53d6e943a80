//! Runs that do not go as planned: the target dies, the user stops it, the baseline is out of date.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use broker::{Broker, Config};
use runner::event::{Event, Verdict};
use runner::{At, Baseline, Interrupt, Options};
use support::{Told, brisk, plan, play};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

const PINGS: &str = "title: The server answers a PINGREQ
clauses: [v3.1.1/MQTT-3.12.4-1]
clients: [a]
steps:
  - a pings
";

const WAITS: &str = "title: A client may be silent within its Keep Alive
clauses: [v3.1.1/MQTT-3.12.4-1]
clients: [a]
steps:
  - wait: 600s
  - a pings
";

/// What no server does: the client gets a message that nobody sent.
const FAILS: &str = "title: A message comes from nowhere
clauses: [v3.1.1/MQTT-3.12.4-1]
clients: [a]
steps:
  - a subscribes: { filter: <t>, qos: 0 }
  - a <- PUBLISH: { topic: <t> }
";

const KILLS: &str = "title: The server survives a payload
clauses: [v3.1.1/MQTT-3.12.4-1]
clients: [a]
steps:
  - wait: 300ms
  - a -> PUBLISH: { topic: <t>, payload: DIE NOW, qos: 0 }
  - a pings
";

const SILENCES: &str = "title: The server survives another payload
clauses: [v3.1.1/MQTT-3.12.4-1]
clients: [a]
steps:
  - wait: 300ms
  - a -> PUBLISH: { topic: <t>, payload: HANG UP, qos: 0 }
  - a pings
";

/// How a fuse blows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    NotYet,
    /// Every connection ends, and nobody listens any more.
    Dead,
    /// Every connection stays, and nothing comes any more.
    Silent,
}

/// The reference broker behind a fuse, which a client blows by saying so.
fn mortal_broker() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let broker = Broker::start(Config::default()).unwrap();
            let (fuse, mut blown) = watch::channel(End::NotYet);
            loop {
                let (stream, _) = tokio::select! {
                    accepted = listener.accept() => accepted.unwrap(),
                    _ = blown.wait_for(|end| *end == End::Dead) => break,
                };
                let (near, far) = broker::pipe::pipe();
                broker.attach(far);
                tokio::spawn(carry(stream, near, fuse.clone()));
            }
        });
    });
    address
}

/// Carries bytes between a client and the broker until the fuse is blown.
async fn carry(mut stream: TcpStream, near: broker::pipe::End, fuse: watch::Sender<End>) {
    let (mut from_client, mut to_client) = stream.split();
    let (mut from_broker, mut to_broker) = tokio::io::split(near);
    let mut blown = fuse.subscribe();
    let upwards = async {
        let mut buffer = [0; 4096];
        while let Ok(taken @ 1..) = from_client.read(&mut buffer).await {
            let bytes = &buffer[..taken];
            let says = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
            if says(b"DIE NOW") {
                fuse.send_replace(End::Dead);
            } else if says(b"HANG UP") {
                fuse.send_replace(End::Silent);
            }
            if to_broker.write_all(bytes).await.is_err() {
                break;
            }
        }
    };
    let end = tokio::select! {
        () = upwards => End::Dead,
        _ = tokio::io::copy(&mut from_broker, &mut to_client) => End::Dead,
        end = blown.wait_for(|end| *end != End::NotYet) => end.map_or(End::Dead, |end| *end),
    };
    if end == End::Silent {
        std::future::pending::<()>().await;
    }
}

fn at(address: SocketAddr) -> At {
    At::Address(format!("mqtt://{address}").parse().unwrap())
}

#[test]
fn a_target_that_dies_ends_the_run_and_the_case_that_killed_it_is_named() {
    let plan = plan(&[
        ("ping/first", PINGS),
        ("ping/waits", WAITS),
        ("ping/kills", KILLS),
    ]);
    let began = Instant::now();
    let (outcome, told) = play(&plan, &at(mortal_broker()), &brisk());
    let outcome = outcome.unwrap();
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(outcome.exit_status(), 3);
    assert_eq!(
        told.verdict("ping/first"),
        &Verdict::Pass,
        "what was found before is kept"
    );
    assert!(matches!(
        told.verdict("ping/kills"),
        Verdict::Crashed { .. }
    ));
    assert!(matches!(
        told.verdict("ping/waits"),
        Verdict::Untested { .. }
    ));
    assert_eq!(told.crashes.len(), 1);
    assert_eq!(
        told.crashes[0].case.as_deref(),
        Some("ping/kills@v3.1.1/tcp")
    );
    let trace = &told
        .reports
        .iter()
        .find(|report| report.case.name.starts_with("ping/kills"))
        .unwrap()
        .trace;
    assert!(!trace.is_empty(), "its last packets are told");
    assert!(told.summary.is_some());
}

#[test]
fn a_target_that_falls_silent_ends_the_run_as_well() {
    let plan = plan(&[("ping/waits", WAITS), ("ping/silences", SILENCES)]);
    let (outcome, told) = play(&plan, &at(mortal_broker()), &brisk());
    assert_eq!(outcome.unwrap().exit_status(), 3);
    assert!(matches!(
        told.verdict("ping/silences"),
        Verdict::Crashed { .. }
    ));
    assert!(matches!(
        told.verdict("ping/waits"),
        Verdict::Untested { .. }
    ));
    let seen = &told.crashes[0].seen;
    assert!(
        seen.contains("no PINGRESP within") && seen.contains("no CONNACK within"),
        "{seen}"
    );
}

#[test]
fn a_case_that_passes_and_kills_the_target_is_named() {
    // Whether the target closes the connection or dies is all the same to this case.
    let kills = "title: The server closes what it cannot read
clauses: [v3.1.1/MQTT-3.3.1-4]
clients: [a]
steps:
  - a !> PUBLISH: { id: 1, topic: <t>, payload: sound, qos: 1, but: { qos: 3, payload: DIE NOW } }
  - a <- closed
";
    let plan = plan(&[("malformed/kills", kills), ("ping/waits", WAITS)]);
    let (outcome, told) = play(&plan, &at(mortal_broker()), &brisk());
    assert_eq!(outcome.unwrap().exit_status(), 3);
    assert!(matches!(
        told.verdict("malformed/kills"),
        Verdict::Crashed { .. }
    ));
    assert_eq!(
        told.crashes[0].case.as_deref(),
        Some("malformed/kills@v3.1.1/tcp")
    );
}

#[test]
fn an_interrupt_before_the_first_case_is_one() {
    let options = brisk();
    options.interrupt.raise();
    let (outcome, told) = play(
        &plan(&[("ping/first", PINGS)]),
        &at(mortal_broker()),
        &options,
    );
    assert_eq!(outcome.unwrap().exit_status(), 130);
    assert_eq!(told.summary.unwrap().unplayed, 1);
}

#[test]
fn an_interrupted_run_keeps_what_it_has() {
    let plan = plan(&[("ping/waits", WAITS), ("ping/first", PINGS)]);
    let options = brisk();
    let interrupt: Interrupt = options.interrupt.clone();
    let mut told = Told::default();
    let began = Instant::now();
    let outcome = runner::run(&plan, &at(mortal_broker()), &options, &mut |event| {
        told.hear(event);
        if !told.reports.is_empty() {
            interrupt.raise();
        }
    });
    assert!(began.elapsed() < Duration::from_secs(10));
    let outcome = outcome.unwrap();
    assert_eq!(outcome.exit_status(), 130);
    assert_eq!(told.verdict("ping/first"), &Verdict::Pass);
    let summary = told.summary.unwrap();
    assert!(summary.interrupted);
    assert_eq!(summary.unplayed, 1);
}

#[test]
fn an_interrupted_run_in_memory_keeps_what_it_has() {
    let many: Vec<_> = (0..2000)
        .map(|number| format!("ping/number-{number}"))
        .collect();
    let plan = plan(
        &many
            .iter()
            .map(|name| (name.as_str(), PINGS))
            .collect::<Vec<_>>(),
    );
    let options = Options::default();
    let interrupt = options.interrupt.clone();
    let mut told = Told::default();
    let outcome = runner::run(&plan, &At::Embedded, &options, &mut |event| {
        told.hear(event);
        interrupt.raise();
    });
    assert_eq!(outcome.unwrap().exit_status(), 130);
    let summary = told.summary.unwrap();
    assert!(summary.interrupted && summary.unplayed > 0);
    assert_eq!(summary.unplayed + told.reports.len(), 2000);
}

#[test]
fn waits_overlap_and_who_wants_to_be_alone_is() {
    let waits = WAITS.replace("600s", "2s");
    let alone = format!("{}alone: true\n", WAITS.replace("600s", "1s"));
    let names: Vec<_> = (0..20)
        .map(|number| format!("ping/waits-{number}"))
        .collect();
    let mut scenarios = vec![
        ("ping/alone-1", alone.as_str()),
        ("ping/alone-2", alone.as_str()),
        ("ping/first", PINGS),
    ];
    scenarios.extend(names.iter().map(|name| (name.as_str(), waits.as_str())));
    let mut in_play = 0_usize;
    let mut most = 0;
    let mut with_alone = 0;
    let mut first = None;
    let began = Instant::now();
    let plan = plan(&scenarios);
    let outcome = runner::run(
        &plan,
        &at(mortal_broker()),
        &brisk(),
        &mut |event| match event {
            Event::CaseStarted(info) => {
                in_play += 1;
                most = most.max(in_play);
                first.get_or_insert_with(|| info.name.clone());
                if info.name.starts_with("ping/alone") {
                    with_alone = with_alone.max(in_play);
                }
            }
            Event::CaseFinished(_) => in_play -= 1,
            _ => {}
        },
    );
    assert_eq!(outcome.unwrap().exit_status(), 0);
    assert_eq!(with_alone, 1);
    assert!(most >= 20, "the waiting ones are played together");
    assert_eq!(
        first.as_deref(),
        Some("ping/waits-0@v3.1.1/tcp"),
        "and begin first"
    );
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "so that they wait together"
    );
}

#[test]
fn waiting_takes_no_time_in_memory() {
    let began = Instant::now();
    let (outcome, told) = play(
        &plan(&[("ping/waits", WAITS)]),
        &At::Embedded,
        &Options::default(),
    );
    assert_eq!(outcome.unwrap().exit_status(), 0);
    assert_eq!(told.verdict("ping/waits"), &Verdict::Pass);
    assert!(
        told.reports[0].elapsed >= Duration::from_mins(10),
        "in the case's own time it did wait"
    );
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_broker_is_configured_for_what_a_case_requires() {
    let limited = "title: The server tells its Maximum QoS
clauses: [v5.0/MQTT-3.2.2-9]
requires: [limited_qos]
clients: []
steps:
  - a connects: { gets: { maximum_qos: 1 } }
";
    let impossible = limited.replace("limited_qos", "qos 2, limited_qos");
    let plan = plan(&[
        ("connect/limited", limited),
        ("connect/impossible", &impossible),
    ]);
    let (outcome, told) = play(&plan, &At::Embedded, &Options::default());
    assert_eq!(outcome.unwrap().exit_status(), 0);
    assert_eq!(told.verdict("connect/limited"), &Verdict::Pass);
    let Verdict::Skip { reason } = told.verdict("connect/impossible") else {
        panic!("{told:?}")
    };
    assert_eq!(
        reason,
        "requires `qos 2`: the case requires `limited_qos` as well"
    );
}

#[test]
fn the_baseline_tells_known_deviations_from_fixed_and_stale_ones() {
    let plan = plan(&[("ping/answered", PINGS), ("ping/from-nowhere", FAILS)]);
    let judged = |text: &str| {
        let options = Options {
            baseline: Some(Baseline::parse("baseline.yaml", text).unwrap()),
            ..Options::default()
        };
        let (outcome, told) = play(&plan, &At::Embedded, &options);
        (outcome.unwrap(), told)
    };
    let (outcome, told) = judged("- { case: ping/from-*, reason: It was never meant to pass. }");
    assert_eq!(outcome.exit_status(), 0);
    let reason = "It was never meant to pass.".to_owned();
    assert_eq!(
        told.verdict("ping/from-nowhere"),
        &Verdict::Known { reason }
    );

    let (outcome, told) = judged("- { case: ping/*, reason: Everything fails. }");
    assert_eq!(
        outcome.exit_status(),
        1,
        "a listed case that passes wants its entry removed"
    );
    assert_eq!(told.verdict("ping/answered"), &Verdict::Fixed);

    let (outcome, told) = judged(
        "- { case: ping/from-*, reason: It was never meant to pass. }\n- { case: ping/gone*, reason: Long ago. }",
    );
    assert_eq!(outcome.exit_status(), 1);
    assert_eq!(
        told.summary.unwrap().stale,
        ["baseline.yaml:2 `ping/gone*`"]
    );

    let other_clause =
        "- { case: ping/from-*, clause: v3.1.1/MQTT-3.1.0-1, reason: Something else. }";
    let (outcome, told) = judged(other_clause);
    assert_eq!(outcome.exit_status(), 1);
    assert_eq!(
        told.verdict("ping/from-nowhere"),
        &Verdict::Fail,
        "another deviation is news"
    );
}
