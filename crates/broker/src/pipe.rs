//! An in-memory link: a pair of ends that carry bytes as a socket does, but keep the segments as they were written.
//!
//! A read returns bytes of one segment only, so a reader sees the boundaries that the writer chose. Shutting
//! down an end closes its direction alone (the peer reads to the end and may still write); [`End::reset`] breaks
//! the link (the peer reads `ConnectionReset`). What a direction holds is bounded, as a socket's buffers are.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How many bytes a direction of [`pipe`] holds before its writer waits.
pub const CAPACITY: usize = 256 * 1024;

/// A pair of connected ends.
pub fn pipe() -> (End, End) {
    pipe_holding(CAPACITY)
}

/// A pair of connected ends; each direction holds `capacity` bytes (at least one) before its writer waits.
pub fn pipe_holding(capacity: usize) -> (End, End) {
    let shared = Arc::new(Mutex::new(Link {
        directions: [Direction::default(), Direction::default()],
        capacity: capacity.max(1),
        broken: false,
    }));
    let end = |side| End {
        link: Arc::clone(&shared),
        side,
    };
    (end(0), end(1))
}

/// One end of a pipe. Dropping it closes both directions.
#[derive(Debug)]
pub struct End {
    link: Arc<Mutex<Link>>,
    side: usize,
}

#[derive(Debug)]
struct Link {
    directions: [Direction; 2],
    capacity: usize,
    broken: bool,
}

/// What side 0 writes and side 1 reads, or the other way round.
#[derive(Debug, Default)]
struct Direction {
    segments: VecDeque<Vec<u8>>,
    read: usize,
    held: usize,
    finished: bool,
    abandoned: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Direction {
    fn wake(&mut self) {
        for waker in [self.reader.take(), self.writer.take()]
            .into_iter()
            .flatten()
        {
            waker.wake();
        }
    }
}

impl End {
    /// Breaks the link in both directions, as a TCP reset does: what was not yet read is lost.
    pub fn reset(&self) {
        let mut link = self.link();
        link.broken = true;
        for direction in &mut link.directions {
            direction.segments.clear();
            direction.held = 0;
            direction.wake();
        }
    }

    /// Waits until the other end has read all that was written, or will never read it.
    pub async fn drained(&self) {
        poll_fn(|context| {
            let mut link = self.link();
            let broken = link.broken;
            let outgoing = &mut link.directions[self.side];
            if broken || outgoing.abandoned || outgoing.segments.is_empty() {
                return Poll::Ready(());
            }
            outgoing.writer = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for End {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut link = self.link();
        if link.broken {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let incoming = &mut link.directions[1 - self.side];
        let Some(segment) = incoming.segments.front() else {
            if incoming.finished {
                return Poll::Ready(Ok(()));
            }
            incoming.reader = Some(context.waker().clone());
            return Poll::Pending;
        };
        let count = buffer.remaining().min(segment.len() - incoming.read);
        buffer.put_slice(&segment[incoming.read..incoming.read + count]);
        incoming.read += count;
        if incoming.read == segment.len() {
            incoming.segments.pop_front();
            incoming.read = 0;
        }
        incoming.held -= count;
        if let Some(writer) = incoming.writer.take() {
            writer.wake();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for End {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut link = self.link();
        if link.broken {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let capacity = link.capacity;
        let outgoing = &mut link.directions[self.side];
        if outgoing.finished || outgoing.abandoned {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let count = bytes.len().min(capacity.saturating_sub(outgoing.held));
        if count == 0 {
            outgoing.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        outgoing.segments.push_back(bytes[..count].to_vec());
        outgoing.held += count;
        if let Some(reader) = outgoing.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut link = self.link();
        let outgoing = &mut link.directions[self.side];
        outgoing.finished = true;
        outgoing.wake();
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let mut link = self.link();
        let outgoing = &mut link.directions[self.side];
        outgoing.finished = true;
        outgoing.wake();
        let incoming = &mut link.directions[1 - self.side];
        incoming.abandoned = true;
        incoming.segments.clear();
        incoming.held = 0;
        incoming.read = 0;
        incoming.wake();
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn segments_stay_as_they_were_written() {
        let (mut near, mut far) = pipe();
        near.write_all(b"ab").await.unwrap();
        near.write_all(b"cde").await.unwrap();
        let mut buffer = [0; 16];
        assert_eq!(far.read(&mut buffer).await.unwrap(), 2);
        assert_eq!(far.read(&mut buffer[..1]).await.unwrap(), 1);
        assert_eq!(far.read(&mut buffer).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_half_closed_link_still_carries_the_other_direction() {
        let (mut near, mut far) = pipe();
        near.write_all(b"last").await.unwrap();
        near.shutdown().await.unwrap();
        let mut read = Vec::new();
        far.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"last");
        far.write_all(b"answer").await.unwrap();
        let mut buffer = [0; 16];
        assert_eq!(near.read(&mut buffer).await.unwrap(), 6);
        let error = near.write_all(b"more").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[tokio::test]
    async fn a_reset_link_is_lost_at_once_with_what_it_held() {
        let (mut near, mut far) = pipe();
        near.write_all(b"lost").await.unwrap();
        near.reset();
        let error = far.read(&mut [0; 4]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        let error = far.write_all(b"x").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn a_dropped_end_finishes_reading_and_refuses_writing() {
        let (mut near, mut far) = pipe();
        near.write_all(b"bye").await.unwrap();
        drop(near);
        let mut read = Vec::new();
        far.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"bye");
        let error = far.write_all(b"x").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[tokio::test]
    async fn a_full_direction_makes_its_writer_wait() {
        let (mut near, mut far) = pipe_holding(4);
        let writing = tokio::spawn(async move { near.write_all(b"abcdefgh").await });
        let mut read = [0; 8];
        far.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"abcdefgh");
        writing.await.unwrap().unwrap();
    }
}
