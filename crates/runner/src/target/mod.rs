//! [`Target`]: the broker under test, as one case sees it.

mod address;
pub(crate) mod declared;
mod endpoints;
mod facts;
mod features;
pub(crate) mod probe;
pub(crate) mod profile;
mod trust;

use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
#[cfg(unix)]
use std::time::Duration;

pub use address::{Address, AddressError};
use broker::Breach;
use broker::rules::ClauseSet;
use codec::Version;
pub use declared::Declared;
pub use endpoints::{Endpoints, SameTransport};
pub use facts::{Answer, Authentication, Credentials, Facts};
pub use features::Features;
pub use profile::{Configuration, Profile};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::time::sleep;
pub use trust::WrittenTls;

use crate::launch::Instance;
use crate::link::{Link, LinkOptions, Tls, TlsFiles, Transport, Wire};
use crate::overtaking::Order;

/// The broker under test: how to reach it, and what is known of it.
#[derive(Clone)]
pub struct Target {
    name: String,
    /// The transport of a link that asks for none.
    usual: Transport,
    facts: Arc<Facts>,
    order: Rc<Order>,
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

    /// Serves one more connection by another transport than the plain stream, and says whom its links trust if that
    /// is encrypted.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] where it does not serve it.
    fn attach_by(&self, transport: Transport, _: broker::pipe::End) -> io::Result<Option<Tls>> {
        Err(unsupported(format!(
            "this target is not reached over {transport}"
        )))
    }

    /// The rules that its brokers have consulted so far; none on what is no reference broker.
    fn consulted(&self) -> ClauseSet {
        ClauseSet::EMPTY
    }

    /// Where packets broke a clause so far, as its brokers judged them; nowhere on what is no reference broker.
    fn breaches(&self) -> BTreeSet<Breach> {
        BTreeSet::new()
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

fn unsupported(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, why)
}

fn not_ours() -> io::Error {
    let why = "this target is not the case's own, so that it cannot be restarted";
    unsupported(why.to_owned())
}

/// Connects to a Unix socket. Where its queue is full, the system does not wait as it does for TCP, but says so.
#[cfg(unix)]
async fn connect_unix(path: &str) -> io::Result<UnixStream> {
    /// How long a full queue is left alone.
    const FULL: Duration = Duration::from_millis(5);

    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(FULL).await,
            connected => return connected,
        }
    }
}

impl Target {
    pub(crate) fn in_memory(name: &str, facts: Facts, host: Rc<dyn Host>) -> Self {
        Self {
            name: name.to_owned(),
            usual: Transport::Memory,
            order: Rc::new(Order::of(facts.overtaking)),
            facts: Arc::new(facts),
            reach: Reach::Memory(host),
        }
    }

