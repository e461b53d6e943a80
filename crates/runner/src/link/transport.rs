//! [`Transport`]: what carries the bytes of a connection.

use std::fmt;
use std::str::FromStr;

/// What carries the bytes of a connection (5.0 section 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// A pipe within the process, to an embedded broker.
    Memory,
    /// A TCP connection.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// A WebSocket (section 6) over TCP.
    WebSocket,
    /// A WebSocket over TLS.
    SecureWebSocket,
    /// A Unix socket: a stream between processes of one machine.
    Unix,
}

/// A name that no transport has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no transport `{0}`: there are tcp, tls, ws, wss and unix")]
pub struct UnknownTransport(pub String);

impl Transport {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Memory,
        Self::Tcp,
        Self::Tls,
        Self::WebSocket,
        Self::SecureWebSocket,
        Self::Unix,
    ];

    /// Those that lead to other processes.
    pub const OF_NETWORKS: [Self; 5] = [
        Self::Tcp,
        Self::Tls,
        Self::WebSocket,
        Self::SecureWebSocket,
        Self::Unix,
    ];

    /// The name, as case names and scenarios write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::WebSocket => "ws",
            Self::SecureWebSocket => "wss",
            Self::Unix => "unix",
        }
    }

    /// Whether packets travel in the frames of a WebSocket.
    pub fn is_websocket(self) -> bool {
        matches!(self, Self::WebSocket | Self::SecureWebSocket)
    }

    /// Whether bytes travel encrypted.
    pub fn is_encrypted(self) -> bool {
        matches!(self, Self::Tls | Self::SecureWebSocket)
    }
}

impl FromStr for Transport {
    type Err = UnknownTransport;

    fn from_str(text: &str) -> Result<Self, UnknownTransport> {
        Self::ALL
            .into_iter()
            .find(|transport| transport.name() == text)
            .ok_or_else(|| UnknownTransport(text.to_owned()))
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
