//! Brokers that go wrong at a given moment, over real sockets: each trouble has its own verdict, and the others are
//! served as if nothing had happened.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use codec::Version;
use rcgen::CertifiedKey;
use runner::event::{CaseReport, Verdict};
use runner::link::{Tls, TlsFiles};
use runner::target::{Address, Endpoints};
use runner::{At, Options};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use support::relay::{Entrance, Nature, Treatment, relay};
use support::{Told, plan, play};
use tokio_rustls::TlsAcceptor;

/// From its second step on the client is served badly.
const PROVOKES: &str = "title: The server answers a PINGREQ behind a message
clauses: [v3.1.1/MQTT-3.12.4-1]
clients: [a]
steps:
  - a -> PUBLISH: { topic: <t>, payload: NOW, qos: 0 }
  - a pings
";

const PINGS: &str = "title: The server answers a PINGREQ
clauses: [v3.1.1/MQTT-3.12.4-1]
clients: [a]
steps:
  - a pings
";

/// What a link gets in place of PINGRESP once its client has said `NOW`.
struct Provoked(fn(&[u8]) -> Treatment);

impl Nature for Provoked {
    fn provoked(&self, bytes: &[u8]) -> bool {
        bytes.windows(3).any(|window| window == b"NOW")
    }

    fn treats(&self, packet: &[u8], _: Version, provoked: bool) -> Treatment {
        let answers = packet.first() == Some(&0xD0);
        if provoked && answers {
            self.0(packet)
        } else {
            Treatment::Passes
        }
    }
}

/// Plays the case that provokes the target beside one that does not, over each transport; they must not differ.
fn provoked(treatment: fn(&[u8]) -> Treatment) -> CaseReport {
    let (acceptor, tls) = certified();
    let played = thread::scope(|scope| {
        let all: Vec<_> = [
            ("mqtt", false, false),
            ("mqtts", true, false),
            ("ws", false, true),
            ("wss", true, true),
        ]
        .map(|(scheme, encrypted, websocket)| {
            let entrance = Entrance {
                tls: encrypted.then(|| acceptor.clone()),
                websocket,
            };
            let port = relay(Provoked(treatment), entrance).port();
            let mut endpoints = Endpoints::new(address(&format!("{scheme}://localhost:{port}")));
            if encrypted {
                endpoints = endpoints.with_tls(tls.clone());
            }
            scope.spawn(move || (scheme, provoked_at(&At::Address(endpoints))))
        })
        .into();
        all.into_iter()
            .map(|one| one.join().unwrap())
            .collect::<Vec<_>>()
    });
    let mut played = played.into_iter();
    let (_, plain) = played.next().unwrap();
    for (scheme, other) in played {
        assert_eq!(plain.verdict, other.verdict, "{scheme}");
        assert_eq!(messages(&plain), messages(&other), "{scheme}");
    }
    plain
}

fn provoked_at(at: &At) -> CaseReport {
    let scenarios = plan(&[("ping/provokes", PROVOKES), ("ping/fine", PINGS)]);
    let (outcome, mut told) = play(&scenarios, at, &Options::default());
    assert!(outcome.is_ok());
    assert_eq!(told.verdict("ping/fine"), &Verdict::Pass);
    assert!(told.crashes.is_empty(), "the target serves all others");
    let place = told
        .reports
        .iter()
        .position(|report| report.case.name.starts_with("ping/provokes"));
    told.reports.swap_remove(place.unwrap())
}

