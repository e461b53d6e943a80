//! The shell: links, time, leave-taking, and clients that do not keep up.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use broker::pipe::{End, pipe, pipe_holding};
use broker::shell::Transport;
use broker::{Broker, Config, Password};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x02\x00\x01a";
const CONNACK: &[u8] = &[0x20, 2, 0, 0];
const PINGREQ: &[u8] = &[0xC0, 0];
const PINGRESP: &[u8] = &[0xD0, 0];

fn start() -> Broker {
    Broker::start(Config::default()).unwrap()
}

fn attach(broker: &Broker) -> End {
    let (client, server) = pipe();
    broker.attach(server);
    client
}

async fn expect(client: &mut (impl AsyncReadExt + Unpin), bytes: &[u8]) {
    let mut read = vec![0; bytes.len()];
    client.read_exact(&mut read).await.unwrap();
    assert_eq!(read, bytes);
}

async fn connected(broker: &Broker) -> End {
    let mut client = attach(broker);
    client.write_all(CONNECT).await.unwrap();
    expect(&mut client, CONNACK).await;
    client
}

async fn closed(client: &mut (impl AsyncReadExt + Unpin)) {
    assert_eq!(client.read(&mut [0; 64]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn keep_alive_ends_at_the_very_instant() {
    let broker = start();
    let mut client = connected(&broker).await;
    sleep(Duration::from_millis(1234)).await;
    client.write_all(PINGREQ).await.unwrap();
    expect(&mut client, PINGRESP).await;
    let start = Instant::now();
    closed(&mut client).await;
    assert_eq!(start.elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_connect_ends_after_its_time() {
    let broker = start();
    let mut client = attach(&broker);
    let start = Instant::now();
    closed(&mut client).await;
    assert_eq!(start.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn nothing_wakes_an_idle_broker() {
    let broker = start();
    let mut config = *b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a";
    config[11] = 0;
    let mut client = attach(&broker);
    client.write_all(&config).await.unwrap();
    expect(&mut client, CONNACK).await;
    sleep(Duration::from_hours(24 * 365)).await;
    client.write_all(PINGREQ).await.unwrap();
    expect(&mut client, PINGRESP).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_shuts_down_its_side_still_gets_what_was_sent() {
    let broker = start();
    let mut client = attach(&broker);
    client.write_all(CONNECT).await.unwrap();
    client.shutdown().await.unwrap();
    expect(&mut client, CONNACK).await;
    closed(&mut client).await;
}

#[tokio::test(start_paused = true)]
async fn a_reset_is_the_end_of_a_connection() {
    let broker = start();
    let client = connected(&broker).await;
    client.reset();
    drop(client);
    // The session is free: a second client of this name throws nobody out, and time does not matter.
    let mut again = connected(&broker).await;
    again.write_all(PINGREQ).await.unwrap();
    expect(&mut again, PINGRESP).await;
}

#[tokio::test(start_paused = true)]
async fn stopping_tells_the_clients_and_waits_for_them() {
    let broker = start();
    let mut five = attach(&broker);
    five.write_all(b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01b")
        .await
        .unwrap();
    let mut connack = vec![0; 64];
    let length = five.read(&mut connack).await.unwrap();
    assert_eq!(connack[0], 0x20);
    assert_eq!(usize::from(connack[1]), length - 2);
    let mut three = connected(&broker).await;
    let reading = async {
        let mut leave = Vec::new();
        five.read_to_end(&mut leave).await.unwrap();
        assert_eq!(leave[0], 0xE0);
        assert_eq!(leave[2], 0x8B);
        drop(five);
        closed(&mut three).await;
        drop(three);
    };
    let start = Instant::now();
    tokio::join!(broker.stop(), reading);
    assert_eq!(start.elapsed(), Duration::ZERO);
    let mut late = attach(&broker);
    closed(&mut late).await;
}

#[tokio::test(start_paused = true)]
async fn stopping_does_not_wait_for_a_client_that_stays() {
    let broker = start();
    let _client = connected(&broker).await;
    let start = Instant::now();
    broker.stop().await;
    assert_eq!(start.elapsed(), Broker::LINGER);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_broker_ends_its_connections() {
    let broker = start();
    let mut client = connected(&broker).await;
    drop(broker);
    closed(&mut client).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_does_not_hold_up_others() {
    let broker = start();
    let (mut slow, server) = pipe_holding(64);
    broker.attach(server);
    slow.write_all(CONNECT).await.unwrap();
    expect(&mut slow, CONNACK).await;
    let subscribe = b"\x82\x06\x00\x01\x00\x01t\x00";
    slow.write_all(subscribe).await.unwrap();
    expect(&mut slow, &[0x90, 3, 0, 1, 0]).await;

    let mut publisher = attach(&broker);
    publisher
        .write_all(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01p")
        .await
        .unwrap();
    expect(&mut publisher, CONNACK).await;
    let mut publish = vec![0x30, 0x83, 0x80, 0x01, 0, 1, b't'];
    publish.resize(4 + 16_387, b'x');
    for _ in 0..1000 {
        publisher.write_all(&publish).await.unwrap();
    }
    publisher.write_all(PINGREQ).await.unwrap();
    expect(&mut publisher, PINGRESP).await;

    // What piled up is bounded: far less than the 16 MB that were published.
    let mut received = 0;
    let mut buffer = vec![0; 64 * 1024];
    let reading = async {
        loop {
            match slow.read(&mut buffer).await.unwrap() {
                0 => break,
                length => received += length,
            }
        }
    };
    // It ends when the Keep Alive of the client has passed.
    reading.await;
    assert!(received > 1 << 20, "{received}");
    assert!(received < 3 << 20, "{received}");
}

#[tokio::test]
async fn clients_connect_over_tcp() {
    let broker = start();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    broker.listen(listener, Transport::PLAIN);
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(CONNECT).await.unwrap();
    expect(&mut client, CONNACK).await;
    // A second CONNECT: what was sent behind it does not turn the end into a reset.
    client.write_all(CONNECT).await.unwrap();
    client.write_all(&[PINGREQ; 64].concat()).await.unwrap();
    closed(&mut client).await;
    drop(client);
    broker.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[test]
fn a_dropped_runtime_leaves_nothing_behind() {
    let mut client = None;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let broker = runtime.block_on(async {
        let broker = start();
        client = Some(connected(&broker).await);
        broker
    });
    drop(runtime);
    drop(broker);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(closed(client.as_mut().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn a_restart_keeps_sessions_and_retained_messages() {
    let broker = start();
    let connect = b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x00\x00\x01a";
    let mut client = attach(&broker);
    client.write_all(connect).await.unwrap();
    expect(&mut client, CONNACK).await;
    // A retained PUBLISH of QoS 1, and its acknowledgement.
    client
        .write_all(b"\x33\x06\x00\x01t\x00\x07x")
        .await
        .unwrap();
    expect(&mut client, &[0x40, 2, 0, 7]).await;
    let leaving = async {
        closed(&mut client).await;
        drop(client);
    };
    tokio::join!(broker.stop(), leaving);
    let broker = Broker::start_again(Config::default(), broker.kept()).unwrap();
    let mut client = attach(&broker);
    client.write_all(connect).await.unwrap();
    expect(&mut client, &[0x20, 2, 1, 0]).await;
    client
        .write_all(b"\x82\x06\x00\x01\x00\x01t\x00")
        .await
        .unwrap();
    expect(&mut client, &[0x90, 3, 0, 1, 0]).await;
    expect(&mut client, b"\x31\x04\x00\x01tx").await;
}

/// Wrong passwords cost hours of counting; a client that is served already notices nothing of it.
#[tokio::test]
async fn a_storm_of_wrong_passwords_stalls_nobody() {
    let mut config = Config::default();
    let hash = "$pbkdf2-sha256$i=1000000,l=32$c2FsdHNhbHRzYWx0c2FsdA$\
                AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    config
        .access
        .passwords
        .insert("ann".into(), hash.parse().unwrap());
    config.limits.connect_timeout = Duration::from_hours(1);
    let broker = Broker::start(config).unwrap();
    let mut client = connected(&broker).await;
    let mut storm = Vec::new();
    for _ in 0..1000 {
        let mut wrong = attach(&broker);
        wrong
            .write_all(b"\x10\x19\x00\x04MQTT\x04\xC2\x00\x00\x00\x01x\x00\x03ann\x00\x05wrong")
            .await
            .unwrap();
        storm.push(wrong);
    }
    // One million rounds for each of them are to be counted. Long before that:
    for _ in 0..100 {
        client.write_all(PINGREQ).await.unwrap();
        expect(&mut client, PINGRESP).await;
    }
    let mut refused = 0;
    for wrong in &mut storm {
        let read = tokio::time::timeout(Duration::ZERO, wrong.read_u8());
        refused += usize::from(read.await.is_ok());
    }
    assert!(refused < 500, "{refused} were refused meanwhile");
    // Whoever goes is not counted for any more.
    drop(storm);
    broker.stop().await;
}

#[tokio::test]
async fn a_hashed_password_lets_its_client_in_and_no_other() {
    let mut config = Config::default();
    let hash = Password::hash("wrong", [7; 16]).unwrap();
    config.access.passwords.insert("ann".into(), hash);
    let broker = Broker::start(config).unwrap();
    let connect = *b"\x10\x19\x00\x04MQTT\x04\xC2\x00\x00\x00\x01x\x00\x03ann\x00\x05wrong";
    let mut right = attach(&broker);
    right.write_all(&connect).await.unwrap();
    expect(&mut right, CONNACK).await;
    let mut other = connect;
    other[26] = b'x';
    let mut wrong = attach(&broker);
    wrong.write_all(&other).await.unwrap();
    expect(&mut wrong, &[0x20, 2, 0, 4]).await;
    closed(&mut wrong).await;
}
