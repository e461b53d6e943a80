//! [`Outgoing`]: what is still to be written to a link's stream, segment by segment.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::segments::Segments;

/// What is still to be written, in order.
#[derive(Debug)]
pub(super) struct Outgoing {
    segments: Segments,
    queue: VecDeque<Vec<u8>>,
    /// How much of the first in the queue is written.
    written: usize,
    /// What [`Segments::Coalesced`] holds back.
    held: Vec<u8>,
    unflushed: bool,
    /// How many bytes the stream has taken so far.
    taken: Arc<AtomicU64>,
    /// Whether the direction ends behind what is in the queue.
    finishing: bool,
}

impl Outgoing {
    /// Nothing yet, and as it is.
    pub(super) fn new() -> Self {
        Self {
            segments: Segments::Whole,
            queue: VecDeque::new(),
            written: 0,
            held: Vec::new(),
            unflushed: false,
            taken: Arc::default(),
            finishing: false,
        }
    }

    /// How many bytes the stream has taken, for who looks on.
    pub(super) fn taken(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.taken)
    }

    /// From here on, writes become segments like this.
    pub(super) fn cut(&mut self, segments: Segments) {
        self.segments = segments;
    }

    /// Puts bytes behind all that is to be written.
    pub(super) fn put(&mut self, bytes: Vec<u8>) {
        if self.segments == Segments::Coalesced {
            self.held.extend(bytes);
        } else if !bytes.is_empty() {
            self.queue.push_back(bytes);
        }
    }

    /// Whether something is held back.
    pub(super) fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Ends the direction, behind all that is to be written.
    pub(super) fn finish(&mut self) {
        self.let_go();
        self.finishing = true;
    }

    /// Holds nothing back any more.
    pub(super) fn let_go(&mut self) {
        if !self.held.is_empty() {
            self.queue.push_back(std::mem::take(&mut self.held));
        }
    }

    /// Writes as much as the stream takes; ready when it has all that is not held back.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        stream: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<()>> {
        let sent = self.poll_queue(context, stream);
        if matches!(sent, Poll::Ready(Err(_))) {
            // Nothing of it will ever arrive.
            self.queue.clear();
            self.written = 0;
            self.unflushed = false;
            self.finishing = false;
        }
        sent
    }

    fn poll_queue(
        &mut self,
        context: &mut Context<'_>,
        stream: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<()>> {
        while let Some(first) = self.queue.front() {
            let rest = first.get(self.written..).unwrap_or_default();
            let segment = match self.segments {
                Segments::Bytes => rest.get(..1).unwrap_or(rest),
                Segments::Whole | Segments::Coalesced => rest,
            };
            let count = ready!(Pin::new(&mut *stream).poll_write(context, segment))?;
            if count == 0 && !segment.is_empty() {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unflushed = true;
            self.written += count;
            self.taken.fetch_add(count as u64, Ordering::Relaxed);
            if self.written >= first.len() {
                self.queue.pop_front();
                self.written = 0;
            }
            if self.segments == Segments::Bytes {
                // Every byte by itself, even where the stream would join them.
                ready!(Pin::new(&mut *stream).poll_flush(context))?;
                self.unflushed = false;
            }
        }
        if self.unflushed {
            ready!(Pin::new(&mut *stream).poll_flush(context))?;
            self.unflushed = false;
        }
        if self.finishing {
            ready!(Pin::new(&mut *stream).poll_shutdown(context))?;
            self.finishing = false;
        }
        Poll::Ready(Ok(()))
    }
}
