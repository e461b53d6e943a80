//! `broker`: the reference broker, served.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use codec::draft::{Draft, Value};
use codec::{Direction, PacketType, Version};

use crate::assay::{Running, Said, assay, assay_fed, assay_in};

const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a";
const CONNACK: [u8; 4] = [0x20, 2, 0, 0];

/// The port of a line such as `… listens on mqtt://127.0.0.1:1883`.
pub(crate) fn port(line: &str) -> u16 {
    line.rsplit(':').next().unwrap().parse().unwrap()
}

fn is_served(mut stream: impl Read + Write) {
    stream.write_all(CONNECT).unwrap();
    let mut connack = [0; 4];
    stream.read_exact(&mut connack).unwrap();
    assert_eq!(connack, CONNACK);
}

/// Starts the broker with this configuration file.
fn configured(folder: &Path, file: &str, arguments: &[&str]) -> Said {
    fs::write(folder.join("broker.yaml"), file).unwrap();
    let arguments = [&["broker", "--config", "broker.yaml", "--check"], arguments].concat();
    assay_in(folder, &arguments)
}

/// What the broker says before it listens anywhere, with this file, which it must not serve.
fn refused(folder: &Path, file: &str) -> String {
    let said = configured(folder, file, &[]);
    assert_eq!(said.status, Some(2), "{said}");
    assert_eq!(said.stdout, "");
    said.stderr
}

#[cfg(unix)]
#[test]
fn it_serves_on_a_free_port_until_ctrl_c() {
    let mut running = Running::start(Path::new("."), &["broker", "--listen", "127.0.0.1:0"]);
    is_served(TcpStream::connect(("127.0.0.1", port(&running.line()))).unwrap());
    assert_eq!(running.line(), "Press Ctrl-C to end it");
    running.interrupt();
    let said = running.end();
    assert_eq!(said.status, Some(0), "{said}");
}

