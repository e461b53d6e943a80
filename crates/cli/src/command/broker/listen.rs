//! Where the broker listens: URLs, and sockets bound to them.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use broker::shell::Listener;
use tokio::net::TcpListener;

use crate::failure::Failure;

/// A place to listen at.
#[derive(Debug)]
pub(super) struct Place {
    /// As it was written.
    pub(super) written: String,
    pub(super) scheme: Scheme,
    at: At,
}

#[derive(Debug)]
enum At {
    Tcp {
        host: String,
        addresses: Vec<SocketAddr>,
    },
    Unix(PathBuf),
}

/// Text that names no place.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0}; write it as mqtt://HOST:PORT, such as mqtt://127.0.0.1:1883 or mqtt://[::1]:1883, with mqtts, ws or wss for TLS \
     and WebSocket, or as unix:PATH"
)]
pub(super) struct NoPlace(String);

/// What is spoken there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Mqtt,
    Mqtts,
    Ws,
    Wss,
    Unix,
}

/// A socket that listens.
pub(super) struct Bound {
    pub(super) listener: Listener,
    pub(super) url: String,
    /// The file of a Unix socket, which outlives it.
    file: Option<PathBuf>,
    pub(super) scheme: Scheme,
}

/// The files of Unix sockets, taken away when this is dropped.
pub(super) struct SocketFiles(Vec<PathBuf>);

impl SocketFiles {
    pub(super) fn of(bound: &[Bound]) -> Self {
        Self(
            bound
                .iter()
                .filter_map(|bound| bound.file.clone())
                .collect(),
        )
    }
}

impl Drop for SocketFiles {
    fn drop(&mut self) {
        for file in &self.0 {
            // One that is gone already is as good.
            let _ = std::fs::remove_file(file);
        }
    }
}

impl Scheme {
    const WITH_PORTS: [Self; 4] = [Self::Mqtt, Self::Mqtts, Self::Ws, Self::Wss];

    pub(super) fn is_secure(self) -> bool {
        matches!(self, Self::Mqtts | Self::Wss)
    }

    pub(super) fn is_websocket(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mqtt => "mqtt",
            Self::Mqtts => "mqtts",
            Self::Ws => "ws",
            Self::Wss => "wss",
            Self::Unix => "unix",
        })
    }
}

impl Place {
    /// Reads a URL; without a scheme it is plain MQTT.
    pub(super) fn parse(written: &str) -> Result<Self, NoPlace> {
        if let Some(path) = written.strip_prefix("unix:") {
            // `unix:///run/x` and `unix:/run/x` are the same file.
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(NoPlace(format!("`{written}` names no socket")));
            }
            return Ok(Self {
                written: written.to_owned(),
                scheme: Scheme::Unix,
                at: At::Unix(path.into()),
            });
        }
        let (scheme, authority) = match written.split_once("://") {
            None => (Scheme::Mqtt, written),
            Some((name, rest)) => {
                let scheme = Scheme::WITH_PORTS
                    .into_iter()
                    .find(|scheme| scheme.to_string() == name)
                    .ok_or_else(|| {
                        NoPlace(format!("`{written}`: nothing is spoken under `{name}://`"))
                    })?;
                (scheme, rest)
            }
        };
        // Any path of a WebSocket's URL will do.
        let authority = match authority.split_once('/') {
            Some((authority, path)) if scheme.is_websocket() || path.is_empty() => authority,
            _ => authority,
        };
        let no_address =
            |error: io::Error| NoPlace(format!("`{written}` is no address to listen on: {error}"));
        let addresses = authority.to_socket_addrs().map_err(no_address)?.collect();
        let host = authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host);
        Ok(Self {
            written: written.to_owned(),
            scheme,
            at: At::Tcp {
                host: host.trim_matches(['[', ']']).to_owned(),
                addresses,
            },
        })
    }

    /// The host that clients find here, as it would stand in a certificate.
    pub(super) fn host(&self) -> Option<&str> {
        match &self.at {
            At::Tcp { host, .. } => Some(host),
            At::Unix(_) => None,
        }
    }

    /// Begins to listen: at every address that the host name stands for.
    pub(super) async fn bind(&self) -> Result<Vec<Bound>, Failure> {
        match &self.at {
            At::Tcp { addresses, .. } => {
                let mut bound = Vec::new();
                for address in addresses {
                    let listener = TcpListener::bind(address)
                        .await
                        .map_err(|error| taken(*address, &error))?;
                    let address = listener.local_addr().unwrap_or(*address);
                    bound.push(Bound {
                        listener: listener.into(),
                        url: format!("{}://{address}", self.scheme),
                        file: None,
                        scheme: self.scheme,
                    });
                }
                Ok(bound)
            }
            At::Unix(path) => Ok(vec![Bound {
                listener: bind_unix(path, &self.written)?,
                url: format!("unix:{}", path.display()),
                file: Some(path.clone()),
                scheme: self.scheme,
            }]),
        }
    }
}

/// A socket in the file system. One that a broker left behind that was killed is taken away first.
#[cfg(unix)]
fn bind_unix(path: &Path, written: &str) -> Result<Listener, Failure> {
    use std::os::unix::fs::FileTypeExt;
    use std::os::unix::net::UnixStream;

    let is_socket =
        std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    if is_socket
        && let Err(error) = UnixStream::connect(path)
        && error.kind() == io::ErrorKind::ConnectionRefused
    {
        // Whether it is gone shows when it is bound to.
        let _ = std::fs::remove_file(path);
    }
    tokio::net::UnixListener::bind(path)
        .map(Into::into)
        .map_err(|error| {
            let failure = Failure::new(format!("cannot listen on {written}: {error}"));
            match error.kind() {
                io::ErrorKind::AddrInUse if is_socket => {
                    failure.note("another program listens there, perhaps another broker")
                }
                io::ErrorKind::AddrInUse => failure
                    .note("a file stands there that is no socket")
                    .help("choose another path"),
                io::ErrorKind::NotFound => failure.help("make the folder first"),
                _ => failure,
            }
        })
}

#[cfg(not(unix))]
fn bind_unix(_: &Path, written: &str) -> Result<Listener, Failure> {
    Err(Failure::new(format!(
        "cannot listen on {written}: this system has no Unix sockets"
    )))
}

fn taken(address: SocketAddr, error: &io::Error) -> Failure {
    let failure = Failure::new(format!("cannot listen on {address}: {error}"));
    match error.kind() {
        io::ErrorKind::AddrInUse => failure
            .note("another program listens there, perhaps another broker")
            .help("choose another port with `--listen`; `--listen 127.0.0.1:0` takes a free one"),
        io::ErrorKind::PermissionDenied => {
            failure.help("ports below 1024 belong to the administrator; choose a higher one")
        }
        io::ErrorKind::AddrNotAvailable => {
            failure.help("listen on an address of this machine, such as 127.0.0.1 or 0.0.0.0")
        }
        _ => failure,
    }
}
