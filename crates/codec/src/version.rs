//! [`Version`] and [`Direction`]: what a decoder must know besides the bytes.

use core::{fmt, str::FromStr};

use clauses::Standard;

/// A version of MQTT that runs over a byte stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// MQTT 3.1 (2010): protocol name `MQIsdp`, protocol version 3.
    V3_1,
    /// MQTT 3.1.1 (2014): protocol name `MQTT`, protocol level 4.
    V3_1_1,
    /// MQTT 5.0 (2019): protocol name `MQTT`, protocol version 5.
    V5_0,
}

impl Version {
    /// Every version, oldest first.
    pub const ALL: [Self; 3] = [Self::V3_1, Self::V3_1_1, Self::V5_0];

    /// The name under which clauses and scenarios know it, such as `v3.1.1`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V3_1 => "v3.1",
            Self::V3_1_1 => "v3.1.1",
            Self::V5_0 => "v5.0",
        }
    }

    /// The byte that CONNECT carries: Protocol Level in 3.1.1, Protocol Version elsewhere.
    pub const fn level(self) -> u8 {
        match self {
            Self::V3_1 => 3,
            Self::V3_1_1 => 4,
            Self::V5_0 => 5,
        }
    }

    /// The Protocol Name that CONNECT carries.
    pub const fn protocol_name(self) -> &'static str {
        match self {
            Self::V3_1 => "MQIsdp",
            Self::V3_1_1 | Self::V5_0 => "MQTT",
        }
    }

    /// The version that this Protocol Name and level announce together.
    pub fn announced_by(protocol_name: &[u8], level: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|version| {
            version.level() == level && version.protocol_name().as_bytes() == protocol_name
        })
    }

    /// Whether packets have properties and Reason Codes.
    pub const fn has_properties(self) -> bool {
        matches!(self, Self::V5_0)
    }

    /// The document that defines it.
    pub const fn standard(self) -> Standard {
        match self {
            Self::V3_1 => Standard::V3_1,
            Self::V3_1_1 => Standard::V3_1_1,
            Self::V5_0 => Standard::V5_0,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The text names no version of MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a version of MQTT: write v3.1, v3.1.1 or v5.0")]
pub struct UnknownVersion;

impl FromStr for Version {
    type Err = UnknownVersion;

    /// Reads `v3.1.1`, and the same without the `v`; `5` stands for 5.0.
    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        match text.strip_prefix('v').unwrap_or(text) {
            "3.1" => Ok(Self::V3_1),
            "3.1.1" => Ok(Self::V3_1_1),
            "5.0" | "5" => Ok(Self::V5_0),
            _ => Err(UnknownVersion),
        }
    }
}

/// Which way a packet travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From a client: what a server receives.
    ToServer,
    /// From a server: what a client receives.
    ToClient,
}

impl Direction {
    /// Both directions.
    pub const ALL: [Self; 2] = [Self::ToServer, Self::ToClient];

    /// `to server` or `to client`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ToServer => "to server",
            Self::ToClient => "to client",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
