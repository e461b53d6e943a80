//! [`Stream`]: the stream that a link runs on, and how it is broken off.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio_rustls::client::TlsStream;

/// What bytes travel on.
#[derive(Debug)]
pub(crate) enum Wire {
    Pipe(broker::pipe::End),
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// A wire, encrypted or not.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(Wire),
    Tls(Box<TlsStream<Wire>>),
}

impl Wire {
    /// Breaks it off: an RST, and where the wire knows none, an end without a word.
    pub(crate) fn reset(self) -> io::Result<()> {
        match self {
            Self::Pipe(end) => {
                end.reset();
                Ok(())
            }
            Self::Tcp(stream) => stream.set_zero_linger(),
            #[cfg(unix)]
            Self::Unix(_) => Ok(()),
        }
    }

    /// Takes what has arrived and nobody read: left where it is, it would turn the end of the stream into an RST.
    fn discard(&self) {
        let mut rest = [0; 4096];
        match self {
            Self::Pipe(_) => {}
            Self::Tcp(stream) => {
                while matches!(stream.try_read(&mut rest), Ok(taken) if taken > 0) {}
            }
            #[cfg(unix)]
            Self::Unix(stream) => {
                while matches!(stream.try_read(&mut rest), Ok(taken) if taken > 0) {}
            }
        }
    }
}

impl Stream {
    /// Breaks it off.
    pub(super) fn reset(self) -> io::Result<()> {
        match self {
            Self::Plain(wire) => wire.reset(),
            Self::Tls(stream) => stream.into_inner().0.reset(),
        }
    }

    /// Lets go of a stream whose own direction has been shut down.
    pub(super) fn release(self) {
        match self {
            Self::Plain(wire) => wire.discard(),
            Self::Tls(stream) => stream.get_ref().0.discard(),
        }
    }
}

/// Calls the same method on whichever stream it is.
macro_rules! each_wire {
    ($wire:expr, $inner:ident => $call:expr) => {
        match $wire {
            Wire::Pipe($inner) => $call,
            Wire::Tcp($inner) => $call,
            #[cfg(unix)]
            Wire::Unix($inner) => $call,
        }
    };
}

macro_rules! each_stream {
    ($stream:expr, $inner:ident => $call:expr) => {
        match $stream {
            Stream::Plain($inner) => $call,
            Stream::Tls($inner) => $call,
        }
    };
}

macro_rules! forward {
    ($type:ty, $each:ident) => {
        impl AsyncRead for $type {
            fn poll_read(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                buffer: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                $each!(self.get_mut(), inner => Pin::new(inner).poll_read(context, buffer))
            }
        }

        impl AsyncWrite for $type {
            fn poll_write(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                $each!(self.get_mut(), inner => Pin::new(inner).poll_write(context, bytes))
            }

            fn poll_flush(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
            ) -> Poll<io::Result<()>> {
                $each!(self.get_mut(), inner => Pin::new(inner).poll_flush(context))
            }

            fn poll_shutdown(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
            ) -> Poll<io::Result<()>> {
                $each!(self.get_mut(), inner => Pin::new(inner).poll_shutdown(context))
            }
        }
    };
}

forward!(Wire, each_wire);
forward!(Stream, each_stream);
