//! `broker --data` where nothing can be written: an error at the start, and no acknowledgement while it runs.

#![cfg(unix)]

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::assay::{Running, Said, assay_in};
use crate::broker::port;

const BROKER: [&str; 4] = ["broker", "--listen", "127.0.0.1:0", "--data"];

fn start(folder: &Path, data: &str) -> Said {
    assay_in(folder, &[&BROKER[..], &[data]].concat())
}

/// The broker, whose files may grow to so many blocks of 512 bytes, as on a disk that is full from then on.
fn with_little_room(folder: &Path, blocks: u32) -> Command {
    let mut command = Command::new("sh");
    let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    command
        .args(["-c", &limited, "sh", env!("CARGO_BIN_EXE_mqtt-assay")])
        .args(BROKER)
        .arg("store")
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

/// Nothing listens, and the message says what to do.
fn is_refused(said: &Said, told: &str) {
    assert_eq!((said.status, &*said.stdout), (Some(2), ""), "{said}");
    assert!(said.stderr.contains(told), "{said}");
    assert!(said.stderr.contains(" = help: "), "{said}");
}

#[test]
fn a_directory_that_cannot_be_made_or_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "text").unwrap();
    is_refused(
        &start(folder.path(), "file/below"),
        "cannot use the directory file/below: Not a directory",
    );
    // Nobody may make a directory here, whoever runs this.
    #[cfg(target_os = "linux")]
    is_refused(
        &start(folder.path(), "/proc/store"),
        "cannot use the directory /proc/store: ",
    );
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o555)).unwrap();
    if fs::write(closed.join("probe"), "").is_ok() {
        eprintln!("SKIPPED: whoever runs this may write anywhere, so no directory is closed");
        return;
    }
    is_refused(
        &start(folder.path(), "closed"),
        "cannot use closed/mqtt-assay.redb: Permission denied",
    );
    is_refused(
        &start(folder.path(), "closed/below"),
        "cannot use the directory closed/below: Permission denied",
    );
}

#[test]
fn a_disk_that_is_full_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let said = Said::from(with_little_room(folder.path(), 8).output().unwrap());
    is_refused(
        &said,
        "cannot use store/mqtt-assay.redb: File too large (os error",
    );
    assert!(said.stderr.contains("make room"), "{said}");
    // Nothing is left that would be in the way of a store.
    let left = fs::read_dir(folder.path().join("store")).unwrap().count();
    assert_eq!(left, 0);
}

/// The client `p` of 3.1.1.
const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01p";

/// Retained messages of 8,000 bytes come until the disk takes no more: then the broker acknowledges nothing, ends and
/// says so. What it acknowledged is there when it starts again.
#[test]
fn a_disk_that_becomes_full() {
    let folder = tempfile::tempdir().unwrap();
    let mut broker = Running::of(&mut with_little_room(folder.path(), 400));
    let mut publisher = TcpStream::connect(("127.0.0.1", port(&broker.line()))).unwrap();
    publisher.write_all(CONNECT).unwrap();
    publisher.read_exact(&mut [0; 4]).unwrap();
    let mut acknowledged = 0;
    for number in 0..100 {
        let mut publish = vec![
            0x33,
            0xC7,
            0x3E,
            0,
            3,
            b't',
            b'0' + number / 10,
            b'0' + number % 10,
        ];
        publish.extend([0, 1]);
        publish.resize(3 + 0x3E * 128 + 0x47, b'x');
        let mut puback = [0; 4];
        if publisher.write_all(&publish).is_err() || publisher.read_exact(&mut puback).is_err() {
            break;
        }
        assert_eq!(puback, *b"\x40\x02\x00\x01");
        acknowledged += 1;
    }
    assert!((1..100).contains(&acknowledged), "{acknowledged}");
    let said = broker.end();
    assert_eq!(said.status, Some(3), "{said}");
    for text in [
        "cannot write store/mqtt-assay.redb: File too large",
        "whatever was acknowledged before is kept",
        "make room",
    ] {
        assert!(said.stderr.contains(text), "{said}");
    }

    let mut broker = Running::start(folder.path(), &[&BROKER[..], &["store"]].concat());
    let mut subscriber = TcpStream::connect(("127.0.0.1", port(&broker.line()))).unwrap();
    let subscribe = b"\x82\x06\x00\x01\x00\x01#\x00";
    subscriber
        .write_all(&[CONNECT, subscribe].concat())
        .unwrap();
    let mut answers = vec![0; 9 + acknowledged * (3 + 0x3E * 128 + 0x47 - 2)];
    subscriber.read_exact(&mut answers).unwrap();
    assert_eq!(answers[..9], *b"\x20\x02\x00\x00\x90\x03\x00\x01\x00");
    assert!(answers[9..].starts_with(b"\x31\xc5\x3e\x00\x03t"));
}
