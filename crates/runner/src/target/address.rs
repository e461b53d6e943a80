//! [`Address`]: where a target listens, as people write it.

use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

use super::Credentials;
use crate::link::Transport;

/// Where a target listens: `mqtt://[user:password@]host[:port]`, `mqtts://…` over TLS, `ws://[user:password@]host[:port][/path]`,
/// `wss://…` over TLS, or `unix:/path` of a socket.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// The host name or IP address; an IPv6 address without its brackets. `localhost` for a Unix socket.
    pub host: String,
    /// The TCP port; 0 for a Unix socket.
    pub port: u16,
    /// How packets travel.
    pub transport: Transport,
    /// The path that a WebSocket is opened at, `/` where none is given; that of a Unix socket.
    pub path: String,
    /// What every CONNECT must carry.
    pub credentials: Option<Credentials>,
}

/// A text that is no address of a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No `scheme://`.
    #[error("`{0}` is no address: write mqtt://HOST:PORT, such as mqtt://localhost:1883")]
    NoScheme(String),
    /// A scheme of another protocol, or of a transport that links do not have.
    #[error(
        "`{0}://` cannot be played: write mqtt:// (TCP), mqtts:// (TLS), ws:// (WebSocket), wss:// (WebSocket over TLS) or unix:/PATH"
    )]
    Scheme(String),
    /// Nothing where the host should be.
    #[error("`{0}` names no host: write mqtt://HOST:PORT, such as mqtt://localhost:1883")]
    NoHost(String),
    /// No path of a Unix socket.
    #[error("`{0}` names no socket: write unix:/PATH, such as unix:/run/mosquitto.sock")]
    NoSocket(String),
    /// The port is no number from 1 to 65535.
    #[error("`{0}` is no port: it must be a number from 1 to 65535")]
    Port(String),
    /// An IPv6 address whose bracket is not closed.
    #[error("`{0}` lacks the closing bracket of an IPv6 address: write mqtt://[::1]:1883")]
    Bracket(String),
    /// Something behind the port.
    #[error("`{0}` behind the port means nothing: an address ends with the port")]
    Path(String),
    /// A path that no HTTP request can carry.
    #[error("the path `{0}` has white space in it: write it as %20")]
    PathCharacter(String),
    /// A user name or password that is not UTF-8 once its `%xx` are decoded.
    #[error(
        "the user name or password is not UTF-8: write its special characters as %xx of their UTF-8 bytes"
    )]
    Credentials,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix("unix:") {
            return unix(text, path);
        }
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| AddressError::NoScheme(text.to_owned()))?;
        let transport = transport(scheme)?;
        let (rest, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        if path != "/" && !transport.is_websocket() {
            return Err(AddressError::Path(path.to_owned()));
        }
        if path.contains(|character: char| character.is_whitespace() || character.is_control()) {
            return Err(AddressError::PathCharacter(path.to_owned()));
        }
        let (credentials, place) = match rest.rsplit_once('@') {
            Some((credentials, place)) => (Some(parse_credentials(credentials)?), place),
            None => (None, rest),
        };
        if let Some(at) = place.find(['?', '#']) {
            return Err(AddressError::Path(place[at..].to_owned()));
        }
        let (host, port) = split_port(place)?;
        if host.is_empty() {
            return Err(AddressError::NoHost(text.to_owned()));
        }
        let port = match port {
            None => default_port(transport),
            Some(digits) => match digits.parse() {
                Ok(port) if port > 0 => port,
                _ => return Err(AddressError::Port(digits.to_owned())),
            },
        };
        Ok(Self {
            host: host.to_owned(),
            port,
            transport,
            path: path.to_owned(),
            credentials,
        })
    }
}

impl Address {
    /// Host and port, as they stand in an address.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

fn transport(scheme: &str) -> Result<Transport, AddressError> {
    match scheme.to_ascii_lowercase().as_str() {
        "mqtt" => Ok(Transport::Tcp),
        "mqtts" => Ok(Transport::Tls),
        "ws" => Ok(Transport::WebSocket),
        "wss" => Ok(Transport::SecureWebSocket),
        _ => Err(AddressError::Scheme(scheme.to_owned())),
    }
}

/// A Unix socket: `unix:/path`, or with the empty host of a URL, `unix:///path`.
fn unix(text: &str, path: &str) -> Result<Address, AddressError> {
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || (path.len() < text.len() - "unix:".len() && !path.starts_with('/')) {
        return Err(AddressError::NoSocket(text.to_owned()));
    }
    Ok(Address {
        host: "localhost".to_owned(),
        port: 0,
        transport: Transport::Unix,
        path: path.to_owned(),
        credentials: None,
    })
}

/// The port that is registered for MQTT over TCP or TLS, or for HTTP or HTTPS.
fn default_port(transport: Transport) -> u16 {
    match transport {
        Transport::WebSocket => 80,
        Transport::SecureWebSocket => 443,
        Transport::Tls => 8883,
        Transport::Tcp | Transport::Unix | Transport::Memory => 1883,
    }
}

fn split_port(place: &str) -> Result<(&str, Option<&str>), AddressError> {
    let Some(bracketed) = place.strip_prefix('[') else {
        return Ok(match place.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        });
    };
    let (host, behind) = bracketed
        .split_once(']')
        .ok_or_else(|| AddressError::Bracket(place.to_owned()))?;
    match behind.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if behind.is_empty() => Ok((host, None)),
        None => Err(AddressError::Path(behind.to_owned())),
    }
}