#[cfg(unix)]
#[test]
fn it_takes_leave_of_its_clients() {
    let mut running = Running::start(Path::new("."), &["broker", "--listen", "127.0.0.1:0"]);
    let mut stream = TcpStream::connect(("127.0.0.1", port(&running.line()))).unwrap();
    stream
        .write_all(b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01a")
        .unwrap();
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    stream.read_exact(&mut vec![0; head[1].into()]).unwrap();
    running.line();
    running.interrupt();
    let mut end = Vec::new();
    stream.read_to_end(&mut end).unwrap();
    assert_eq!(
        (end[0], end[2]),
        (0xE0, 0x8B),
        "DISCONNECT, Server shutting down"
    );
    drop(stream);
    assert_eq!(running.end().status, Some(0));
}

#[cfg(unix)]
#[test]
fn it_sends_its_clients_elsewhere() {
    // As soon as they connect: CONNACK, Use another server, Server Reference.
    let elsewhere = b"\x1c\x00\x0aother:1883";
    for (option, packet, code_at) in [("--redirect", 0x20, 3), ("--redirect-on-stop", 0xE0, 2)] {
        let arguments = ["broker", "--listen", "127.0.0.1:0", option, "other:1883"];
        let mut running = Running::start(Path::new("."), &arguments);
        let port = port(&running.line());
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream
            .write_all(b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01a")
            .unwrap();
        if packet == 0xE0 {
            let mut head = [0; 2];
            stream.read_exact(&mut head).unwrap();
            stream.read_exact(&mut vec![0; head[1].into()]).unwrap();
            running.line();
            running.interrupt();
        }
        let mut end = Vec::new();
        stream.read_to_end(&mut end).unwrap();
        assert_eq!((end[0], end[code_at]), (packet, 0x9C), "{option}");
        assert!(
            end.windows(elsewhere.len()).any(|part| part == elsewhere),
            "{option}: {end:02x?}"
        );
    }
}

#[cfg(unix)]
#[test]
fn it_serves_every_kind_of_place() {
    use std::os::unix::net::UnixStream;

    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "broker",
        "--listen",
        "mqtt://[::1]:0",
        "--listen",
        "mqtts://127.0.0.1:0",
        "--listen",
        "ws://127.0.0.1:0",
        "--listen",
        "wss://127.0.0.1:0/mqtt",
        "--listen",
        "unix:broker.sock",
        "--tls-self-signed",
        "broker.pem",
    ];
    let mut running = Running::start(folder.path(), &arguments);
    let lines: Vec<String> = (0..7).map(|_| running.line()).collect();
    let told: Vec<&str> = lines
        .iter()
        .map(|line| line.rsplit_once([':', ' ']).unwrap().0)
        .collect();
    assert_eq!(
        told,
        [
            "The reference broker listens on mqtt://[::1]",
            "The reference broker listens on mqtts://127.0.0.1",
            "The reference broker listens on ws://127.0.0.1",
            "The reference broker listens on wss://127.0.0.1",
            "The reference broker listens on unix",
            told[5],
            "Press Ctrl-C to end",
        ]
    );
    assert!(told[5].starts_with("Its certificate has the SHA-256 fingerprint "));
    is_served(TcpStream::connect(("::1", port(&lines[0]))).unwrap());
    is_served(UnixStream::connect(folder.path().join("broker.sock")).unwrap());

    // TLS begins with an alert where a client does not speak it.
    let mut plain = TcpStream::connect(("127.0.0.1", port(&lines[1]))).unwrap();
    plain.write_all(CONNECT).unwrap();
    let mut first = [0];
    plain.read_exact(&mut first).unwrap();
    assert_eq!(first, [21]);

    let certificate = fs::read_to_string(folder.path().join("broker.pem")).unwrap();
    assert!(
        certificate.starts_with("-----BEGIN CERTIFICATE-----"),
        "{certificate}"
    );

    // A broker that is killed leaves its socket behind; another can take it over, but not from one that lives.
    let again = ["broker", "--listen", "unix:broker.sock"];
    insta::assert_snapshot!("a_socket_in_use", assay_in(folder.path(), &again));
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    assert!(folder.path().join("broker.sock").exists());
    let mut successor = Running::start(folder.path(), &again);
    assert_eq!(
        successor.line(),
        "The reference broker listens on unix:broker.sock"
    );
    is_served(UnixStream::connect(folder.path().join("broker.sock")).unwrap());
    assert_eq!(successor.line(), "Press Ctrl-C to end it");
    successor.interrupt();
    assert_eq!(successor.end().status, Some(0));
    assert!(!folder.path().join("broker.sock").exists());
}

#[test]
fn a_port_in_use() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let said = assay(&["broker", "--listen", "127.0.0.1:0", "--listen", &address]);
    // Not one of the places is served.
    assert_eq!(said.stdout, "");
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
    insta::assert_snapshot!(assay(&["broker", "--listen", "http://127.0.0.1:80"]));
    insta::assert_snapshot!(assay(&["broker", "--listen", "mqtts://127.0.0.1:0"]));
    insta::assert_snapshot!(assay(&["broker", "--log", "chatty=loud"]));
    insta::assert_snapshot!(assay(&["broker", "--config", "no/such.yaml"]));
    insta::assert_snapshot!(assay(&["broker", "--password-file", "no/such"]));
    for permission in [
        "private/#",
        "{ filter: a/#/b, publish: true, subscribe: true }",
        "{ filter: a, publish: true, subscribe: true",
    ] {
        insta::assert_snapshot!(assay(&["broker", "--permission", permission]));
    }
}

