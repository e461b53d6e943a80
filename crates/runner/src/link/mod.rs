//! [`Link`]: one client's connection to the target, over TCP or in memory, as it is or as a WebSocket.

mod segments;
mod transport;
mod upgrade;
mod websocket;

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub use segments::Segments;
pub use transport::{Transport, UnknownTransport};
pub use upgrade::{UpgradeError, Upgraded};
pub use websocket::{FrameKind, Frames, WrongFrame};

use upgrade::Upgrade;
use websocket::{Received, WebSocket};

/// How many bytes one read takes at most.
const READ_SIZE: usize = 16 * 1024;

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
}

/// One client's connection.
///
/// Reading is cancel-safe: a read that is dropped has taken nothing.
#[derive(Debug)]
pub struct Link {
    stream: Option<Stream>,
    segments: Segments,
    /// What [`Segments::Coalesced`] holds back until the next read or the end.
    held: Vec<u8>,
    websocket: Option<WebSocket>,
    upgraded: Option<Upgraded>,
}

#[derive(Debug)]
enum Stream {
    Pipe(broker::pipe::End),
    Tcp(TcpStream),
}

/// Calls the same method on whichever stream it is.
macro_rules! each {
    ($stream:expr, $inner:ident => $call:expr) => {
        match $stream {
            Stream::Pipe($inner) => $call,
            Stream::Tcp($inner) => $call,
        }
    };
}

impl Link {
    pub(crate) fn pipe(end: broker::pipe::End, options: &LinkOptions) -> Self {
        Self::over(Stream::Pipe(end), options)
    }

    pub(crate) fn tcp(stream: TcpStream, options: &LinkOptions) -> io::Result<Self> {
        // Segments are the scenario's choice, not Nagle's.
        stream.set_nodelay(true)?;
        Ok(Self::over(Stream::Tcp(stream), options))
    }

    fn over(stream: Stream, options: &LinkOptions) -> Self {
        Self {
            stream: Some(stream),
            segments: options.segments,
            held: Vec::new(),
            websocket: None,
            upgraded: None,
        }
    }

    /// Makes a WebSocket of the link, at `path` of the server that is called `host`.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] with an [`UpgradeError`] when the server opens none.
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

    /// Sends all of `bytes`.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_as(bytes, FrameKind::Binary).await
    }

    /// Sends all of `bytes`; in frames of this kind, if the link is a WebSocket.
    pub async fn write_as(&mut self, bytes: &[u8], kind: FrameKind) -> io::Result<()> {
        let Some(websocket) = &mut self.websocket else {
            return self.put(bytes).await;
        };
        let wire = websocket.wrap(bytes, kind);
        if self.segments != Segments::Coalesced {
            // The rest of a frame that reading has begun to send.
            self.drain().await?;
        }
        self.put(&wire).await
    }

    /// Puts bytes on the wire, in segments.
    async fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let segments = self.segments;
        match segments {
            Segments::Whole => {
                let stream = self.stream()?;
                each!(stream, inner => inner.write_all(bytes).await)
            }
            Segments::Bytes => {
                let stream = self.stream()?;
                for byte in bytes {
                    each!(&mut *stream, inner => inner.write_all(&[*byte]).await)?;
                }
                Ok(())
            }
            Segments::Coalesced => {
                self.stream()?;
                self.held.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// Appends what has arrived to `buffer` and says how many bytes that were; waits for at least one.
    ///
    /// 0 is the target's FIN, [`io::ErrorKind::ConnectionReset`] its RST.
    pub async fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        loop {
            if let Some(websocket) = &mut self.websocket {
                match websocket.receive(buffer).map_err(invalid)? {
                    Received::Bytes(0) => {}
                    Received::Bytes(count) => return Ok(count),
                    Received::Closed => {
                        let _ = self.release().await;
                        return Ok(0);
                    }
                }
            }
            // A failure to send what was held back shows in the read as well, with the better error.
            let _ = self.release().await;
            let stream = self.stream.as_mut().ok_or_else(ended)?;
            let arriving = match &mut self.websocket {
                Some(websocket) => &mut websocket.incoming,
                None => &mut *buffer,
            };
            arriving.reserve(READ_SIZE);
            let count = each!(stream, inner => inner.read_buf(arriving).await)?;
            if count == 0 || self.websocket.is_none() {
                return Ok(count);
            }
        }
    }

    /// Ends the write side only (FIN, behind the Close frame of a WebSocket); the target's bytes can still be read.
    pub async fn half_close(&mut self) -> io::Result<()> {
        if let Some(websocket) = &mut self.websocket {
            websocket.close();
        }
        self.release().await?;
        let stream = self.stream()?;
        each!(stream, inner => inner.shutdown().await)
    }

    /// Ends the connection in both directions (FIN).
    pub async fn close(&mut self) -> io::Result<()> {
        let ended = self.half_close().await;
        if let Some(Stream::Tcp(stream)) = self.stream.take() {
            // Unread bytes would turn the FIN into an RST.
            let mut rest = [0; READ_SIZE];
            while matches!(stream.try_read(&mut rest), Ok(taken) if taken > 0) {}
        }
        ended
    }

    /// Ends the connection with an RST.
    ///
    /// # Errors
    /// Fails when the link has been ended before.
    pub fn reset(&mut self) -> io::Result<()> {
        self.held.clear();
        match self.stream.take() {
            Some(Stream::Pipe(end)) => {
                end.reset();
                Ok(())
            }
            Some(Stream::Tcp(stream)) => stream.set_zero_linger(),
            None => Err(ended()),
        }
    }

    /// Sends whatever was held back.
    async fn release(&mut self) -> io::Result<()> {
        if let Some(websocket) = &mut self.websocket {
            self.held.extend(websocket.release());
        }
        self.drain().await
    }

    async fn drain(&mut self) -> io::Result<()> {
        while !self.held.is_empty() {
            let Some(stream) = &mut self.stream else {
                return Err(ended());
            };
            let sent = each!(stream, inner => inner.write(&self.held).await)?;
            self.held.drain(..sent);
        }
        Ok(())
    }

    fn stream(&mut self) -> io::Result<&mut Stream> {
        self.stream.as_mut().ok_or_else(ended)
    }
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn ended() -> io::Error {
    io::Error::new(
        io::ErrorKind::NotConnected,
        "this side has ended the connection",
    )
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// A link over TCP and the stream at its other end.
    async fn over_tcp(segments: Segments) -> (Link, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (far, _) = listener.accept().await.unwrap();
        let options = LinkOptions {
            segments,
            ..LinkOptions::default()
        };
        (Link::tcp(near, &options).unwrap(), far)
    }

    fn in_memory(segments: Segments) -> (Link, broker::pipe::End) {
        let (near, far) = broker::pipe::pipe();
        let options = LinkOptions {
            segments,
            ..LinkOptions::default()
        };
        (Link::pipe(near, &options), far)
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
        if let Some(Stream::Tcp(stream)) = &link.stream {
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
        far.write_all(b"answer").await.unwrap();
        link.read(&mut Vec::new()).await.unwrap();
        assert_eq!(far.read(&mut buffer).await.unwrap(), 5);
    }
}
