//! [`Link`]: one client's connection to the target, over whatever transport, as it is or as a WebSocket.
//!
//! A link is read while it is written to: a target may wait with reading until it has been read. Bytes leave through
//! [`Outgoing`], over the stream of `wire`, which may be encrypted (`tls`) and lead through a slow `network`.

mod conditions;
mod network;
mod outgoing;
mod segments;
mod tls;
mod transport;
mod upgrade;
mod way;
mod websocket;
mod wire;

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Sleep, sleep};

pub use conditions::{Conditions, LinkKind, Loss};
pub use segments::Segments;
pub use tls::{HandshakeError, Tls, TlsError, TlsFiles};
pub use transport::{Transport, UnknownTransport};
pub use upgrade::{UpgradeError, Upgraded};
pub use way::{Axes, Way};
pub use websocket::{FrameKind, Frames, WrongFrame, read_frames, write_frames};

use outgoing::Outgoing;
use upgrade::Upgrade;
use websocket::{Received, WebSocket};
use wire::Stream;
pub(crate) use wire::Wire;

/// How many bytes one read takes at most.
const READ_SIZE: usize = 16 * 1024;
/// How many bytes are read ahead of whoever only writes: far more than any target holds back until it is read.
const READ_AHEAD: usize = 64 << 20;

/// How long what is to be coalesced is held back.
const HELD: Duration = Duration::from_millis(5);

/// How a link is to be opened.
#[derive(Debug, Clone, Default)]
pub struct LinkOptions {
    /// The transport; the target's own where absent.
    pub transport: Option<Transport>,
    /// How writes become segments; those of a WebSocket, how its frames do.
    pub segments: Segments,
    /// How writes become the frames of a WebSocket.
    pub frames: Frames,
    /// The subprotocols that a WebSocket offers; `mqtt` where absent.
    pub offer: Option<Vec<String>>,
    /// The network on the way; none where absent.
    pub conditions: Option<Conditions>,
    /// How many connections the case has opened before this one.
    pub earlier: u32,
}

impl LinkOptions {
    /// Whether this connection is to be lost once before it is used, and when it is opened again then.
    pub(crate) fn lost_opening(&self) -> Option<Duration> {
        let loss = self.conditions?.loss?;
        let breaks_off = (self.earlier + 1).is_multiple_of(loss.opening.max(1));
        breaks_off.then_some(loss.reopened)
    }
}

/// The size of a TLS record that holds a single byte: header, byte, content type and tag (RFC 8446 section 5.2; 1.2 adds
/// the explicit nonce).
const RECORD: usize = 30;

/// One client's connection.
///
/// All its methods are cancel-safe but [`Self::upgrade`]: what is dropped has taken nothing, and goes on later.
#[derive(Debug)]
pub struct Link {
    stream: Option<Stream>,
    outgoing: Outgoing,
    /// How many bytes travel for each one that is written, at most.
    overhead: usize,
    /// When what is held back goes out, for more to go with it.
    release: Option<Pin<Box<Sleep>>>,
    /// Whether something was put that nobody knows to be sent.
    sending: bool,
    /// What has arrived and nobody has taken.
    arrived: Vec<u8>,
    /// How the target's direction has ended.
    ended: Option<io::Result<()>>,
    websocket: Option<WebSocket>,
    upgraded: Option<Upgraded>,
}

/// What one [`Link::turn`] has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// So many bytes were read; 0 is the target's FIN.
    Read(usize),
    /// All that was put is sent, or can never be.
    Sent,
}

impl Link {
    /// A link over a wire to the server that is called `host`.
    ///
    /// # Errors
    /// The encryption does not come about: [`Tls::encrypt`].
    pub(crate) async fn over(
        wire: Wire,
        host: &str,
        tls: Option<&Tls>,
        options: &LinkOptions,
    ) -> io::Result<Self> {
        let wire = match options.conditions {
            Some(conditions) => network::before(wire, conditions),
            None => wire,
        };
        let stream = match tls {
            Some(tls) => {
                let websocket = options.transport.is_some_and(Transport::is_websocket);
                tls.encrypt(wire, host, websocket).await?
            }
            None => Stream::Plain(wire),
        };
        let mut link = Self::on(stream);
        if tls.is_some() && options.segments == Segments::Bytes {
            link.overhead = RECORD;
        }
        if !options.transport.is_some_and(Transport::is_websocket) {
            link.outgoing.cut(options.segments);
        }
        Ok(link)
    }