#[test]
fn certificates_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let own = ["broker", "--check", "--listen", "mqtts://127.0.0.1:0"];
    let mut making = own.to_vec();
    making.remove(1);
    making.extend(["--tls-self-signed", "good.pem"]);
    Running::start(folder.path(), &making).line();
    write("empty.pem", "");
    write(
        "garbage.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    write(
        "key.pem",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    );
    write(
        "encrypted.pem",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let mut told = String::new();
    for (certificate, key) in [
        (Some("good.pem"), None),
        (None, Some("key.pem")),
        (Some("missing.pem"), Some("key.pem")),
        (Some("empty.pem"), Some("key.pem")),
        (Some("garbage.pem"), Some("key.pem")),
        (Some("good.pem"), Some("missing.pem")),
        (Some("good.pem"), Some("good.pem")),
        (Some("good.pem"), Some("encrypted.pem")),
        (Some("good.pem"), Some("key.pem")),
    ] {
        let mut arguments = own.to_vec();
        arguments.extend(
            certificate
                .into_iter()
                .flat_map(|file| ["--tls-cert", file]),
        );
        arguments.extend(key.into_iter().flat_map(|file| ["--tls-key", file]));
        let said = assay_in(folder.path(), &arguments);
        assert_eq!((said.status, said.stdout.as_str()), (Some(2), ""), "{said}");
        write!(told, "{certificate:?} {key:?}\n{}", said.stderr).unwrap();
    }
    for (file, option) in [
        ("garbage.pem", "--tls-client-ca"),
        ("key.pem", "--tls-client-ca"),
    ] {
        let arguments = [&own[..], &["--tls-self-signed", "good.pem", option, file]].concat();
        let said = assay_in(folder.path(), &arguments);
        assert_eq!((said.status, said.stdout.as_str()), (Some(2), ""), "{said}");
        write!(told, "{option} {file}\n{}", said.stderr).unwrap();
    }
    let nowhere = [
        "broker",
        "--check",
        "--listen",
        "127.0.0.1:0",
        "--tls-self-signed",
        "x.pem",
    ];
    told += &assay_in(folder.path(), &nowhere).stderr;
    making[4] = "no/such.pem";
    let unwritable = assay_in(folder.path(), &making);
    assert_eq!(unwritable.stdout, "");
    told += &unwritable.stderr;
    insta::assert_snapshot!(told);
}

#[test]
fn a_configuration_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("passwords"),
        "# of the test\nann:secret\n",
    )
    .unwrap();
    let file = "
listen: ['mqtt://127.0.0.1:0']
features:
  maximum_qos: 1
  retain: false
  authentication_methods: [SCRAM-SHA-256]
limits:
  connect_timeout: 5s
  server_keep_alive: 30
access:
  password_file: passwords
  refused_client_ids: [root]
  permissions:
    - { user: ann, filter: 'ann/#', publish: true, subscribe: true }
    - { filter: '#', publish: false, subscribe: true }
answers:
  user_properties: [[served-by, the reference broker]]
break: [v5.0/MQTT-3.3.1-9]
";
    let said = configured(folder.path(), file, &[]);
    assert_eq!(said.status, Some(0), "{said}");
    assert!(
        said.stdout
            .starts_with("The reference broker could listen on mqtt://127.0.0.1:"),
        "{said}"
    );

    let mut running = Running::start(folder.path(), &["broker", "--config", "broker.yaml"]);
    let port = port(&running.line());
    let connack = |fields: &[(&str, &str)]| {
        let mut connect = Draft::new(PacketType::Connect, Version::V5_0);
        for (name, text) in fields {
            let value = match *name {
                "password" => Value::Binary(text.as_bytes().to_vec()),
                _ => Value::Text(text.as_bytes().to_vec()),
            };
            connect.set(name, value).unwrap();
        }
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(&connect.encode().unwrap()).unwrap();
        // Nothing follows the CONNACK of a client that asks for nothing.
        let mut bytes = vec![0; 1024];
        let length = stream.read(&mut bytes).unwrap();
        let frame = codec::Frame::new(&bytes[..length]).unwrap();
        let packet = codec::decode(frame, Version::V5_0, Direction::ToClient).unwrap();
        Draft::from_packet(&packet, Version::V5_0).to_string()
    };
    let ann = [("user_name", "ann"), ("password", "secret")];
    let root = [&ann[..], &[("client_id", "root")]].concat();
    let wrong = [("user_name", "ann"), ("password", "wrong")];
    let told: Vec<String> = [&ann[..], &root, &wrong, &[]].map(connack).into();
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(
        configured(folder.path(), "# nothing\n", &["--listen", "127.0.0.1:0"]).status,
        Some(0)
    );
}

