//! The tokio shell: connections, time and back-pressure around the [core](crate::core).
//!
//! Whatever happens is brought to the core at once, under one lock; its actions go to the outboxes of the
//! connections. Each connection is one task that reads and writes, and one task waits for the core's next
//! deadline. All time is tokio's: on a paused runtime it is virtual, and nothing polls.

mod hub;
mod keeping;
mod listen;
mod log;
mod metered;
mod outbox;
mod serve;
mod tls;
mod trace;
mod transport;
mod verifying;
mod websocket;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::Breach;
use crate::config::{Config, ConfigError};
use crate::rules::ClauseSet;
use crate::store::{CommitError, Store};

use hub::Hub;

pub use hub::Kept;
pub use listen::Listener;
pub use tls::{Certificate, Tls, TlsError};
pub use trace::Traced;
pub use transport::Transport;

/// A running broker. Dropping it ends its connections without a word; [`stop`](Self::stop) takes leave of them.
#[derive(Debug)]
pub struct Broker {
    hub: Arc<Hub>,
}

impl Broker {
    /// Starts a broker on the current tokio runtime. It costs one task; nothing is read, nothing listens yet.
    ///
    /// # Errors
    ///
    /// A value of the configuration that cannot be served.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime whose time is enabled.
    pub fn start(config: Config) -> Result<Self, ConfigError> {
        Self::serve(config, Hub::new)
    }

    /// Starts a broker that goes on with what an earlier one has kept, as after a restart. The earlier one must
    /// have ended, or be left to itself.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    ///
    /// # Panics
    ///
    /// As for [`start`](Self::start).
    pub fn start_again(config: Config, kept: Kept) -> Result<Self, ConfigError> {
        Self::serve(config, |config| Hub::again(config, kept))
    }

    /// Starts a broker that goes on with what the store holds, and keeps there what must outlive it. Whatever is
    /// acknowledged was written before. It also costs a thread, which writes.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start), or no thread can be started.
    ///
    /// # Panics
    ///
    /// As for [`start`](Self::start).
    pub fn start_on(mut config: Config, store: Store) -> Result<Self, ConfigError> {
        config.persistent = true;
        Self::serve(config, |config| Hub::keeping(config, store))
    }

    fn serve(
        config: Config,
        hub: impl FnOnce(Config) -> Result<Arc<Hub>, ConfigError>,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let verifies = config.access.has_hashes();
        let hub = hub(config)?;
        tokio::spawn(hub::keep_time(Arc::clone(&hub)));
        if verifies {
            verifying::start(&hub);
        }
        Ok(Self { hub })
    }

    /// Serves one client on a link that is already open: an end of a [`pipe`](crate::pipe::pipe), a socket.
    pub fn attach<S>(&self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.attach_over(stream, &Transport::PLAIN);
    }

    /// Serves one client on a link that is already open, once TLS and the WebSocket of the transport stand on it.
    pub fn attach_over<S>(&self, stream: S, transport: &Transport)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        serve::spawn_over(&self.hub, stream, transport);
    }

    /// Serves every client that connects to the listener, until the broker stops.
    pub fn listen(&self, listener: impl Into<Listener>, transport: Transport) {
        listen::spawn(&self.hub, listener.into(), transport);
    }

    /// Tells from now on every packet that comes or goes, on connections that are opened from now on. The telling is
    /// done on the broker's time: it must not take long, and must not call the broker.
    pub fn trace(&self, sink: impl FnMut(&Traced) + Send + 'static) {
        self.hub.trace(Box::new(sink));
    }

    /// The rules that were consulted so far.
    pub fn consulted(&self) -> ClauseSet {
        self.hub.consulted()
    }

    /// Where packets broke a clause so far, as the codec judges them.
    pub fn breaches(&self) -> BTreeSet<Breach> {
        self.hub.breaches()
    }

    /// Stops listening, tells each client (5.0: DISCONNECT with Server shutting down), and waits until every
    /// connection has ended: at most [`LINGER`](Self::LINGER) for those that do not read. Then closes the store.
    pub async fn stop(&self) {
        self.hub.stop();
        self.hub.all_ended().await;
        self.hub.end_keeping().await;
    }

    /// Waits until the store could not be written, if ever. By then every connection is abandoned: nothing may be
    /// acknowledged that is not kept.
    pub async fn failure(&self) -> Arc<CommitError> {
        self.hub.failure().await
    }

    /// What a store would hold by now: the Sessions that outlive their connections, and the retained messages.
    pub fn kept(&self) -> Kept {
        self.hub.kept()
    }

    /// How long a connection that the broker closes is given to read what was sent to it and to close as well.
    pub const LINGER: Duration = Duration::from_secs(2);
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.hub.abandon();
    }
}
