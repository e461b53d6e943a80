//! The reference broker behind a proxy that records what comes, and can die of it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use ::broker::Config;
use ::broker::pipe::pipe;
use ::broker::shell::Broker;
use tokio::io::{AsyncReadExt, AsyncWriteExt, split};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

/// What becomes of the broker.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fate {
    /// It serves to the end.
    Lives,
    /// It dies when a client sends this byte, wherever the network cuts the stream.
    DiesOf {
        byte: u8,
        /// How long after that.
        late: Duration,
        /// Whether it is started again.
        back: bool,
    },
    /// It answers a client no more that has sent something that begins with this byte.
    FallsSilentAfter { first_byte: u8 },
    /// It sends PINGRESP to whoever sends this byte, and looks for new connections this seldom, unless somebody has
    /// just sent something.
    Dozes { byte: u8, between: Duration },
    /// It sends PINGRESP to the first who sends this byte, and never again.
    SlipsOnce { byte: u8 },
    /// It sends a message to those that take part in no script, whenever a client sends this byte.
    Gossips { byte: u8 },
}

/// PUBLISH at QoS 0 to the topic `x`, in 5.0, which the witness speaks.
const GOSSIP: &[u8] = &[0x30, 4, 0, 1, b'x', 0];

/// A broker behind a proxy, on a thread of its own. It ends with the test's process.
pub(crate) struct Behind {
    address: SocketAddr,
    recordings: Recordings,
}

type Recordings = Arc<Mutex<Vec<Vec<u8>>>>;

impl Behind {
    pub(crate) fn start(fate: Fate) -> Self {
        let recordings = Recordings::default();
        let (tell, told) = mpsc::channel();
        let record = Arc::clone(&recordings);
        thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                tell.send(address).unwrap();
                live(listener, address, fate, &record).await;
            });
        });
        let address = told.recv().unwrap();
        Self {
            address,
            recordings,
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("mqtt://{}", self.address)
    }

    /// What was sent on each connection, in the order in which they were opened.
    pub(crate) fn recordings(&self) -> Vec<Vec<u8>> {
        self.recordings.lock().unwrap().clone()
    }
}

/// One life after the other.
async fn live(mut listener: TcpListener, address: SocketAddr, fate: Fate, record: &Recordings) {
    loop {
        let death = Arc::new(Notify::new());
        let woken = Arc::new(Notify::new());
        let gossip = Arc::new(Notify::new());
        let (_alive, dead) = watch::channel(());
        let serving = async {
            let broker = Broker::start(Config::default()).unwrap();
            loop {
                if let Fate::Dozes { between, .. } = fate {
                    let _ = timeout(between, woken.notified()).await;
                }
                let (stream, _) = listener.accept().await.unwrap();
                let number = {
                    let mut recordings = record.lock().unwrap();
                    recordings.push(Vec::new());
                    recordings.len() - 1
                };
                let (near, far) = pipe();
                broker.attach(far);
                let relay = relay(
                    stream,
                    near,
                    fate,
                    Arc::clone(record),
                    number,
                    (Arc::clone(&death), Arc::clone(&woken), Arc::clone(&gossip)),
                );
                let mut dead = dead.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        () = relay => {}
                        // Its sender is dropped with this life.
                        _ = dead.changed() => {}
                    }
                });
            }
        };
        tokio::select! {
            () = serving => {}
            () = death.notified() => {}
        }
        drop(listener);
        if !matches!(fate, Fate::DiesOf { back: true, .. }) {
            return std::future::pending().await;
        }
        sleep(Duration::from_millis(20)).await;
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(address).unwrap();
        listener = socket.listen(64).unwrap();
    }
}

/// Carries bytes between a client and the broker.
async fn relay(
    client: TcpStream,
    broker: ::broker::pipe::End,
    fate: Fate,
    record: Recordings,
    number: usize,
    (death, woken, gossip): (Arc<Notify>, Arc<Notify>, Arc<Notify>),
) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_broker, mut to_broker) = split(broker);
    let unasked = Notify::new();
    let there = async {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = from_client.read(&mut bytes).await {
            let bytes = &bytes[..count];
            record.lock().unwrap()[number].extend_from_slice(bytes);
            woken.notify_one();
            match fate {
                Fate::DiesOf { byte, late, .. } if bytes.contains(&byte) => {
                    let death = Arc::clone(&death);
                    tokio::spawn(async move {
                        sleep(late).await;
                        death.notify_one();
                    });
                    if late.is_zero() {
                        return std::future::pending().await;
                    }
                }
                Fate::FallsSilentAfter { first_byte } if bytes[0] == first_byte => {
                    return std::future::pending().await;
                }
                Fate::Dozes { byte, .. } if bytes.contains(&byte) => unasked.notify_one(),
                Fate::SlipsOnce { byte }
                    if bytes.contains(&byte) && is_first(&record, byte, bytes) =>
                {
                    unasked.notify_one();
                }
                Fate::Gossips { byte } if bytes.contains(&byte) => gossip.notify_waiters(),
                _ => {}
            }
            if to_broker.write_all(bytes).await.is_err() {
                break;
            }
        }
        let _ = to_broker.shutdown().await;
        // The broker's last word may still be on its way.
        std::future::pending::<()>().await;
    };
    let back = async {
        let mut bytes = [0; 4096];
        loop {
            tokio::select! {
                () = unasked.notified() => {
                    let _ = to_client.write_all(&[0xD0, 0]).await;
                }
                () = gossip.notified() => {
                    let takes_part_in_none = is_of_the_campaign(&record.lock().unwrap()[number]);
                    if takes_part_in_none {
                        let _ = to_client.write_all(GOSSIP).await;
                    }
                }
                read = from_broker.read(&mut bytes) => match read {
                    Ok(count @ 1..) if to_client.write_all(&bytes[..count]).await.is_ok() => {}
                    _ => break,
                },
            }
        }
        let _ = to_client.shutdown().await;
    };
    tokio::select! {
        () = there => {}
        () = back => {}
    }
}

/// Whether nobody had sent the byte before these.
fn is_first(record: &Recordings, byte: u8, bytes: &[u8]) -> bool {
    let count = |sent: &[u8]| sent.split(|sent| *sent == byte).count() - 1;
    let recordings = record.lock().unwrap();
    recordings.iter().map(|sent| count(sent)).sum::<usize>() == count(bytes)
}

/// Whether a connection is the witness's, or the admission's: these come by names of their own.
pub(crate) fn is_of_the_campaign(sent: &[u8]) -> bool {
    sent.windows(5).any(|name| name == b"assay")
}
