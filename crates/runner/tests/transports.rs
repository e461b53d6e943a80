//! Targets over TLS and Unix sockets, played and refused.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use broker::shell::{self, Certificate};
use broker::{Broker, Config};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use runner::document::Document;
use runner::event::Verdict;
use runner::link::{Axes, LinkKind, Segments, Tls, TlsError, TlsFiles, Transport};
use runner::target::{Address, Endpoints, Profile};
use runner::{AdmissionError, At, Plan, Selection};
use support::{Told, brisk, plan, play};
use tokio::net::{TcpListener, UnixListener};

const MEET: &str = "title: What is published arrives
clauses: [v5.0/MQTT-4.5.0-1]
clients: [pub, sub]
steps:
  - sub subscribes: { filter: <t>, qos: 2 }
  - pub publishes: { topic: <t>, payload: { size: 3000 }, qos: 2 }
  - sub receives: { topic: <t>, payload: { size: 3000 }, qos: 2 }
  - sub <- nothing
  - pub cuts
";

/// A CA, a broker's certificate for `localhost` and a client's, in files and in the broker's configuration.
struct Keys {
    folder: tempfile::TempDir,
    server: shell::Tls,
}

impl Keys {
    fn new(wants_certificate: bool) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let signed = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new([name.to_owned()]).unwrap();
            (params.signed_by(&key, &ca).unwrap(), key)
        };
        let (certificate, key) = signed("localhost");
        let (client, client_key) = signed("client");
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
        write("ca.pem", ca.pem());
        write("client.pem", client.pem() + &client_key.serialize_pem());
        write("key.pem", client_key.serialize_pem());
        let certificate =
            Certificate::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes());
        let server = if wants_certificate {
            shell::Tls::for_clients_of(certificate.unwrap(), ca.pem().as_bytes())
        } else {
            shell::Tls::new(certificate.unwrap())
        };
        Self {
            folder,
            server: server.unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn files(&self) -> TlsFiles {
        TlsFiles {
            ca: Some(self.path("ca.pem")),
            ..TlsFiles::default()
        }
    }
}

/// A broker that listens over TLS, over WebSocket and TLS, and on a Unix socket; it ends with the test's process.
fn listen(keys: &Keys) -> (SocketAddr, SocketAddr) {
    let (tell, hear) = std::sync::mpsc::channel();
    let tls = keys.server.clone();
    let socket = keys.path("broker.sock");
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let broker = Broker::start(Config::default()).unwrap();
            let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let web = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let unix = UnixListener::bind(socket).unwrap();
            let ports = (plain.local_addr().unwrap(), web.local_addr().unwrap());
            broker.listen(plain, shell::Transport::PLAIN.over(tls.clone()));
            broker.listen(web, shell::Transport::WEBSOCKET.over(tls));
            broker.listen(unix, shell::Transport::PLAIN);
            tell.send(ports).unwrap();
            std::future::pending::<()>().await;
        });
    });
    hear.recv().unwrap()
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn over_tls(port: u16, files: &TlsFiles) -> At {
    let address = address(&format!("mqtts://localhost:{port}"));
    At::Address(Endpoints::new(address).with_tls(Tls::load(files).unwrap()))
}

fn unix(folder: &Path) -> Address {
    address(&format!("unix:{}", folder.join("broker.sock").display()))
}

#[test]
fn one_target_is_played_over_all_its_transports() {
    let keys = Keys::new(false);
    let (tls, wss) = listen(&keys);
    let endpoints = Endpoints::new(address(&format!("mqtts://localhost:{}", tls.port())))
        .and(address(&format!("wss://localhost:{}/mqtt", wss.port())))
        .unwrap()
        .and(unix(keys.folder.path()))
        .unwrap()
        .with_tls(Tls::load(&keys.files()).unwrap());
    let selection = Selection {
        axes: Axes {
            transports: vec![Transport::Tls, Transport::SecureWebSocket, Transport::Unix],
            segments: Segments::ALL.to_vec(),
            links: vec![LinkKind::Direct, LinkKind::Lossy],
        },
        ..Selection::default()
    };
    let scenario = scenario::parse("scenarios/publish/meet.yaml", MEET).unwrap();
    let plan = Plan::new(&[Arc::new(scenario)], &selection);
    assert_eq!(plan.len(), 18);
    let played = played(&plan, &At::Address(endpoints)).unwrap();
    assert_eq!(played.reports.len(), 18);
    for report in &played.reports {
        assert_eq!(report.verdict, Verdict::Pass, "{}", report.case.name);
    }
    played.verdict("publish/meet@v5.0/wss+bytes+lossy");
}

fn played(plan: &Plan, at: &At) -> Result<Told, AdmissionError> {
    let (outcome, told) = play(plan, at, &brisk());
    outcome.map(|_| told)
}

fn refused(at: &At) -> String {
    let error = played(&plan(&[("publish/meet", MEET)]), at).unwrap_err();
    assert!(
        matches!(
            error,
            AdmissionError::NoTls { .. } | AdmissionError::NoAddress { .. }
        ),
        "{error:?}"
    );
    error.to_string()
}

