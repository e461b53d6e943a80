//! The log: each refusal and each message that is dropped, with its clause.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use broker::config::{Permission, RedirectedWhen, Redirection};
use broker::pipe::{End, pipe};
use broker::shell::Transport;
use broker::{Broker, Config, Password};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};
use tracing_subscriber::fmt::MakeWriter;

const CONNECT: &[u8] = b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01a";
const CONNECT_3_1_1: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01b";

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Lets clients send these bytes, each on a connection of its own and until nothing more comes of it; what is logged
/// at this level.
async fn logged(config: Config, level: tracing::Level, clients: &[&[&[u8]]]) -> String {
    logged_over(&Transport::PLAIN, config, level, clients).await
}

async fn logged_over(
    transport: &Transport,
    config: Config,
    level: tracing::Level,
    clients: &[&[&[u8]]],
) -> String {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_max_level(level)
        .with_ansi(false)
        .without_time()
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let broker = Broker::start(config).unwrap();
    let mut open: Vec<End> = Vec::new();
    for bytes in clients {
        let (mut client, server) = pipe();
        broker.attach_over(server, transport);
        for bytes in *bytes {
            client.write_all(bytes).await.unwrap();
            // The clock stands still: this is over once the broker has handled it all.
            sleep(Duration::from_millis(1)).await;
        }
        let _ = timeout(Duration::from_secs(1), async {
            while client.read(&mut [0; 1024]).await.unwrap() > 0 {}
        })
        .await;
        open.push(client);
    }
    let text = log.0.lock().unwrap().clone();
    String::from_utf8(text).unwrap()
}

/// There is one line with this clause, and with all of these texts.
fn tells(log: &str, clause: &str, texts: &[&str]) {
    let clause = format!("clause=\"{clause}\"");
    let lines: Vec<_> = log.lines().filter(|line| line.contains(&clause)).collect();
    assert_eq!(lines.len(), 1, "{clause} in\n{log}");
    for text in texts {
        assert!(lines[0].contains(text), "{text} in\n{}", lines[0]);
    }
}

fn secret_is_closed() -> Config {
    let mut config = Config::default();
    config.access.permissions.push(Permission {
        user: None,
        filter: "secret".into(),
        publish: false,
        subscribe: false,
    });
    config
}

#[tokio::test(start_paused = true)]
async fn refusals_in_acknowledgements() {
    let subscribe = b"\x82\x0c\x00\x01\x00\x00\x06secret\x01";
    let publish_1 = b"\x32\x0b\x00\x06secret\x00\x07\x00";
    let publish_2 = b"\x34\x0b\x00\x06secret\x00\x08\x00";
    let pubrel = b"\x62\x02\x00\x09";
    let log = logged(
        secret_is_closed(),
        tracing::Level::INFO,
        &[&[CONNECT, subscribe], &[CONNECT, publish_1]],
    )
    .await;
    tells(
        &log,
        "v5.0/MQTT-3.8.4-7",
        &["INFO", "SUBSCRIBE refused", "reason=0x87", "connection=0"],
    );
    tells(
        &log,
        "v5.0/MQTT-3.4.2-1",
        &["INFO", "PUBLISH refused", "reason=0x87", "connection=1"],
    );
    let log = logged(
        secret_is_closed(),
        tracing::Level::INFO,
        &[&[CONNECT, publish_2, pubrel]],
    )
    .await;
    tells(&log, "v5.0/MQTT-3.4.2-1", &["PUBLISH refused", "0x87"]);
    tells(&log, "v5.0/MQTT-2.2.1-5", &["PUBREL refused", "0x92"]);
    let subscribe = b"\x82\x0b\x00\x01\x00\x06secret\x01";
    let log = logged(
        secret_is_closed(),
        tracing::Level::INFO,
        &[&[CONNECT_3_1_1, subscribe]],
    )
    .await;
    tells(&log, "v3.1.1/MQTT-3.8.4-5", &["SUBSCRIBE refused"]);
}

#[tokio::test(start_paused = true)]
async fn refusals_in_connack() {
    let mut config = Config::default();
    config.access.anonymous = false;
    config
        .access
        .passwords
        .insert("ann".into(), Password::text("secret"));
    let log = logged(
        config,
        tracing::Level::INFO,
        &[&[CONNECT], &[CONNECT_3_1_1]],
    )
    .await;
    tells(&log, "v5.0/MQTT-3.1.4-2", &["closing", "reason=0x87"]);
    tells(&log, "v3.1.1/U311-3.1.4-2", &["closing"]);
    let config = Config {
        redirection: Some(Redirection {
            server_reference: "elsewhere:1883".into(),
            permanent: false,
            when: RedirectedWhen::Connecting,
        }),
        ..Config::default()
    };
    let log = logged(config, tracing::Level::INFO, &[&[CONNECT]]).await;
    tells(&log, "v5.0/MQTT-3.1.4-2", &["served elsewhere", "0x9C"]);
}