    /// The broker at these addresses, of which this is known.
    pub fn at(endpoints: &Endpoints, facts: Arc<Facts>) -> Self {
        Self {
            name: endpoints.first().to_string(),
            usual: endpoints.first().transport,
            order: Rc::new(Order::of(facts.overtaking)),
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
    #[must_use]
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

    /// Whether it keeps what is sent to it in order, as far as that has been seen.
    pub(crate) fn order(&self) -> &Rc<Order> {
        &self.order
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

    /// Where packets broke a clause so far, as the reference broker judged them; nowhere on any other target.
    pub(crate) fn breaches(&self) -> BTreeSet<Breach> {
        match &self.reach {
            Reach::Memory(host) => host.breaches(),
            Reach::Endpoints(..) => BTreeSet::new(),
        }
    }

    /// Whether its time is virtual, so that waiting costs nothing.
    pub fn virtual_time(&self) -> bool {
        matches!(self.reach, Reach::Memory(_))
    }

    /// The transport of a link that asks for none.
    pub fn transport(&self) -> Transport {
        self.usual
    }

    /// The same target, by another transport unless a link asks for one.
    pub(crate) fn by(&self, transport: Transport) -> Self {
        Self {
            usual: transport,
            ..self.clone()
        }
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// The target is not reached, or not by the transport that is asked for ([`io::ErrorKind::Unsupported`]). Inside
    /// may be a [`HandshakeError`](crate::link::HandshakeError) or an [`UpgradeError`](crate::link::UpgradeError).
    pub async fn open(&self, options: &LinkOptions) -> io::Result<Link> {
        let transport = self.nearest(options.transport.unwrap_or(self.usual));
        let options = LinkOptions {
            transport: Some(transport),
            ..options.clone()
        };
        if let Some(reopened) = options.lost_opening() {
            let (lost, _) = self.wire(transport).await?;
            lost.reset()?;
            sleep(reopened).await;
        }
        let (wire, tls) = self.wire(transport).await?;
        let (host, authority, path) = match &self.reach {
            Reach::Memory(_) => ("localhost", "localhost".to_owned(), "/mqtt"),
            Reach::Endpoints(endpoints, _) => {
                let address = endpoints.of(transport).unwrap_or_else(|| endpoints.first());
                (
                    address.host.as_str(),
                    address.authority(),
                    address.path.as_str(),
                )
            }
        };
        let link = Link::over(wire, host, tls.as_ref(), &options).await?;
        if transport.is_websocket() {
            link.upgrade(&authority, path, &options).await
        } else {
            Ok(link)
        }
    }

    /// The transport that serves who asks for this one: a WebSocket is one over TLS as well, and a plain stream is
    /// whatever carries the bytes of MQTT as they are.
    fn nearest(&self, wanted: Transport) -> Transport {
        let Reach::Endpoints(endpoints, _) = &self.reach else {
            return wanted;
        };
        let would_do: &[Transport] = match wanted {
            Transport::WebSocket => &[Transport::SecureWebSocket],
            Transport::Tcp | Transport::Memory => {
                &[Transport::Tcp, Transport::Tls, Transport::Unix]
            }
            _ => &[],
        };
        if endpoints.of(wanted).is_some() {
            return wanted;
        }
        let near = would_do.iter().find(|near| endpoints.of(**near).is_some());
        near.copied().unwrap_or(wanted)
    }

    /// The wire to the target, and how it is to be encrypted.
    async fn wire(&self, transport: Transport) -> io::Result<(Wire, Option<Tls>)> {
        match &self.reach {
            Reach::Memory(host) => {
                let (near, far) = broker::pipe::pipe();
                let tls = match transport {
                    // Whoever asks for TCP or a Unix socket means a plain stream; in memory, the pipe is that.
                    Transport::Memory | Transport::Tcp | Transport::Unix => {
                        host.attach(far);
                        None
                    }
                    other => host.attach_by(other, far)?,
                };
                Ok((Wire::Pipe(near), tls))
            }
            Reach::Endpoints(endpoints, _) => {
                let address = endpoints.of(transport).ok_or_else(|| {
                    unsupported(format!(
                        "no address over {transport} is given of the target"
                    ))
                })?;
                let tls = match endpoints.tls() {
                    _ if !transport.is_encrypted() => None,
                    Some(tls) => Some(tls.clone()),
                    None => Some(Tls::load(&TlsFiles::default()).map_err(io::Error::other)?),
                };
                let wire = match transport {
                    #[cfg(unix)]
                    Transport::Unix => Wire::Unix(connect_unix(&address.path).await?),
                    #[cfg(not(unix))]
                    Transport::Unix => {
                        return Err(unsupported("this system has no Unix sockets".to_owned()));
                    }
                    _ => {
                        let place = (address.host.as_str(), address.port);
                        let stream = TcpStream::connect(place).await?;
                        // Segments are the scenario's choice, not Nagle's.
                        stream.set_nodelay(true)?;
                        Wire::Tcp(stream)
                    }
                };
                Ok((wire, tls))
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