#[test]
fn an_option_outweighs_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = "listen: [mqtts://127.0.0.1:0]\ntls: { certificate: no.pem, key: no.pem }\n";
    let said = configured(folder.path(), file, &["--tls-self-signed", "own.pem"]);
    assert_eq!(said.status, Some(0), "{said}");
    assert!(said.stdout.contains("mqtts://127.0.0.1:"), "{said}");
}

/// The first permission that fits decides: that of `ann`, then what the other option says, then the file.
#[test]
fn permissions_as_options_come_before_those_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = "access: { permissions: [{ filter: '#', publish: true, subscribe: false }] }\n";
    fs::write(folder.path().join("broker.yaml"), file).unwrap();
    let mut options = vec!["broker", "--config", "broker.yaml"];
    options.extend(["--listen", "127.0.0.1:0", "--user", "ann:secret"]);
    options.push("--anonymous");
    for permission in [
        "{ user: ann, filter: private/#, publish: true, subscribe: true }",
        "{ filter: private/#, publish: false, subscribe: false }",
        "{ filter: open, publish: false, subscribe: true }",
    ] {
        options.extend(["--permission", permission]);
    }
    let mut running = Running::start(folder.path(), &options);
    let port = port(&running.line());
    // Subscribes to `private/x`, `open` and `other` with QoS 0.
    let subscribe = b"\x82\x1d\x00\x01\x00\x09private/x\x00\x00\x04open\x00\x00\x05other\x00";
    let anonymous = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01b";
    let ann = b"\x10\x1a\x00\x04MQTT\x04\xc2\x00\x00\x00\x01a\x00\x03ann\x00\x06secret";
    for (connect, codes) in [(&anonymous[..], b"\x80\x00\x80"), (ann, b"\x00\x00\x80")] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(&[connect, subscribe].concat()).unwrap();
        let mut answers = [0; 11];
        stream.read_exact(&mut answers).unwrap();
        assert_eq!(answers[..4], *b"\x20\x02\x00\x00");
        assert_eq!(answers[4..], *[b"\x90\x05\x00\x01", &codes[..]].concat());
    }
}

#[test]
fn files_that_cannot_be_served() {
    let folder = tempfile::tempdir().unwrap();
    let mut told = String::new();
    for file in [
        "listen: 1883\n",
        "listen: [amqp://127.0.0.1:5672]\n",
        "feature: {}\n",
        "features:\n  maximum_qos: 3\n",
        "features: { maximum_qos: one }\n",
        "features:\n  retain: perhaps\n",
        "features:\n  authentication_methods: [PLAIN]\n",
        "limits:\n  receive_maximum: 0\n",
        "limits:\n  receive_maximum: 65536\n",
        "limits: { connect_timeout: 10 }\n",
        "limits: { connect_timeout: 0s }\n",
        "access:\n  permissions:\n    - { filter: a/#/b, publish: true, subscribe: true }\n",
        "access:\n  permissions:\n    - { filter: a }\n",
        "access: { password_file: nobody }\n",
        "redirection: {}\n",
        "redirection: { server_reference: x, when: never }\n",
        "break:\n  - v5.0/MQTT-3.3.1-99\n",
        "break: [SN/6.1-1]\n",
        "limits: {}\nlimits: {}\n",
        "tls: { certificate: a.pem, key: b.pem }\n",
        "features: [\n",
        "just words\n",
    ] {
        writeln!(told, "{file}{}", refused(folder.path(), file)).unwrap();
    }
    fs::write(folder.path().join("broker.yaml"), b"listen: \xff\n").unwrap();
    told += &assay_in(folder.path(), &["broker", "--config", "broker.yaml"]).stderr;
    insta::assert_snapshot!(told);
}

