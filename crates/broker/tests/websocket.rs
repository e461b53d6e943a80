//! MQTT over WebSocket: the upgrade, frames in both directions, and what breaks the rules of section 6.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use broker::pipe::{End, pipe};
use broker::shell::Transport;
use broker::{Broker, Config};
use clauses::{ClauseId, clause};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, client_async};

const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x02\x00\x01a";
const CONNACK: &[u8] = &[0x20, 2, 0, 0];
const PINGREQ: &[u8] = &[0xC0, 0];
const PINGRESP: &[u8] = &[0xD0, 0];

type Socket = WebSocketStream<End>;

fn start(broken: &[ClauseId]) -> Broker {
    Broker::start(Config::breaking(broken.iter().copied())).unwrap()
}

async fn open(broker: &Broker) -> Socket {
    let (client, server) = pipe();
    broker.attach_over(server, &Transport::WEBSOCKET);
    let mut request = "ws://localhost/mqtt".into_client_request().unwrap();
    let offer = HeaderValue::from_static("other, mqtt");
    request
        .headers_mut()
        .insert("Sec-WebSocket-Protocol", offer);
    let (socket, response) = client_async(request, client).await.unwrap();
    assert_eq!(response.headers()["Sec-WebSocket-Protocol"], "mqtt");
    socket
}

async fn send(socket: &mut Socket, bytes: &[u8]) {
    socket
        .send(Message::Binary(bytes.to_vec().into()))
        .await
        .unwrap();
}

async fn expect(socket: &mut Socket, bytes: &[u8]) {
    let message = socket.next().await.unwrap().unwrap();
    assert_eq!(message, Message::Binary(bytes.to_vec().into()));
}

async fn connected(broker: &Broker) -> Socket {
    let mut socket = open(broker).await;
    send(&mut socket, CONNECT).await;
    expect(&mut socket, CONNACK).await;
    socket
}

/// A PUBLISH of QoS 0 whose bytes happen to be UTF-8, as a text frame must be.
async fn publish_in_text(socket: &mut Socket) {
    let publish = "\x30\x04\x00\x01tx";
    socket.send(Message::Text(publish.into())).await.unwrap();
}

/// The answer to an upgrade, as it goes over the wire.
async fn answer(broker: &Broker, offer: &str) -> String {
    let (mut client, server) = pipe();
    broker.attach_over(server, &Transport::WEBSOCKET);
    let request = format!(
        "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{offer}\r\n"
    );
    client.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = vec![0; 4096];
    let count = client.read(&mut bytes).await.unwrap();
    String::from_utf8_lossy(&bytes[..count]).into_owned()
}

#[tokio::test(start_paused = true)]
async fn borders_of_frames_mean_nothing() {
    let broker = start(&[]);
    let mut socket = open(&broker).await;
    for byte in CONNECT {
        send(&mut socket, &[*byte]).await;
    }
    expect(&mut socket, CONNACK).await;
    send(
        &mut socket,
        &[PINGREQ, b"", PINGREQ, &PINGREQ[..1]].concat(),
    )
    .await;
    expect(&mut socket, &[PINGRESP, PINGRESP].concat()).await;
    send(&mut socket, &PINGREQ[1..]).await;
    expect(&mut socket, PINGRESP).await;
}