#[test]
fn who_is_not_trusted_is_refused_unless_everybody_is_believed() {
    let keys = Keys::new(false);
    let (tls, _) = listen(&keys);
    let strangers = Keys::new(false);
    let told = refused(&over_tls(tls.port(), &strangers.files()));
    assert!(
        told.contains("the TLS handshake fails: invalid peer certificate"),
        "{told}"
    );
    let other_name = TlsFiles {
        server_name: Some("other.example".to_owned()),
        ..keys.files()
    };
    let told = refused(&over_tls(tls.port(), &other_name));
    assert!(told.contains("other.example"), "{told}");
    let unverified = TlsFiles {
        unverified: true,
        ..TlsFiles::default()
    };
    let plan = plan(&[("publish/meet", MEET)]);
    let played = played(&plan, &over_tls(tls.port(), &unverified)).unwrap();
    assert_eq!(*played.verdict("publish/meet@v5.0/tls"), Verdict::Pass);
}

#[test]
fn a_client_shows_its_certificate_to_a_target_that_wants_one() {
    let keys = Keys::new(true);
    let (tls, _) = listen(&keys);
    let told = refused(&over_tls(tls.port(), &keys.files()));
    assert!(told.contains("--tls-cert FILE"), "{told}");
    let plan = plan(&[("publish/meet", MEET)]);
    for key in [None, Some(keys.path("key.pem"))] {
        let files = TlsFiles {
            certificate: Some(keys.path("client.pem")),
            key,
            ..keys.files()
        };
        let played = played(&plan, &over_tls(tls.port(), &files)).unwrap();
        assert_eq!(*played.verdict("publish/meet@v5.0/tls"), Verdict::Pass);
    }
}

#[test]
fn a_profile_says_whom_to_trust_and_who_the_client_is() {
    let keys = Keys::new(true);
    let (tls, wss) = listen(&keys);
    let text = format!(
        "addresses: [mqtts://127.0.0.1:{}]\n\
         tls: {{ ca: ca.pem, certificate: client.pem, key: '${{KEY}}', server_name: localhost }}\n\
         configurations:\n  web: {{ addresses: [wss://localhost:{}/mqtt], features: [websocket] }}\n",
        tls.port(),
        wss.port()
    );
    let document = Document::of("broker.yaml", &text);
    let variable = |name: &str| (name == "KEY").then(|| "key.pem".to_owned());
    let profile = Profile::of(&document, keys.folder.path(), &variable).unwrap();
    let key = fs::read_to_string(keys.path("key.pem")).unwrap();
    let line = key.lines().nth(1).unwrap();
    assert!(!format!("{profile:?}").contains(line), "keys are not told");

    let web = MEET.replace("clients:", "requires: [websocket]\nclients:");
    let plan = plan(&[("publish/meet", MEET), ("publish/web", &web)]);
    let played = played(&plan, &At::Profile(Box::new(profile))).unwrap();
    assert_eq!(*played.verdict("publish/meet@v5.0"), Verdict::Pass);
    assert_eq!(
        *played.verdict("publish/web@v5.0"),
        Verdict::Pass,
        "{played:#?}"
    );
    assert!(!format!("{played:?}").contains(line), "keys are not told");
}

#[test]
fn a_listener_without_tls_is_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = std::io::Write::write_all(&mut &stream, b"\x20\x02\x00\x00");
        }
    });
    let told = refused(&over_tls(port, &Keys::new(false).files()));
    assert!(told.contains("the TLS handshake fails"), "{told}");
}

#[test]
fn a_transport_without_an_address_is_told_before_anything_is_played() {
    let keys = Keys::new(false);
    let (tls, _) = listen(&keys);
    let selection = Selection {
        axes: Axes {
            transports: vec![Transport::WebSocket],
            ..Axes::default()
        },
        ..Selection::default()
    };
    let scenario = scenario::parse("scenarios/publish/meet.yaml", MEET).unwrap();
    let plan = Plan::new(&[Arc::new(scenario)], &selection);
    let error = played(&plan, &over_tls(tls.port(), &keys.files())).unwrap_err();
    assert!(
        error.to_string().contains("no address over ws is given"),
        "{error}"
    );
}

#[test]
fn files_that_tls_cannot_use_are_told() {
    let keys = Keys::new(false);
    let told = |files: TlsFiles| Tls::load(&files).unwrap_err();
    let missing = told(TlsFiles {
        ca: Some(keys.path("no-such.pem")),
        ..TlsFiles::default()
    });
    assert!(matches!(missing, TlsError::Unreadable { .. }), "{missing}");
    let without = told(TlsFiles {
        ca: Some(keys.path("key.pem")),
        ..TlsFiles::default()
    });
    assert!(
        without.to_string().ends_with("holds no certificate in PEM"),
        "{without}"
    );
    let keyless = told(TlsFiles {
        certificate: Some(keys.path("ca.pem")),
        ..TlsFiles::default()
    });
    assert!(
        keyless.to_string().ends_with("holds no private key in PEM"),
        "{keyless}"
    );
    let name = told(TlsFiles {
        server_name: Some("no name".to_owned()),
        ..TlsFiles::default()
    });
    assert!(matches!(name, TlsError::ServerName(_)), "{name}");
}