#[test]
fn passwords_are_hashed_and_known_again() {
    let folder = tempfile::tempdir().unwrap();
    let hashed = assay_fed("touchstone\n", &["broker", "--hash-password", "ann"]);
    assert_eq!(hashed.status, Some(0), "{hashed}");
    assert!(hashed.stdout.starts_with("ann:$pbkdf2-sha256$"), "{hashed}");
    fs::write(folder.path().join("passwords"), &hashed.stdout).unwrap();
    let arguments = [
        "broker",
        "--listen",
        "127.0.0.1:0",
        "--password-file",
        "passwords",
    ];
    let mut running = Running::start(folder.path(), &arguments);
    let port = port(&running.line());
    for (password, code) in [("touchstone", 0), ("goldsmith!", 4)] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream
            .write_all(b"\x10\x1e\x00\x04MQTT\x04\xc2\x00\x3c\x00\x01a\x00\x03ann\x00\x0a")
            .unwrap();
        stream.write_all(password.as_bytes()).unwrap();
        let mut connack = [0; 4];
        stream.read_exact(&mut connack).unwrap();
        assert_eq!(connack, [0x20, 2, 0, code]);
    }
    let mut told = String::new();
    for file in [
        "",
        "ann\n",
        "ann:a\n\nann:b\n",
        "ann:$argon2id$v=19$m=8,t=1,p=1$c2FsdA$AAAA\n",
    ] {
        fs::write(folder.path().join("passwords"), file).unwrap();
        let said = assay_in(folder.path(), &arguments);
        assert_eq!((said.status, said.stdout.as_str()), (Some(2), ""), "{said}");
        writeln!(told, "{file}{}", said.stderr).unwrap();
    }
    told += &assay_fed("", &["broker", "--hash-password", "ann"]).stderr;
    insta::assert_snapshot!(told);
}

#[test]
fn a_trace_reads_as_steps() {
    let mut running = Running::start(
        Path::new("."),
        &["broker", "--listen", "127.0.0.1:0", "--trace"],
    );
    let mut stream = TcpStream::connect(("127.0.0.1", port(&running.line()))).unwrap();
    running.line();
    let mut exchange = |sent: &[u8], answer: usize| {
        stream.write_all(sent).unwrap();
        stream.read_exact(&mut vec![0; answer]).unwrap();
    };
    exchange(CONNECT, 4);
    exchange(b"\x82\x08\x00\x01\x00", 0);
    exchange(b"\x03t/x\x00", 5);
    exchange(b"\x30\x08\x00\x03t/xabc", 10);
    exchange(b"\x30\xff\xff\xff\xff\x7f", 0);
    let lines: Vec<String> = (0..8)
        .map(|_| {
            let line = running.line();
            let (step, time) = line.rsplit_once("  # ").unwrap();
            assert!(time.parse::<f64>().is_ok(), "{line}");
            step.trim_end().to_owned()
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[cfg(unix)]
#[test]
fn a_refusal_is_logged_with_its_clause() {
    let mut running = Running::start(Path::new("."), &["broker", "--listen", "127.0.0.1:0"]);
    let mut stream = TcpStream::connect(("127.0.0.1", port(&running.line()))).unwrap();
    stream.write_all(CONNECT).unwrap();
    stream.write_all(CONNECT).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    running.line();
    running.interrupt();
    let said = running.end();
    assert!(said.stderr.contains("v3.1.1/MQTT-3.1.0-2"), "{said}");
}

#[test]
fn the_store_that_a_file_names() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let here = ["--listen", "127.0.0.1:0"];
    let said = configured(folder.path(), "data: kept\n", &here);
    assert_eq!(said.status, Some(0), "{said}");
    assert!(!kept.exists(), "who only asks makes no directory");
    let serving = [&["broker", "--config", "broker.yaml"][..], &here].concat();
    let mut running = Running::start(folder.path(), &serving);
    running.line();
    drop(running);
    fs::write(kept.join("mqtt-assay.redb"), "text").unwrap();
    let said = configured(folder.path(), "data: kept\n", &here);
    assert_eq!((said.status, said.stdout.as_str()), (Some(2), ""), "{said}");
    assert!(said.stderr.contains("mqtt-assay.redb"), "{said}");
}
