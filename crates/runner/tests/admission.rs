//! What is told of an address where no broker can be played. Everything is on loopback.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Instant;

use runner::stub::Stub;
use runner::{AdmissionError, At};
use support::{brisk, plan, play};

const PINGS: &str = "title: The server answers a PINGREQ
clauses: [v3.1.1/MQTT-3.12.4-1]
clients: [a]
steps:
  - a pings
";

fn refusal(address: SocketAddr) -> AdmissionError {
    let at = At::Address(format!("mqtt://{address}").parse().unwrap());
    let (outcome, told) = play(&plan(&[("ping/answered", PINGS)]), &at, &brisk());
    assert!(
        told.started.is_empty() && told.summary.is_none(),
        "nothing is told of a run that never began"
    );
    outcome.unwrap_err()
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn stub(stub: Stub) -> SocketAddr {
    let (listener, address) = listener();
    listener.set_nonblocking(true).unwrap();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let _ = stub.listen(listener).await;
        });
    });
    address
}

#[test]
fn nobody_listens() {
    let (listener, address) = listener();
    drop(listener);
    let error = refusal(address);
    assert!(matches!(error, AdmissionError::Refused { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .starts_with(&format!("mqtt://{address}: nobody listens there"))
    );
}

#[test]
fn the_listener_is_a_web_server() {
    let (listener, address) = listener();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        }
    });
    let error = refusal(address);
    assert!(matches!(error, AdmissionError::NotMqtt { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("48 54 54 50 2f 31 2e 31"),
        "shows the first bytes: {text}"
    );
}

#[test]
fn the_listener_closes_at_once() {
    let error = refusal(stub(Stub::Closer));
    assert!(matches!(error, AdmissionError::Closes { .. }), "{error:?}");
}

#[test]
fn the_listener_says_nothing() {
    let begun = Instant::now();
    let error = refusal(stub(Stub::Mute));
    assert!(
        matches!(error, AdmissionError::NoAnswer { .. }),
        "{error:?}"
    );
    let text = error.to_string();
    assert!(
        text.contains("whether MQTT is spoken there at all"),
        "{text}"
    );
    let AdmissionError::NoAnswer { within, .. } = error else {
        return;
    };
    assert!(
        begun.elapsed() < within * 2,
        "all versions are asked at once: {:?}",
        begun.elapsed()
    );
}

#[test]
fn the_listener_sends_a_banner() {
    let (listener, address) = listener();
    thread::spawn(move || {
        let mut greeted = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n");
            greeted.push(stream);
        }
    });
    let error = refusal(address);
    assert!(matches!(error, AdmissionError::NotMqtt { .. }), "{error:?}");
    let text = error.to_string();
    for shown in ["no MQTT broker", "53 53 48 2d 32 2e 30", "SSH-2.0-OpenSSH"] {
        assert!(text.contains(shown), "{text}");
    }
}

#[test]
fn the_broker_answers_connect_and_nothing_else() {
    let error = refusal(stub(Stub::ConnackOnly));
    assert!(
        matches!(error, AdmissionError::DeliversNothing { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("no SUBACK within"), "{error}");
}

#[test]
fn the_broker_acknowledges_and_delivers_nothing() {
    let error = refusal(stub(Stub::YesMan));
    assert!(
        matches!(error, AdmissionError::DeliversNothing { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("no PUBLISH within"), "{error}");
}

#[test]
fn the_broker_wants_a_password() {
    let (listener, address) = listener();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut connect = [0; 1024];
            let _ = stream.read(&mut connect);
            // The level of CONNECT tells the version, and so the form of CONNACK.
            let answer: &[u8] = if connect[8] == 5 {
                b"\x20\x03\x00\x86\x00"
            } else {
                b"\x20\x02\x00\x05"
            };
            let _ = stream.write_all(answer);
        }
    });
    let error = refusal(address);
    assert!(
        matches!(error, AdmissionError::LetsNobodyIn { code: 0x86, .. }),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .contains("0x86 (bad_user_name_or_password); if it demands a password, write mqtt://USER:PASSWORD@HOST:PORT"),
        "{error}"
    );
}

#[test]
fn the_host_does_not_exist() {
    let at = At::Address("mqtt://no-such-host.invalid:1883".parse().unwrap());
    let (outcome, _) = play(&plan(&[("ping/answered", PINGS)]), &at, &brisk());
    let error = outcome.unwrap_err();
    assert!(
        matches!(error, AdmissionError::Unresolved { .. }),
        "{error:?}"
    );
}