    /// How many bytes travel for each one that is written, at most.
    pub(crate) fn overhead(&self) -> usize {
        self.overhead
    }

    /// How many bytes the target's side has taken so far, for who looks on.
    pub(crate) fn taken(&self) -> Arc<AtomicU64> {
        self.outgoing.taken()
    }

    fn on(stream: Stream) -> Self {
        Self {
            stream: Some(stream),
            outgoing: Outgoing::new(),
            overhead: 1,
            release: None,
            sending: false,
            arrived: Vec::new(),
            ended: None,
            websocket: None,
            upgraded: None,
        }
    }

    /// Makes a WebSocket of the link, at `path` of the server that is called `host`.
    ///
    /// # Errors
    /// An [`UpgradeError`] inside when the server opens none.
    pub(crate) async fn upgrade(
        mut self,
        host: &str,
        path: &str,
        options: &LinkOptions,
    ) -> io::Result<Self> {
        let offer = match &options.offer {
            Some(offer) => offer.as_slice(),
            None => &["mqtt".to_owned()],
        };
        let upgrade = Upgrade::new(host, path, offer);
        self.write(&upgrade.request).await?;
        let mut answer = Vec::new();
        loop {
            match upgrade.read(&answer).map_err(invalid)? {
                Some((upgraded, length)) => {
                    self.upgraded = Some(upgraded);
                    // The upgrade is HTTP, and no part of what is tested: it went out whole.
                    self.outgoing.cut(options.segments);
                    self.websocket = Some(WebSocket::new(options.frames, answer.split_off(length)));
                    return Ok(self);
                }
                None if self.read(&mut answer).await? == 0 => {
                    return Err(invalid(UpgradeError::Ended));
                }
                None => {}
            }
        }
    }

    /// What the server said when it opened a WebSocket; none on a plain stream.
    pub fn upgraded(&self) -> Option<&Upgraded> {
        self.upgraded.as_ref()
    }

    /// Takes bytes that are to be sent by the next [`Self::turn`]s; in frames of this kind, if the link is a WebSocket.
    pub fn put(&mut self, bytes: &[u8], kind: FrameKind) {
        let wire = match &mut self.websocket {
            Some(websocket) => websocket.wrap(bytes, kind),
            None => bytes.to_vec(),
        };
        self.outgoing.put(wire);
        self.sending = true;
        let joining = self.websocket.as_ref().is_some_and(WebSocket::holds);
        if joining || self.outgoing.holds() {
            self.release.get_or_insert_with(|| Box::pin(sleep(HELD)));
        }
    }

    /// Ends the write side (FIN, behind the Close frame of a WebSocket) once all that was put is sent.
    pub fn put_end(&mut self) {
        if let Some(websocket) = &mut self.websocket {
            websocket.close();
            self.outgoing.put(websocket.release());
        }
        self.release = None;
        self.outgoing.finish();
        self.sending = true;
    }

    /// Writes and reads until one of them has come to something. What is read is appended to `buffer`.
    ///
    /// # Errors
    /// [`io::ErrorKind::ConnectionReset`] is the target's RST; a [`WrongFrame`] may be inside. That something cannot
    /// be written shows in what is read.
    pub async fn turn(&mut self, buffer: &mut Vec<u8>) -> io::Result<Turn> {
        poll_fn(|context| {
            loop {
                let taken = self.take(buffer);
                self.reply();
                if let Some(count) = taken? {
                    if count == 0 {
                        // The target's farewell is answered, if that can be.
                        let _ = self.poll_send(context);
                    }
                    return Poll::Ready(Ok(Turn::Read(count)));
                }
                let sent = self.poll_send(context);
                if self.sending && sent.is_ready() {
                    self.sending = false;
                    return Poll::Ready(Ok(Turn::Sent));
                }
                ready!(self.poll_fill(context));
            }
        })
        .await
    }