fn messages(report: &CaseReport) -> Vec<&str> {
    let findings = report.findings.iter();
    findings.map(|finding| finding.message.as_str()).collect()
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// A server's side of TLS, and a client that trusts it.
fn certified() -> (TlsAcceptor, Tls) {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, cert.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let files = TlsFiles {
        ca: Some(ca),
        ..TlsFiles::default()
    };
    (
        TlsAcceptor::from(Arc::new(config)),
        Tls::load(&files).unwrap(),
    )
}

#[test]
fn an_answer_in_single_bytes_is_one() {
    let report = provoked(|_| Treatment::ByteByByte);
    assert_eq!(report.verdict, Verdict::Pass);
}

#[test]
fn an_answer_that_is_late_and_in_time_is_one() {
    let report = provoked(|_| Treatment::Late(Duration::from_secs(1)));
    assert_eq!(report.verdict, Verdict::Pass);
}

#[test]
fn an_answer_that_is_too_late_is_none() {
    let report = provoked(|_| Treatment::Late(Duration::from_secs(6)));
    assert_eq!(report.verdict, Verdict::Fail);
    assert_eq!(messages(&report), ["`a` received no PINGRESP in time"]);
}

#[test]
fn half_a_packet_is_no_answer() {
    let report = provoked(|packet| Treatment::Hangs(packet[..1].to_vec()));
    assert_eq!(report.verdict, Verdict::Fail);
    assert_eq!(messages(&report), ["`a` received no PINGRESP in time"]);
}

#[test]
fn garbage_is_told_with_the_clause_that_it_breaks() {
    let report = provoked(|_| Treatment::Instead(b"\xD0\xFF\xFF\xFF\xFF\xFF".to_vec()));
    assert_eq!(report.verdict, Verdict::Fail);
    let clauses = report.findings.iter().flat_map(|finding| &finding.clauses);
    let clauses: Vec<_> = clauses.map(|clause| clause.name()).collect();
    assert!(clauses.contains(&"v3.1.1/U311-2.2.3-1"), "{clauses:?}");
}

#[test]
fn a_flood_is_told_as_one() {
    let report = provoked(|_| Treatment::Instead(b"\x30\x04\x00\x01ax".repeat(20_000)));
    assert_eq!(report.verdict, Verdict::Fail);
    let message = "the target floods `a` with packets that nothing asked for";
    assert_eq!(messages(&report), [message]);
}

#[test]
fn an_end_is_told_as_one() {
    let report = provoked(|_| Treatment::Closes);
    assert_eq!(report.verdict, Verdict::Fail);
    assert_eq!(
        messages(&report),
        ["the target closed the connection of `a`"]
    );
}

/// Wrong from CONNECT on for clients of certain names, and to a message that says `sound`.
struct Picky;

impl Nature for Picky {
    fn provoked(&self, bytes: &[u8]) -> bool {
        [b"stray", b"sound"]
            .iter()
            .any(|word| bytes.windows(5).any(|window| window == *word))
    }

    fn treats(&self, packet: &[u8], _: Version, provoked: bool) -> Treatment {
        match packet.first() {
            Some(0x20) if provoked => Treatment::Instead(b"\x20\x02\x00\x05".to_vec()),
            Some(0x40) if provoked => Treatment::Closes,
            _ => Treatment::Passes,
        }
    }
}

const CANNOT_CONNECT: &str = "title: The server answers a stray client
clauses: [v3.1.1/MQTT-3.12.4-1]
clients: [stray]
steps:
  - stray pings
";

const HAS_A_TWIN: &str = "title: The server closes what it cannot read
clauses: [v3.1.1/MQTT-3.3.1-4]
clients: [a]
steps:
  - a !> PUBLISH: { id: 1, topic: <t>, payload: sound, qos: 1, but: { qos: 3 } }
  - a <- closed
";

fn played(nature: impl Nature, options: &Options, name: &str, text: &str) -> Told {
    let address = relay(nature, Entrance::default());
    let at = At::Address(format!("mqtt://{address}").parse().unwrap());
    let (outcome, told) = play(&plan(&[(name, text), ("ping/fine", PINGS)]), &at, options);
    let status = outcome.unwrap().exit_status();
    assert_eq!(status, 1, "what could not be tested is not conforming");
    assert_eq!(told.verdict("ping/fine"), &Verdict::Pass);
    told
}

fn untested<'a>(told: &'a Told, name: &str) -> &'a str {
    match told.verdict(name) {
        Verdict::Untested { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_prerequisite_that_fails_is_no_deviation() {
    let told = played(Picky, &Options::default(), "ping/stray", CANNOT_CONNECT);
    let reason = untested(&told, "ping/stray");
    assert!(reason.starts_with("`stray` cannot connect: "), "{reason}");
}

#[test]
fn a_control_twin_that_fails_is_no_deviation() {
    let told = played(Picky, &Options::default(), "malformed/twin", HAS_A_TWIN);
    let reason = untested(&told, "malformed/twin");
    assert!(reason.starts_with("the control twin failed: "), "{reason}");
}

#[test]
fn a_case_that_is_given_up_is_the_fault_of_the_harness() {
    let impatient = Options {
        watchdog: Duration::from_millis(300),
        ..Options::default()
    };
    let late = Provoked(|_| Treatment::Late(Duration::from_secs(2)));
    let told = played(late, &impatient, "ping/provokes", PROVOKES);
    let reason = untested(&told, "ping/provokes");
    assert!(reason.starts_with("a fault of the harness"), "{reason}");
}