#[tokio::test(start_paused = true)]
async fn a_text_frame_ends_the_connection() {
    let broker = start(&[]);
    let mut socket = connected(&broker).await;
    publish_in_text(&mut socket).await;
    let told = socket.next().await;
    assert!(matches!(told, Some(Ok(Message::Close(_)))), "{told:?}");

    let broker = start(&[clause!("v5.0/MQTT-6.0.0-1")]);
    let mut socket = connected(&broker).await;
    publish_in_text(&mut socket).await;
    send(&mut socket, PINGREQ).await;
    expect(&mut socket, PINGRESP).await;
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_trusts_borders_takes_one_packet_a_frame() {
    let broker = start(&[clause!("v3.1.1/MQTT-6.0.0-2")]);
    let mut socket = connected(&broker).await;
    send(&mut socket, PINGREQ).await;
    expect(&mut socket, PINGRESP).await;
    send(&mut socket, &[PINGREQ, PINGREQ].concat()).await;
    let told = socket.next().await;
    assert!(matches!(told, Some(Ok(Message::Close(_)))), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn the_subprotocol_is_mqtt_or_nothing_is_opened() {
    let mqtt = "Sec-WebSocket-Protocol: x\r\nSec-WebSocket-Protocol: mqtt\r\n";
    let chosen = "sec-websocket-protocol: mqtt\r\n";
    let sound = start(&[]);
    let told = answer(&sound, mqtt).await;
    assert!(told.starts_with("HTTP/1.1 101 "), "{told}");
    assert!(told.to_lowercase().contains(chosen), "{told}");
    let told = answer(&sound, "Sec-WebSocket-Protocol: mqttx\r\n").await;
    assert!(told.starts_with("HTTP/1.1 400 "), "{told}");

    let unsound = start(&[clause!("v5.0/MQTT-6.0.0-3"), clause!("v5.0/MQTT-6.0.0-4")]);
    for offer in [mqtt, ""] {
        let told = answer(&unsound, offer).await;
        assert!(told.starts_with("HTTP/1.1 101 "), "{told}");
        assert!(!told.to_lowercase().contains(chosen), "{told}");
    }
    assert!(sound.consulted().contains(clause!("v5.0/MQTT-6.0.0-4")));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_upgrades_is_let_go() {
    let broker = start(&[]);
    let (mut client, server) = pipe();
    broker.attach_over(server, &Transport::WEBSOCKET);
    client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let begun = Instant::now();
    assert_eq!(client.read(&mut [0; 64]).await.unwrap(), 0);
    assert_eq!(begun.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_stopping_broker_closes_its_websockets() {
    let broker = start(&[]);
    let mut socket = connected(&broker).await;
    let closing = async {
        let told = socket.next().await;
        assert!(matches!(told, Some(Ok(Message::Close(_)))), "{told:?}");
        assert!(socket.next().await.is_none());
    };
    let begun = Instant::now();
    tokio::join!(broker.stop(), closing);
    assert_eq!(begun.elapsed(), Duration::ZERO, "nobody lingers");
}

/// The header of a masked binary frame that claims this many bytes, and the beginning of it.
fn begun(claimed: u64, bytes: usize) -> Vec<u8> {
    let mut frame = vec![0x82, 0xFF];
    frame.extend(claimed.to_be_bytes());
    frame.extend([0; 4]);
    frame.resize(frame.len() + bytes, 0x10);
    frame
}

async fn upgraded(broker: &Broker) -> End {
    let (mut client, server) = pipe();
    broker.attach_over(server, &Transport::WEBSOCKET);
    let request = "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Protocol: mqtt\r\n\r\n";
    client.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(client.read_u8().await.unwrap());
    }
    client
}

/// Whether the broker gives the connection up, rather than wait for the rest of the frame.
async fn is_given_up(client: &mut End) -> bool {
    // A closing frame may come first.
    let mut bytes = [0; 64];
    let read = client.read(&mut bytes);
    tokio::time::timeout(Duration::from_secs(1), read)
        .await
        .is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_frame_before_connect_is_bounded_like_a_first_packet() {
    let mut config = Config::default();
    config.limits.first_packet_size = 100_000;
    let broker = Broker::start(config).unwrap();
    let mut client = upgraded(&broker).await;
    client.write_all(&begun(10_000_000, 90_000)).await.unwrap();
    assert!(!is_given_up(&mut client).await);
    // Beside the packet there is room for the header, and no more.
    client.write_all(&vec![0x10; 100_000]).await.unwrap();
    assert!(is_given_up(&mut client).await);
    // Once CONNECT is answered a frame may be as large as a packet.
    let mut client = connected(&broker).await;
    // PUBLISH with a Remaining Length of 2,000,000.
    let mut publish = b"\x30\x80\x89\x7A\x00\x01t".to_vec();
    publish.resize(4 + 2_000_000, b'x');
    send(&mut client, &publish).await;
    send(&mut client, PINGREQ).await;
    expect(&mut client, PINGRESP).await;
}

#[tokio::test(start_paused = true)]
async fn frames_that_never_end_are_kept_up_to_a_limit() {
    let mut config = Config::default();
    config.limits.all_partial_bytes = 1 << 20;
    // Those that are held do not go by themselves meanwhile.
    config.limits.connect_timeout = Duration::from_hours(1);
    let broker = Broker::start(config).unwrap();
    let mut open = Vec::new();
    for _ in 0..40 {
        let mut client = upgraded(&broker).await;
        client.write_all(&begun(200_000, 60_000)).await.unwrap();
        if !is_given_up(&mut client).await {
            open.push(client);
        }
    }
    assert_eq!(open.len(), (1 << 20) / 60_014);
    // The others are served all the same, and what goes makes room.
    let mut client = connected(&broker).await;
    open.clear();
    // PUBLISH with a Remaining Length of 200,000.
    let mut publish = b"\x30\xC0\x9A\x0C\x00\x01t".to_vec();
    publish.resize(4 + 200_000, b'x');
    send(&mut client, &publish).await;
    send(&mut client, PINGREQ).await;
    expect(&mut client, PINGRESP).await;
}
