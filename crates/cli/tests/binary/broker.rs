//! `broker`: the reference broker, served.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use crate::assay::{Running, assay};

/// The port of a line such as `… listens on mqtt://127.0.0.1:1883`.
pub(crate) fn port(line: &str) -> u16 {
    line.rsplit(':').next().unwrap().parse().unwrap()
}

#[cfg(unix)]
#[test]
fn it_serves_on_a_free_port_until_ctrl_c() {
    let mut running = Running::start(Path::new("."), &["broker", "--listen", "127.0.0.1:0"]);
    let mut stream = TcpStream::connect(("127.0.0.1", port(&running.line()))).unwrap();
    stream
        .write_all(&[
            0x10, 0x0d, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 1, b'a',
        ])
        .unwrap();
    let mut connack = [0; 4];
    stream.read_exact(&mut connack).unwrap();
    assert_eq!(connack, [0x20, 0x02, 0x00, 0x00]);
    assert_eq!(running.line(), "Press Ctrl-C to end it");
    running.interrupt();
    let said = running.end();
    assert_eq!(said.status, Some(0), "{said}");
}

#[test]
fn a_port_in_use() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let said = assay(&["broker", "--listen", &address]);
    insta::with_settings!({ filters => vec![(r"127\.0\.0\.1:[1-9]\d+", "127.0.0.1:[port]"), (r"\(os error \d+\)", "(os error)")] }, {
        insta::assert_snapshot!(said);
    });
}

#[test]
fn what_cannot_be_served() {
    insta::assert_snapshot!(assay(&["broker", "--listen", "1883"]));
    insta::assert_snapshot!(assay(&["broker", "--break", "v5.0/MQTT-3.3.1-99"]));
    insta::assert_snapshot!(assay(&["broker", "--receive-maximum", "0"]));
    insta::assert_snapshot!(assay(&["broker", "--user", "ada"]));
}
