//! [`Transport`]: what carries the bytes of a connection.

use std::fmt;
use std::str::FromStr;

/// What carries the bytes of a connection (5.0 section 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// A pipe within the process, to an embedded broker.
    Memory,
    /// A TCP connection.
    Tcp,
    /// A WebSocket (section 6), over TCP or over a pipe.
    WebSocket,
}

/// A transport that no link of this version can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the transport `{0}` cannot be used: links run over tcp and ws, and over memory to the embedded broker"
)]
pub struct UnknownTransport(pub String);

impl Transport {
    /// Those that lead to other processes.
    pub const OF_NETWORKS: [Self; 2] = [Self::Tcp, Self::WebSocket];

    /// The name, as case names and scenarios write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Tcp => "tcp",
            Self::WebSocket => "ws",
        }
    }
}

impl FromStr for Transport {
    type Err = UnknownTransport;

    fn from_str(text: &str) -> Result<Self, UnknownTransport> {
        match text {
            "memory" => Ok(Self::Memory),
            "tcp" => Ok(Self::Tcp),
            "ws" => Ok(Self::WebSocket),
            _ => Err(UnknownTransport(text.to_owned())),
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
