//! Sockets that clients connect to.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;
use tracing::field::Empty;
use tracing::{debug, info_span, warn};

use super::hub::Hub;
use super::{Transport, serve};

/// A socket that listens.
#[derive(Debug)]
#[non_exhaustive]
pub enum Listener {
    /// TCP over IPv4 or IPv6.
    Tcp(TcpListener),
    /// A socket in the file system.
    #[cfg(unix)]
    Unix(UnixListener),
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self::Tcp(listener)
    }
}

#[cfg(unix)]
impl From<UnixListener> for Listener {
    fn from(listener: UnixListener) -> Self {
        Self::Unix(listener)
    }
}

impl Listener {
    /// Waits for the next client and serves it.
    async fn serve_next(&self, hub: &Arc<Hub>, transport: &Transport) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                if let Err(error) = stream.set_nodelay(true) {
                    warn!(%error, "TCP_NODELAY could not be set");
                }
                info_span!("connection", number = Empty, %peer)
                    .in_scope(|| serve::spawn_over(hub, stream, transport));
            }
            #[cfg(unix)]
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                info_span!("connection", number = Empty, peer = "unix")
                    .in_scope(|| serve::spawn_over(hub, stream, transport));
            }
        }
        Ok(())
    }
}

/// Serves every client that connects, in a task of its own, until the broker stops.
pub(super) fn spawn(hub: &Arc<Hub>, listener: Listener, transport: Transport) {
    let hub = Arc::clone(hub);
    tokio::spawn(async move {
        let mut stopping = hub.stopping();
        tokio::select! {
            () = serve_all(&hub, &listener, &transport) => {}
            _ = stopping.wait_for(|&stopping| stopping) => {}
        }
    });
}

async fn serve_all(hub: &Arc<Hub>, listener: &Listener, transport: &Transport) {
    debug!(?listener, "listening");
    loop {
        match listener.serve_next(hub, transport).await {
            Ok(()) => {}
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                warn!(%error, "no connection can be accepted, trying again in 100 ms");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Whether accepting failed because of the one client, rather than for want of file descriptors or memory.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}
