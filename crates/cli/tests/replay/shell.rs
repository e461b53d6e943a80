//! The script of a replay, run by bash against a listening reference broker: the same bytes come back.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use broker::shell::Transport;
use broker::{Broker, Config};
use runner::event::{CaseReport, Happening};
use runner::target::{Address, Endpoints};
use runner::{At, Filter, Plan, Selection};
use tokio::net::TcpListener;

use super::{passed, play_at, suite};

/// One client and several, sound packets and malformed ones, answers and closes, waiting, and a client that is cut off.
const CASES: [&str; 9] = [
    "ping/*@v5.0",
    "qos/lower-of-two?pub=2,asked=1?@v3.1.1",
    "publish/any-bytes-are-a-payload?1?@v5.0",
    "malformed/qos-3*",
    "malformed/remaining-length-of-five-bytes*@v3.1.1",
    "connect/second-connect@v5.0",
    "retain/new-subscriber-gets-the-retained-message*",
    "will/delay@v5.0",
    "will/published-when-the-connection-ends*@v3.1.1",
];

/// The port of a broker that listens until the process ends.
fn listen() -> u16 {
    let (tell, hear) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let broker = Broker::start(Config::default()).unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap().port()).unwrap();
            broker.listen(listener, Transport::PLAIN);
            std::future::pending::<()>().await;
        });
    });
    hear.recv().unwrap()
}

/// What the script must write: the bytes of each packet that came, and each close.
fn expected(report: &CaseReport) -> String {
    let mut text = String::new();
    for entry in &report.trace {
        match &entry.what {
            Happening::Received { bytes, .. } | Happening::Garbled { bytes, .. } => {
                for byte in bytes {
                    let _ = write!(text, "{byte:02x} ");
                }
            }
            Happening::TargetEnded(_) => {
                let _ = write!(text, "{} closed ", entry.client);
            }
            _ => {}
        }
    }
    text
}

#[test]
fn a_script_brings_back_the_same_bytes() {
    let port = listen();
    let address: Address = format!("mqtt://127.0.0.1:{port}").parse().unwrap();
    let selection = Selection {
        filters: CASES.iter().map(|case| Filter::new(case)).collect(),
        ..Selection::default()
    };
    let plan = Plan::new(&suite(), &selection);
    assert!(plan.len() >= CASES.len(), "some case is not there any more");
    let reports = play_at(&plan, &At::Address(Endpoints::new(address)));
    let scripts: Vec<_> = reports
        .into_iter()
        .map(|report| {
            assert!(
                passed(&report),
                "{}: {:?}",
                report.case.name,
                report.verdict
            );
            let script = report::replay_in_shell(&report, "127.0.0.1", port);
            thread::spawn(move || {
                let said = Command::new("bash")
                    .arg("-c")
                    .arg(&script)
                    .output()
                    .unwrap();
                let output = String::from_utf8(said.stdout).unwrap();
                let words: Vec<&str> = output.split_whitespace().collect();
                let expected = expected(&report);
                let wanted: Vec<&str> = expected.split_whitespace().collect();
                assert!(!wanted.is_empty(), "{} is silent", report.case.name);
                assert_eq!(words, wanted, "{}\n{script}", report.case.name);
            })
        })
        .collect();
    for script in scripts {
        script.join().unwrap();
    }
}

/// How a client's direction of a connection ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// FIN, and what is written behind it still arrives.
    HalfClosed,
    Closed,
    Reset,
}

/// Plays an exchange that ends so, and tells how its script ends the connection.
fn ends(step: &str) -> End {
    let text = format!(
        "title: t\nclauses: [v3.1.1/MQTT-3.12.4-1]\nclients: []\nsteps:\n  - a -> CONNECT: {{ client_id: <a.id> }}\n  \
         - a <- CONNACK\n  - a {step}\n"
    );
    let parsed = scenario::parse("scenarios/ping/ends.yaml", &text).unwrap();
    let plan = Plan::new(&[Arc::new(parsed)], &Selection::default());
    let reports = play_at(&plan, &At::Embedded);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = report::replay_in_shell(&reports[0], "127.0.0.1", port);
    let script = script.replace("half 3", "half 3; show 5 1 3");
    let played = thread::spawn(move || Command::new("bash").arg("-c").arg(&script).output());
    let (mut link, _) = listener.accept().unwrap();
    assert_ne!(link.read(&mut [0; 256]).unwrap(), 0, "CONNECT comes first");
    link.write_all(b"\x20\x02\0\0").unwrap();
    let end = link.read(&mut [0; 256]).map_err(|error| error.kind());
    let answered = link.write_all(b"!");
    drop(link);
    let shown = String::from_utf8(played.join().unwrap().unwrap().stdout).unwrap();
    match end {
        Ok(0) if answered.is_ok() && shown.contains("21") => End::HalfClosed,
        Ok(0) => End::Closed,
        Err(ErrorKind::ConnectionReset) => End::Reset,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_script_ends_connections_as_the_exchange_did() {
    assert_eq!(ends("half-closes"), End::HalfClosed);
    assert_eq!(ends("closes"), End::Closed);
    assert_eq!(ends("cuts"), End::Reset);
}
