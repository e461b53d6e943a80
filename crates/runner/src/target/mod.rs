//! [`Target`]: the broker under test, as one case sees it.

mod address;
pub(crate) mod declared;
mod endpoints;
mod facts;
mod features;
pub(crate) mod probe;
pub(crate) mod profile;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

pub use address::{Address, AddressError};
use broker::rules::ClauseSet;
use codec::Version;
pub use declared::Declared;
pub use endpoints::{Endpoints, SameTransport};
pub use facts::{Answer, Authentication, Credentials, Facts};
pub use features::Features;
pub use profile::{Configuration, Profile};
use tokio::net::TcpStream;

use crate::launch::Instance;
use crate::link::{Link, LinkOptions, Transport};

/// The broker under test: how to reach it, and what is known of it.
#[derive(Clone)]
pub struct Target {
    name: String,
    facts: Arc<Facts>,
    reach: Reach,
}

#[derive(Clone)]
enum Reach {
    Memory(Rc<dyn Host>),
    Endpoints(Endpoints, Option<Rc<dyn Restarts>>),
}

/// What the runner has started, and can stop and start again.
pub(crate) trait Restarts {
    /// Stops it, and starts it again with what it has kept.
    fn restart(&self) -> Pin<Box<dyn Future<Output = io::Result<()>> + '_>>;

    /// Kills it, and starts it again with what it has kept.
    fn kill(&self) -> Pin<Box<dyn Future<Output = io::Result<()>> + '_>>;
}

/// Something in this process that serves connections in memory.
pub(crate) trait Host {
    /// Serves one more connection.
    fn attach(&self, end: broker::pipe::End);

    /// Serves one more connection, which opens a WebSocket.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] where it serves none.
    fn attach_websocket(&self, _: broker::pipe::End) -> io::Result<()> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this target opens no WebSocket",
        ))
    }

    /// The rules that its brokers have consulted so far; none on what is no reference broker.
    fn consulted(&self) -> ClauseSet {
        ClauseSet::EMPTY
    }

    /// Stops, and starts again with what has been persisted.
    fn restart(&self) -> Pin<Box<dyn Future<Output = io::Result<()>> + '_>> {
        Box::pin(async { Err(not_ours()) })
    }

    /// Dies without a word, and starts again with what has been persisted.
    fn kill(&self) -> Pin<Box<dyn Future<Output = io::Result<()>> + '_>> {
        Box::pin(async { Err(not_ours()) })
    }
}

fn not_ours() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "this target is not the case's own, so that it cannot be restarted",
    )
}

impl Target {
    pub(crate) fn in_memory(name: &str, facts: Facts, host: Rc<dyn Host>) -> Self {
        Self {
            name: name.to_owned(),
            facts: Arc::new(facts),
            reach: Reach::Memory(host),
        }
    }

    /// The broker at these addresses, of which this is known.
    pub fn at(endpoints: &Endpoints, facts: Arc<Facts>) -> Self {
        Self {
            name: endpoints.first().to_string(),
            facts,
            reach: Reach::Endpoints(endpoints.clone(), None),
        }
    }

    /// The same target under another name.
    pub(crate) fn called(self, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..self
        }
    }

    /// The same target, started once more for one case alone, which may restart it.
    pub fn of_its_own(&self, launched: Rc<Instance>) -> Self {
        Self {
            reach: Reach::Endpoints(launched.endpoints().clone(), Some(launched)),
            ..self.clone()
        }
    }

    /// The target as people know it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it has, and why it has not got the rest.
    pub fn features(&self) -> &Features {
        &self.facts.features
    }

    /// All that is known of it.
    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What every sound CONNECT must carry that gives no User Name itself; none on most targets.
    pub fn credentials(&self) -> Option<&Credentials> {
        self.facts.credentials.as_ref()
    }

    /// How enhanced authentication goes on this target.
    pub fn authentication(&self) -> Option<&Authentication> {
        self.facts.authentication.as_ref()
    }

    /// Why a case cannot be played; none when it can.
    pub fn reason_to_skip(&self, version: Version, requires: &[&str]) -> Option<String> {
        self.facts.reason_to_skip(version, requires)
    }

    /// What `<target.NAME>` stands for.
    pub fn value(&self, name: &str) -> Option<String> {
        self.facts.value(name)
    }

    /// The rules of the reference broker that were consulted so far; none on any other target.
    pub(crate) fn consulted(&self) -> ClauseSet {
        match &self.reach {
            Reach::Memory(host) => host.consulted(),
            Reach::Endpoints(..) => ClauseSet::EMPTY,
        }
    }

    /// Whether its time is virtual, so that waiting costs nothing.
    pub fn virtual_time(&self) -> bool {
        matches!(self.reach, Reach::Memory(_))
    }

    /// The transport of a link that asks for none.
    pub fn transport(&self) -> Transport {
        match &self.reach {
            Reach::Memory(_) => Transport::Memory,
            Reach::Endpoints(endpoints, _) => endpoints.first().transport,
        }
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// The target is not reached, or not by the transport that is asked for.
    pub async fn open(&self, options: &LinkOptions) -> io::Result<Link> {
        // Scenarios that ask for TCP mean a plain stream; in memory, the pipe is that.
        match (&self.reach, options.transport) {
            (Reach::Memory(host), None | Some(Transport::Memory | Transport::Tcp)) => {
                let (near, far) = broker::pipe::pipe();
                host.attach(far);
                Ok(Link::pipe(near, options))
            }
            (Reach::Memory(host), Some(Transport::WebSocket)) => {
                let (near, far) = broker::pipe::pipe();
                host.attach_websocket(far)?;
                let link = Link::pipe(near, options);
                link.upgrade("localhost", "/mqtt", options).await
            }
            (Reach::Endpoints(endpoints, _), wanted) => {
                let transport = wanted.unwrap_or(endpoints.first().transport);
                let address = endpoints.of(transport).ok_or_else(|| {
                    let text = format!("{} has no address for {transport}", self.name);
                    io::Error::new(io::ErrorKind::Unsupported, text)
                })?;
                let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
                let link = Link::tcp(stream, options)?;
                match transport {
                    Transport::WebSocket => {
                        link.upgrade(&address.authority(), &address.path, options)
                            .await
                    }
                    Transport::Tcp | Transport::Memory => Ok(link),
                }
            }
        }
    }

    /// Restarts it cleanly and waits until it serves again.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] for a target that the runner did not start.
    pub async fn restart(&self) -> io::Result<()> {
        match &self.reach {
            Reach::Memory(host) => host.restart().await,
            Reach::Endpoints(_, Some(launched)) => launched.restart().await,
            Reach::Endpoints(_, None) => Err(not_ours()),
        }
    }

    /// Kills it, starts it again and waits until it serves.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] for a target that the runner did not start.
    pub async fn kill(&self) -> io::Result<()> {
        match &self.reach {
            Reach::Memory(host) => host.kill().await,
            Reach::Endpoints(_, Some(launched)) => launched.kill().await,
            Reach::Endpoints(_, None) => Err(not_ours()),
        }
    }
}