fn parse_credentials(text: &str) -> Result<Credentials, AddressError> {
    let (user, password) = match text.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (text, None),
    };
    let decode = |text: &str| {
        percent_decode_str(text)
            .decode_utf8()
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| AddressError::Credentials)
    };
    Ok(Credentials {
        user: decode(user)?,
        password: password.map(decode).transpose()?,
    })
}

/// Without the credentials: reports are shared.
impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = self.authority();
        let path = if self.path == "/" { "" } else { &self.path };
        match self.transport {
            Transport::WebSocket => write!(formatter, "ws://{authority}{path}"),
            Transport::SecureWebSocket => write!(formatter, "wss://{authority}{path}"),
            Transport::Tls => write!(formatter, "mqtts://{authority}"),
            Transport::Unix => write!(formatter, "unix:{path}"),
            Transport::Tcp | Transport::Memory => write!(formatter, "mqtt://{authority}"),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<(String, u16), String> {
        text.parse::<Address>()
            .map(|address| (address.host, address.port))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn host_and_port_are_read() {
        let read = |host: &str, port| Ok((host.to_owned(), port));
        assert_eq!(parse("mqtt://localhost:1884"), read("localhost", 1884));
        assert_eq!(parse("mqtt://broker.example"), read("broker.example", 1883));
        assert_eq!(parse("MQTT://127.0.0.1/"), read("127.0.0.1", 1883));
        assert_eq!(parse("mqtt://[::1]:1885"), read("::1", 1885));
        assert_eq!(parse("mqtt://[::1]"), read("::1", 1883));
    }

    #[test]
    fn a_websocket_has_a_path() {
        let read = |text: &str| {
            let address: Address = text.parse().unwrap();
            (address.to_string(), address.path, address.transport)
        };
        let ws = Transport::WebSocket;
        assert_eq!(
            read("ws://u:p@h:8080/mqtt?x=1"),
            ("ws://h:8080/mqtt?x=1".into(), "/mqtt?x=1".into(), ws)
        );
        assert_eq!(read("ws://[::1]"), ("ws://[::1]:80".into(), "/".into(), ws));
        let error = "ws://h/a b".parse::<Address>().unwrap_err();
        assert!(error.to_string().contains("write it as %20"), "{error}");
    }

    #[test]
    fn tls_has_ports_of_its_own_and_a_unix_socket_has_none() {
        let read = |text: &str| {
            let address: Address = text.parse().unwrap();
            (address.to_string(), address.transport)
        };
        assert_eq!(read("mqtts://h"), ("mqtts://h:8883".into(), Transport::Tls));
        assert_eq!(
            read("wss://h/mqtt"),
            ("wss://h:443/mqtt".into(), Transport::SecureWebSocket)
        );
        let unix = ("unix:/run/broker.sock".to_owned(), Transport::Unix);
        assert_eq!(read("unix:/run/broker.sock"), unix);
        assert_eq!(read("unix:///run/broker.sock"), unix);
        assert_eq!(read("unix:b.sock").0, "unix:b.sock");
    }

    #[test]
    fn credentials_are_decoded_and_never_shown() {
        let address: Address = "mqtt://ann:p%40ss:word@localhost".parse().unwrap();
        let credentials = address.credentials.clone().unwrap();
        assert_eq!(credentials.user, "ann");
        assert_eq!(credentials.password.as_deref(), Some("p@ss:word"));
        assert_eq!(format!("{address} {address:?}").matches("ann").count(), 0);
    }

    #[test]
    fn what_cannot_be_an_address_is_told_with_what_to_write() {
        let told = |text: &str| parse(text).unwrap_err();
        assert!(
            told("localhost:1883").starts_with("`localhost:1883` is no address: write mqtt://")
        );
        assert!(told("http://localhost").contains("write mqtt://"));
        assert!(told("unix:").contains("names no socket"));
        assert!(told("unix://host/path").contains("names no socket"));
        assert!(told("mqtt://").contains("names no host"));
        assert!(told("mqtt://:1883").contains("names no host"));
        assert!(told("mqtt://h:0").contains("`0` is no port"));
        assert!(told("mqtt://h:99999").contains("`99999` is no port"));
        assert!(told("mqtt://[::1:1883").contains("closing bracket"));
        assert!(told("mqtt://h:1/mqtt").contains("`/mqtt` behind the port"));
        assert!(told("mqtt://%ff@h").contains("not UTF-8"));
    }
}
