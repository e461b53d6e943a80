//! The clients: one that publishes as fast as what it sent arrives, and those that receive.
//!
//! They speak 3.1.1 in bytes that are made beforehand, so that the broker works and not they.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep};

/// The bytes of a message.
const PAYLOAD: usize = 64;
const TOPIC: &[u8] = b"speed/of/light";
/// Messages under way at QoS 0, to each subscriber: few enough that no broker drops any.
const AHEAD: u64 = 400;
/// Messages under way at QoS 1 and 2: as many as Mosquitto has in flight to a client.
const WINDOW: u16 = 20;
/// Time for buffers and caches to fill before it counts.
const WARM_UP: Duration = Duration::from_millis(400);

/// Messages from one client to some.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) qos: u8,
    pub(crate) subscribers: usize,
}

/// How far the clients are.
#[derive(Default)]
struct Progress {
    received: Cell<u64>,
    moved: Notify,
}

impl Load {
    /// Messages received a second, all subscribers taken together.
    pub(crate) async fn measure(self, address: SocketAddr, measured: Duration) -> f64 {
        let progress = Rc::new(Progress::default());
        let clients = LocalSet::new();
        clients
            .run_until(async {
                for number in 0..self.subscribers {
                    let mut link = connect(address, &format!("subscriber{number}")).await;
                    subscribe(&mut link, self.qos).await;
                    tokio::task::spawn_local(receive(link, Rc::clone(&progress)));
                }
                let link = connect(address, "publisher").await;
                if self.qos == 0 {
                    let copies = self.subscribers as u64;
                    tokio::task::spawn_local(publish_and_forget(
                        link,
                        copies,
                        Rc::clone(&progress),
                    ));
                } else {
                    tokio::task::spawn_local(publish_with_window(link, self.qos));
                }
                sleep(WARM_UP).await;
                let (before, start) = (progress.received.get(), Instant::now());
                sleep(measured).await;
                let count = progress.received.get() - before;
                assert_ne!(count, 0, "nothing arrives");
                #[expect(clippy::cast_precision_loss, reason = "a rate is no exact figure")]
                let rate = count as f64 / start.elapsed().as_secs_f64();
                rate
            })
            .await
    }
}

/// So many connections on which nothing happens.
pub(crate) async fn idle(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    let mut links = Vec::new();
    for number in 0..count {
        links.push(connect(address, &format!("idle{number}")).await);
    }
    links
}

async fn connect(address: SocketAddr, client_id: &str) -> TcpStream {
    let mut link = TcpStream::connect(address).await.unwrap();
    link.set_nodelay(true).unwrap();
    let mut connect = b"\x10\x00\x00\x04MQTT\x04\x02\x00\x00\x00".to_vec();
    connect.push(u8::try_from(client_id.len()).unwrap());
    connect.extend(client_id.as_bytes());
    connect[1] = u8::try_from(connect.len() - 2).unwrap();
    link.write_all(&connect).await.unwrap();
    let mut connack = [0; 4];
    link.read_exact(&mut connack).await.unwrap();
    assert_eq!(connack, [0x20, 2, 0, 0]);
    link
}

async fn subscribe(link: &mut TcpStream, qos: u8) {
    let mut packet = vec![0x82, 0, 0, 1, 0, u8::try_from(TOPIC.len()).unwrap()];
    packet.extend(TOPIC);
    packet.push(qos);
    packet[1] = u8::try_from(packet.len() - 2).unwrap();
    link.write_all(&packet).await.unwrap();
    let mut suback = [0; 5];
    link.read_exact(&mut suback).await.unwrap();
    assert_eq!(suback, [0x90, 3, 0, 1, qos]);
}

/// A PUBLISH; where QoS is not 0, its Packet Identifier stands at the end of the topic.
fn publish(qos: u8, id: u16) -> Vec<u8> {
    let mut packet = vec![0x30 | qos << 1, 0, 0, u8::try_from(TOPIC.len()).unwrap()];
    packet.extend(TOPIC);
    if qos > 0 {
        packet.extend(id.to_be_bytes());
    }
    packet.extend([b'x'; PAYLOAD]);
    packet[1] = u8::try_from(packet.len() - 2).unwrap();
    packet
}

/// The packets of a stream, whose Remaining Lengths are all of one byte.
#[derive(Default)]
struct Packets {
    bytes: Vec<u8>,
}

impl Packets {
    /// Reads what there is; calls `take` for each whole packet.
    async fn read(&mut self, link: &mut TcpStream, mut take: impl FnMut(&[u8])) -> bool {
        if self.bytes.capacity() - self.bytes.len() < 1 << 15 {
            self.bytes.reserve(1 << 16);
        }
        if link.read_buf(&mut self.bytes).await.unwrap_or(0) == 0 {
            return false;
        }
        let mut rest = &self.bytes[..];
        while let [_, length, ..] = *rest {
            let size = 2 + usize::from(length);
            if rest.len() < size {
                break;
            }
            take(&rest[..size]);
            rest = &rest[size..];
        }
        let done = self.bytes.len() - rest.len();
        self.bytes.drain(..done);
        true
    }
}

/// Takes messages and acknowledges them.
async fn receive(mut link: TcpStream, progress: Rc<Progress>) {
    let mut packets = Packets::default();
    let mut answers = Vec::new();
    loop {
        let mut count = 0;
        let more = packets.read(&mut link, |packet| match packet[0] >> 4 {
            3 => {
                count += 1;
                let qos = packet[0] >> 1 & 3;
                if qos > 0 {
                    let at = 4 + TOPIC.len();
                    answers.extend([
                        if qos == 1 { 0x40 } else { 0x50 },
                        2,
                        packet[at],
                        packet[at + 1],
                    ]);
                }
            }
            6 => answers.extend([0x70, 2, packet[2], packet[3]]),
            _ => {}
        });
        if !more.await {
            return;
        }
        progress.received.set(progress.received.get() + count);
        progress.moved.notify_one();
        if !answers.is_empty() {
            if link.write_all(&answers).await.is_err() {
                return;
            }
            answers.clear();
        }
    }
}

/// QoS 0: stays a little ahead of what arrives.
async fn publish_and_forget(mut link: TcpStream, copies: u64, progress: Rc<Progress>) {
    let batch = publish(0, 0).repeat(20);
    let mut sent = 0;
    loop {
        while sent * copies > progress.received.get() + AHEAD * copies {
            progress.moved.notified().await;
        }
        if link.write_all(&batch).await.is_err() {
            return;
        }
        sent += 20;
    }
}

/// QoS 1 and 2: sends the next message for each that is acknowledged.
async fn publish_with_window(mut link: TcpStream, qos: u8) {
    let mut output: Vec<u8> = (1..=WINDOW).flat_map(|id| publish(qos, id)).collect();
    let mut packets = Packets::default();
    loop {
        if link.write_all(&output).await.is_err() {
            return;
        }
        output.clear();
        let more = packets.read(&mut link, |packet| {
            let id = u16::from_be_bytes([packet[2], packet[3]]);
            match packet[0] >> 4 {
                4 | 7 => output.extend(publish(qos, id)),
                5 => output.extend([0x62, 2, packet[2], packet[3]]),
                _ => {}
            }
        });
        if !more.await {
            return;
        }
    }
}
