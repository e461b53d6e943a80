//! [`relay`]: the reference broker behind something that does to its packets what a broken broker would do.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use broker::pipe::End;
use broker::{Broker, Config};
use codec::{Direction, MAXIMUM_PACKET_SIZE, Split, Version};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;

/// In what way a broker is broken.
pub trait Nature: Send + 'static {
    /// Whether these bytes from a client are the word from which on its link is treated otherwise.
    fn provoked(&self, bytes: &[u8]) -> bool;

    /// What becomes of a packet on its way to a client; `provoked` tells of its link.
    fn treats(&self, packet: &[u8], version: Version, provoked: bool) -> Treatment;
}

/// What becomes of a packet.
pub enum Treatment {
    Passes,
    /// It comes so much later; others may overtake it.
    Late(Duration),
    /// Every byte comes by itself.
    ByteByByte,
    /// These bytes come in its place.
    Instead(Vec<u8>),
    /// These bytes, and never any more; the link stays open.
    Hangs(Vec<u8>),
    /// The link ends.
    Closes,
}

/// How clients come in; by default over TCP alone.
#[derive(Clone, Default)]
pub struct Entrance {
    pub tls: Option<TlsAcceptor>,
    pub websocket: bool,
}

/// Listens on a free port of loopback; the thread ends with the test's process.
pub fn relay(nature: impl Nature, entrance: Entrance) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(LocalSet::new().run_until(async {
            let nature = Rc::new(nature);
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let broker = Broker::start(Config::default()).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let (near, far) = broker::pipe::pipe();
                broker.attach(far);
                let (nature, entrance) = (Rc::clone(&nature), entrance.clone());
                spawn_local(async move {
                    match entrance.tls {
                        None => enter(nature, stream, entrance.websocket, near).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                enter(nature, stream, entrance.websocket, near).await;
                            }
                        }
                    }
                });
            }
        }));
    });
    address
}

async fn enter<S>(nature: Rc<impl Nature>, stream: S, websocket: bool, near: End)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if websocket {
        return enter_by_websocket(nature, stream, near).await;
    }
    let (from_client, mut to_client) = tokio::io::split(stream);
    let out = async |mut sent: UnboundedReceiver<Vec<u8>>| {
        while let Some(bytes) = sent.recv().await {
            if to_client.write_all(&bytes).await.is_err() || to_client.flush().await.is_err() {
                return;
            }
            // The next byte in a segment of its own.
            tokio::task::yield_now().await;
        }
    };
    carry(nature, from_client, out, near).await;
}

/// Each write is a frame of its own. An end comes without a word: the link is dropped.
async fn enter_by_websocket<S>(nature: Rc<impl Nature>, stream: S, near: End)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    #[expect(
        clippy::result_large_err,
        reason = "the library's callback has this signature"
    )]
    let speaks_mqtt = |_: &Request, mut response: Response| {
        let mqtt = HeaderValue::from_static("mqtt");
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, mqtt);
        Ok(response)
    };
    let Ok(frames) = tokio_tungstenite::accept_hdr_async(stream, speaks_mqtt).await else {
        return;
    };
    let (mut to_client, mut frames) = frames.split();
    let (from_client, mut unwrapped) = tokio::io::duplex(64 * 1024);
    let unwrap = async {
        while let Some(Ok(frame)) = frames.next().await {
            if unwrapped.write_all(&frame.into_data()).await.is_err() {
                return;
            }
        }
    };
    let out = async |mut sent: UnboundedReceiver<Vec<u8>>| {
        while let Some(bytes) = sent.recv().await {
            if to_client.send(Message::binary(bytes)).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = unwrap => {}
        () = carry(nature, from_client, out, near) => {}
    }
}

async fn carry(
    nature: Rc<impl Nature>,
    mut from_client: impl AsyncRead + Unpin,
    out: impl AsyncFnOnce(UnboundedReceiver<Vec<u8>>),
    near: End,
) {
    let (mut from_broker, mut to_broker) = tokio::io::split(near);
    let (frames, sent) = mpsc::unbounded_channel::<Vec<u8>>();
    let version = Cell::new(Version::V3_1_1);
    let provoked = Cell::new(false);
    let upwards = async {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(taken @ 1..) = from_client.read(&mut buffer).await {
            let bytes = &buffer[..taken];
            if bytes[0] == 0x10 && bytes.get(8) == Some(&5) {
                version.set(Version::V5_0);
            }
            provoked.set(provoked.get() || nature.provoked(bytes));
            if to_broker.write_all(bytes).await.is_err() {
                return;
            }
        }
    };
    let downwards = async {
        let mut buffer = Vec::new();
        while let Ok(1..) = from_broker.read_buf(&mut buffer).await {
            while let Ok(Split::Complete { frame, .. }) = codec::split(
                &buffer,
                version.get(),
                Direction::ToClient,
                MAXIMUM_PACKET_SIZE,
            ) {
                let packet = frame.as_bytes().to_vec();
                buffer.drain(..packet.len());
                match nature.treats(&packet, version.get(), provoked.get()) {
                    Treatment::Passes => put(&frames, packet),
                    Treatment::Instead(bytes) => put(&frames, bytes),
                    Treatment::ByteByByte => {
                        for byte in packet {
                            put(&frames, vec![byte]);
                        }
                    }
                    Treatment::Late(period) => {
                        let frames = frames.clone();
                        spawn_local(async move {
                            sleep(period).await;
                            put(&frames, packet);
                        });
                    }
                    Treatment::Hangs(bytes) => {
                        put(&frames, bytes);
                        std::future::pending::<()>().await;
                    }
                    Treatment::Closes => return,
                }
            }
        }
    };
    tokio::select! {
        () = upwards => {}
        () = downwards => {}
        () = out(sent) => {}
    }
}

fn put(frames: &UnboundedSender<Vec<u8>>, bytes: Vec<u8>) {
    // Nobody receives any more once the link is over.
    let _ = frames.send(bytes);
}