    /// Sends all of `bytes`.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream()?;
        self.put(bytes, FrameKind::Binary);
        self.send().await
    }

    /// Sends all that was put.
    pub async fn send(&mut self) -> io::Result<()> {
        poll_fn(|context| {
            loop {
                if let Poll::Ready(sent) = self.poll_send(context) {
                    self.sending = false;
                    return Poll::Ready(sent);
                }
                if self.ended.is_some() || self.arrived.len() > READ_AHEAD {
                    return Poll::Pending;
                }
                ready!(self.poll_fill(context));
            }
        })
        .await
    }

    /// Appends what has arrived to `buffer` and says how many bytes that were; waits for at least one.
    ///
    /// 0 is the target's FIN, [`io::ErrorKind::ConnectionReset`] its RST.
    pub async fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        loop {
            if let Turn::Read(count) = self.turn(buffer).await? {
                return Ok(count);
            }
        }
    }

    /// Ends the write side only; the target's bytes can still be read.
    pub async fn half_close(&mut self) -> io::Result<()> {
        self.stream()?;
        self.put_end();
        self.send().await
    }

    /// Ends the connection in both directions (FIN).
    pub async fn close(&mut self) -> io::Result<()> {
        let ended = self.half_close().await;
        if let Some(stream) = self.stream.take() {
            stream.release();
        }
        ended
    }

    /// Ends the connection with an RST; on a Unix socket, which has none, without a word.
    ///
    /// # Errors
    /// Fails when the link has been ended before.
    pub fn reset(&mut self) -> io::Result<()> {
        self.stream.take().ok_or_else(gone)?.reset()
    }

    /// Takes what has arrived; none as long as that is nothing.
    fn take(&mut self, buffer: &mut Vec<u8>) -> io::Result<Option<usize>> {
        if let Some(websocket) = &mut self.websocket {
            websocket.incoming.append(&mut self.arrived);
            match websocket.receive(buffer).map_err(invalid)? {
                Received::Bytes(0) => {}
                Received::Bytes(count) => return Ok(Some(count)),
                Received::Closed => return Ok(Some(0)),
            }
        } else if !self.arrived.is_empty() {
            let count = self.arrived.len();
            buffer.append(&mut self.arrived);
            return Ok(Some(count));
        }
        match self.ended.take() {
            None => Ok(None),
            Some(Ok(())) => {
                self.ended = Some(Ok(()));
                Ok(Some(0))
            }
            Some(Err(error)) => {
                self.ended = Some(Err(error.kind().into()));
                Err(error)
            }
        }
    }

    /// Puts what a WebSocket has to say by itself.
    fn reply(&mut self) {
        if let Some(websocket) = &mut self.websocket {
            self.outgoing.put(websocket.replies());
        }
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let due = self.release.as_mut();
        if due.is_some_and(|release| release.as_mut().poll(context).is_ready()) {
            self.release = None;
            if let Some(websocket) = &mut self.websocket {
                self.outgoing.put(websocket.release());
            }
            self.outgoing.let_go();
        }
        match &mut self.stream {
            Some(stream) => self.outgoing.poll(context, stream),
            None => Poll::Ready(Err(gone())),
        }
    }

    /// Reads once.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(stream) = &mut self.stream else {
            self.ended = Some(Err(gone()));
            return Poll::Ready(());
        };
        let before = self.arrived.len();
        self.arrived.resize(before + READ_SIZE, 0);
        let mut buffer = ReadBuf::new(&mut self.arrived[before..]);
        let read = Pin::new(stream).poll_read(context, &mut buffer);
        let count = buffer.filled().len();
        self.arrived.truncate(before + count);
        match ready!(read) {
            Ok(()) if count > 0 => {}
            Ok(()) => self.ended = Some(Ok(())),
            // An end without the farewell of TLS: MQTT knows by itself where its packets end.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.ended = Some(Ok(()));
            }
            Err(error) => self.ended = Some(Err(error)),
        }
        Poll::Ready(())
    }

    fn stream(&mut self) -> io::Result<&mut Stream> {
        self.stream.as_mut().ok_or_else(gone)
    }
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn gone() -> io::Error {
    io::Error::new(
        io::ErrorKind::NotConnected,
        "this side has ended the connection",
    )
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// A link over TCP and the stream at its other end.
    async fn over_tcp(segments: Segments) -> (Link, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (far, _) = listener.accept().await.unwrap();
        (link(Wire::Tcp(near), segments), far)
    }

    fn in_memory(segments: Segments) -> (Link, broker::pipe::End) {
        let (near, far) = broker::pipe::pipe();
        (link(Wire::Pipe(near), segments), far)
    }

    fn link(wire: Wire, segments: Segments) -> Link {
        let mut link = Link::on(Stream::Plain(wire));
        link.outgoing.cut(segments);
        link
    }

    #[tokio::test]
    async fn a_half_closed_link_still_reads() {
        let (mut link, mut far) = over_tcp(Segments::Whole).await;
        link.write(b"last").await.unwrap();
        link.half_close().await.unwrap();
        let mut read = Vec::new();
        far.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"last");
        far.write_all(b"answer").await.unwrap();
        let mut answer = Vec::new();
        assert_eq!(link.read(&mut answer).await.unwrap(), 6);
        drop(far);
        assert_eq!(
            link.read(&mut answer).await.unwrap(),
            0,
            "FIN reads as 0 bytes"
        );
    }

    #[tokio::test]
    async fn closing_is_a_fin_even_with_unread_bytes() {
        let (mut link, mut far) = over_tcp(Segments::Whole).await;
        far.write_all(b"nobody reads this").await.unwrap();
        // Loopback delivers at once, but only a readable socket proves it.
        if let Some(Stream::Plain(Wire::Tcp(stream))) = &link.stream {
            stream.readable().await.unwrap();
        }
        link.close().await.unwrap();
        assert_eq!(far.read(&mut [0; 8]).await.unwrap(), 0);
        assert_eq!(
            link.write(b"x").await.unwrap_err().kind(),
            io::ErrorKind::NotConnected
        );
    }

    #[tokio::test]
    async fn a_reset_is_an_rst() {
        let (mut link, mut far) = over_tcp(Segments::Whole).await;
        link.reset().unwrap();
        let error = far.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);

        let (mut link, mut far) = in_memory(Segments::Whole);
        link.reset().unwrap();
        let error = far.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn segments_are_those_that_were_asked_for() {
        let mut buffer = [0; 16];
        let (mut link, mut far) = in_memory(Segments::Bytes);
        link.write(b"abc").await.unwrap();
        for _ in 0..3 {
            assert_eq!(far.read(&mut buffer).await.unwrap(), 1);
        }
        let (mut link, mut far) = in_memory(Segments::Coalesced);
        link.write(b"abc").await.unwrap();
        link.write(b"de").await.unwrap();
        let mut answer = Vec::new();
        let answering = async {
            assert_eq!(far.read(&mut buffer).await.unwrap(), 5);
            far.write_all(b"answer").await.unwrap();
        };
        let (read, ()) = tokio::join!(link.read(&mut answer), answering);
        assert_eq!(read.unwrap(), 6);
    }

    /// As much as no pipe and no pair of sockets holds.
    const MUCH: usize = 32 << 20;

    #[tokio::test]
    async fn a_target_that_stops_reading_until_it_is_read_is_read() {
        let (near, mut far) = over_tcp(Segments::Whole).await;
        let mut link = near;
        let serving = async {
            far.write_all(&vec![7; MUCH]).await.unwrap();
            let mut rest = vec![0; MUCH];
            far.read_exact(&mut rest).await.unwrap();
        };
        let much = vec![8; MUCH];
        let (written, ()) = tokio::join!(link.write(&much), serving);
        written.unwrap();
        let mut read = Vec::new();
        while read.len() < MUCH {
            link.read(&mut read).await.unwrap();
        }
        assert_eq!(read.len(), MUCH);
    }

    #[tokio::test]
    async fn a_turn_brings_what_comes_while_something_is_written() {
        let (mut link, mut far) = in_memory(Segments::Whole);
        far.write_all(b"early").await.unwrap();
        link.put(&vec![8; broker::pipe::CAPACITY + 1], FrameKind::Binary);
        let mut read = Vec::new();
        assert_eq!(link.turn(&mut read).await.unwrap(), Turn::Read(5));
        let mut taken = vec![0; broker::pipe::CAPACITY + 1];
        let (turn, _) = tokio::join!(link.turn(&mut read), far.read_exact(&mut taken));
        assert_eq!(turn.unwrap(), Turn::Sent);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_unix_socket_is_a_link_too() {
        let (near, mut far) = tokio::net::UnixStream::pair().unwrap();
        let mut link = link(Wire::Unix(near), Segments::Bytes);
        link.write(b"abc").await.unwrap();
        let mut read = [0; 3];
        far.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"abc");
        far.write_all(b"unread").await.unwrap();
        link.reset().unwrap();
        // Whatever is unread: the target sees an end.
        assert!(matches!(far.read(&mut read).await, Ok(0) | Err(_)));
    }
}