#[tokio::test(start_paused = true)]
async fn whatever_closes_a_connection() {
    let malformed = b"\x83\x02\x00\x01";
    let log = logged(
        Config::default(),
        tracing::Level::INFO,
        &[&[CONNECT, malformed], &[CONNECT, CONNECT], &[b"\xC0\x00"]],
    )
    .await;
    tells(&log, "v5.0/MQTT-3.8.1-1", &["closing", "0x81"]);
    tells(&log, "v5.0/MQTT-3.1.0-2", &["closing", "0x82"]);
    tells(&log, "v5.0/MQTT-3.1.0-1", &["closing"]);
    let mut config = Config::default();
    config.limits.connections = 1;
    config.limits.connect_timeout = Duration::from_millis(10);
    let log = logged(config.clone(), tracing::Level::INFO, &[&[b"\x10"]]).await;
    tells(&log, "v5.0/U50-3.1.4-1", &["closing", "in time"]);
    let log = logged(config, tracing::Level::INFO, &[&[CONNECT], &[CONNECT]]).await;
    tells(
        &log,
        "v5.0/MQTT-3.1.4-2",
        &["closing", "as many connections"],
    );
}

#[tokio::test(start_paused = true)]
async fn messages_that_are_dropped() {
    // Session Expiry 100, Maximum Packet Size 20.
    let stays = b"\x10\x18\x00\x04MQTT\x05\x02\x00\x00\x0a\x11\x00\x00\x00\x64\x27\x00\x00\x00\x14\x00\x01s";
    let subscribe = b"\x82\x07\x00\x01\x00\x00\x01t\x01";
    let large = b"\x30\x18\x00\x01t\x0001234567890123456789";
    let log = logged(
        Config::default(),
        tracing::Level::DEBUG,
        &[&[stays, subscribe], &[CONNECT, large]],
    )
    .await;
    tells(
        &log,
        "v5.0/MQTT-3.1.2-25",
        &["DEBUG", "\"t\"", "\"s\"", "dropped", "Maximum Packet Size"],
    );
    // What waits for a client that is away may become too much.
    let mut config = Config::default();
    config.limits.queued_messages = 1;
    let publish = b"\x32\x06\x00\x01t\x00\x07\x00";
    let log = logged(
        config,
        tracing::Level::INFO,
        &[
            &[stays, subscribe, b"\xE0\x00"],
            &[CONNECT, publish, publish],
        ],
    )
    .await;
    tells(&log, "v5.0/MQTT-4.5.0-1", &["Session", "\"s\"", "0x97"]);
}

/// Client `a` subscribes to more than it may receive; nothing else tells it that.
#[tokio::test(start_paused = true)]
async fn messages_that_the_permissions_withhold() {
    let subscribe = b"\x82\x07\x00\x01\x00\x00\x01#\x01";
    let publish = b"\x32\x0a\x00\x06secret\x00\x07";
    let mut config = secret_is_closed();
    config.access.permissions[0].publish = true;
    let at = async |level| {
        let clients: &[&[&[u8]]] = &[&[CONNECT, subscribe], &[CONNECT_3_1_1, publish]];
        logged(config.clone(), level, clients).await
    };
    let log = at(tracing::Level::DEBUG).await;
    let texts = ["DEBUG", "\"secret\"", "\"a\"", "dropped", "may not receive"];
    tells(&log, "v5.0/MQTT-4.5.0-1", &texts);
    let log = at(tracing::Level::INFO).await;
    assert!(!log.contains("may not receive"), "{log}");
}

#[tokio::test(start_paused = true)]
async fn what_the_layer_below_refuses() {
    let upgrade =
        b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Protocol: mqtt\r\n\r\n";
    // A text frame `x`, masked with zeros.
    let text = b"\x81\x81\x00\x00\x00\x00x";
    let log = logged_over(
        &Transport::WEBSOCKET,
        Config::default(),
        tracing::Level::INFO,
        &[&[upgrade, text]],
    )
    .await;
    assert!(log.contains("v5.0/MQTT-6.0.0-1"), "{log}");
}
