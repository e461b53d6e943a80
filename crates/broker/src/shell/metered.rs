//! A link that counts what it has brought and what waits to become a whole WebSocket frame.
//!
//! The core bounds packets that have come in part. It does not see those whose frame has not ended; they are bounded
//! here in the same way.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The bytes of frames that have come in part, over all connections.
#[derive(Debug)]
pub(super) struct Account {
    held: AtomicUsize,
    most: usize,
}

impl Account {
    /// Nothing yet, and at most so many bytes.
    pub(super) fn of(most: usize) -> Arc<Self> {
        Arc::new(Self {
            held: AtomicUsize::new(0),
            most,
        })
    }

    /// How many bytes there are.
    #[cfg(test)]
    fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }
}

/// A link whose bytes are counted until they are settled.
#[derive(Debug)]
pub(super) struct Metered<S> {
    stream: S,
    held: usize,
    most: usize,
    all: Arc<Account>,
}

impl<S> Metered<S> {
    /// A link on which at most so many bytes may wait to be settled.
    pub(super) fn new(stream: S, most: usize, all: Arc<Account>) -> Self {
        Self {
            stream,
            held: 0,
            most,
            all,
        }
    }

    /// What has come is whole and was passed on.
    pub(super) fn settle(&mut self) {
        self.all.held.fetch_sub(self.held, Ordering::Relaxed);
        self.held = 0;
    }

    /// Lets more bytes wait from now on.
    pub(super) fn allow(&mut self, most: usize) {
        self.most = self.most.max(most);
    }

    fn count(&mut self, bytes: usize) -> io::Result<()> {
        self.held += bytes;
        let all = self.all.held.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if self.held > self.most || all > self.all.most {
            let told = "too much of a WebSocket frame has come in part (v5.0/U50-4.13.1-2)";
            return Err(io::Error::new(io::ErrorKind::InvalidData, told));
        }
        Ok(())
    }
}

impl<S> Drop for Metered<S> {
    fn drop(&mut self) {
        self.settle();
    }
}

impl<S> AsyncRead for Metered<S>
where
    S: AsyncRead + Unpin,
{
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        Poll::Ready(self.count(buffer.filled().len() - before))
    }
}

impl<S> AsyncWrite for Metered<S>
where
    S: AsyncWrite + Unpin,
{
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_holds_counts_for_all_until_it_is_gone() {
        let all = Account::of(100);
        let mut one = Metered::new((), 60, Arc::clone(&all));
        let mut other = Metered::new((), 60, Arc::clone(&all));
        assert!(one.count(60).is_ok());
        assert!(one.count(1).is_err());
        assert!(other.count(50).is_err());
        one.settle();
        assert!(other.count(10).is_ok());
        one.allow(90);
        assert!(one.count(40).is_ok());
        assert!(one.count(1).is_err());
        drop((one, other));
        assert_eq!(all.held(), 0);
    }
}
