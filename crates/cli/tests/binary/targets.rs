//! Targets that are not there, are no brokers, or die: status 3, and what was found so far is told.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use crate::assay::{Running, Said, assay, assay_in};
use crate::broker::port;

/// The words with ports and system errors taken out, which differ between runs and systems.
fn assert_told(name: &str, said: &Said) {
    let filters = vec![
        (r"127\.0\.0\.1:\d+", "127.0.0.1:[port]"),
        (r"\(os error \d+\)", "(os error)"),
    ];
    insta::with_settings!({ filters => filters }, { insta::assert_snapshot!(name, said); });
}

#[test]
fn nobody_listens() {
    // The port was free a moment ago, and nothing else on this machine wants it.
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let target = format!("mqtt://{address}");
    let said = assay_in(
        folder.path(),
        &["run", "--target", &target, "--junit", "junit.xml"],
    );
    assert_eq!(said.status, Some(3), "{said}");
    assert_told("nobody_listens", &said);
    // Who reads only the report must not take silence for success.
    let xml = fs::read_to_string(folder.path().join("junit.xml")).unwrap();
    assert!(xml.contains("<error type=\"not played\""), "{xml}");
}

/// A target that treats every connection like this.
fn listen(treat: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("mqtt://{}", listener.local_addr().unwrap());
    let treat = Arc::new(treat);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let treat = treat.clone();
            thread::spawn(move || treat(stream));
        }
    });
    target
}

#[test]
fn a_web_server_is_no_broker() {
    let target = listen(|mut stream| {
        let mut request = [0; 1024];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    });
    let said = assay(&["run", "--target", &target]);
    assert_eq!(said.status, Some(3), "{said}");
    assert_told("a_web_server", &said);
}

#[test]
fn a_listener_that_hangs_up_is_no_broker() {
    // What has been read is answered by a FIN; closing before that would be told as a reset now and then.
    let target = listen(|mut stream| {
        let _ = stream.read(&mut [0; 1024]);
    });
    let said = assay(&["run", "--target", &target]);
    assert_eq!(said.status, Some(3), "{said}");
    assert_told("hangs_up", &said);
}

#[test]
fn a_listener_that_says_nothing_is_no_broker() {
    let target = listen(|mut stream| {
        let _ = io::copy(&mut stream, &mut io::sink());
    });
    let said = assay(&["run", "--target", &target]);
    assert_eq!(said.status, Some(3), "{said}");
    assert_told("says_nothing", &said);
}

#[test]
fn a_broker_that_dies_in_the_middle() {
    let mut running = Running::start(Path::new("."), &["broker", "--listen", "127.0.0.1:0"]);
    let real = port(&running.line());
    let target = dying_after(60, real, running);
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "run",
        "--target",
        &target,
        "--filter",
        "subscribe/",
        "--filter",
        "publish/",
        "--jobs",
        "2",
        "--junit",
        "junit.xml",
        "--json",
        "run.json",
    ];
    let said = assay_in(folder.path(), &arguments);
    assert_eq!(said.status, Some(3), "{said}");
    assert!(said.stdout.contains("The target stopped serving"), "{said}");

    let json = fs::read_to_string(folder.path().join("run.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["finished"], false);
    assert!(
        json["totals"]["pass"].as_u64().unwrap() > 0,
        "what passed before it died is told"
    );
    assert!(!json["crashes"].as_array().unwrap().is_empty());
    let xml = fs::read_to_string(folder.path().join("junit.xml")).unwrap();
    roxmltree::Document::parse(&xml).unwrap();
}

/// A way to a broker that is cut, and the broker killed, once this many connections have been made.
fn dying_after(connections: usize, port: u16, broker: Running) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("mqtt://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().take(connections).flatten() {
            let Ok(beyond) = TcpStream::connect(("127.0.0.1", port)) else {
                return;
            };
            for (mut from, mut to) in [
                (stream.try_clone().unwrap(), beyond.try_clone().unwrap()),
                (beyond, stream),
            ] {
                thread::spawn(move || {
                    let _ = io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
            }
        }
        drop(listener);
        drop(broker);
    });
    target
}
