//! [`PacketType`]: the four high bits of a packet's first byte, and what follows from them alone.

use core::{fmt, str::FromStr};

use crate::{Direction, Version};

/// The type of a Control Packet (section 2.1.2 in 5.0, 2.2.1 in 3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum PacketType {
    Connect = 1,
    Connack = 2,
    Publish = 3,
    Puback = 4,
    Pubrec = 5,
    Pubrel = 6,
    Pubcomp = 7,
    Subscribe = 8,
    Suback = 9,
    Unsubscribe = 10,
    Unsuback = 11,
    Pingreq = 12,
    Pingresp = 13,
    Disconnect = 14,
    /// 5.0 only: the value is reserved in earlier versions.
    Auth = 15,
}

impl PacketType {
    /// Every type, in the order of its value.
    pub const ALL: [Self; 15] = [
        Self::Connect,
        Self::Connack,
        Self::Publish,
        Self::Puback,
        Self::Pubrec,
        Self::Pubrel,
        Self::Pubcomp,
        Self::Subscribe,
        Self::Suback,
        Self::Unsubscribe,
        Self::Unsuback,
        Self::Pingreq,
        Self::Pingresp,
        Self::Disconnect,
        Self::Auth,
    ];

    /// The type with this value in the four high bits of the first byte; 0 is reserved.
    #[inline]
    pub const fn from_value(value: u8) -> Option<Self> {
        match value {
            1 => Some(Self::Connect),
            2 => Some(Self::Connack),
            3 => Some(Self::Publish),
            4 => Some(Self::Puback),
            5 => Some(Self::Pubrec),
            6 => Some(Self::Pubrel),
            7 => Some(Self::Pubcomp),
            8 => Some(Self::Subscribe),
            9 => Some(Self::Suback),
            10 => Some(Self::Unsubscribe),
            11 => Some(Self::Unsuback),
            12 => Some(Self::Pingreq),
            13 => Some(Self::Pingresp),
            14 => Some(Self::Disconnect),
            15 => Some(Self::Auth),
            _ => None,
        }
    }

    /// The value on the wire, 1 to 15.
    #[inline]
    pub const fn value(self) -> u8 {
        self as u8
    }

    /// The specification's name, such as `PUBLISH`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "CONNECT",
            Self::Connack => "CONNACK",
            Self::Publish => "PUBLISH",
            Self::Puback => "PUBACK",
            Self::Pubrec => "PUBREC",
            Self::Pubrel => "PUBREL",
            Self::Pubcomp => "PUBCOMP",
            Self::Subscribe => "SUBSCRIBE",
            Self::Suback => "SUBACK",
            Self::Unsubscribe => "UNSUBSCRIBE",
            Self::Unsuback => "UNSUBACK",
            Self::Pingreq => "PINGREQ",
            Self::Pingresp => "PINGRESP",
            Self::Disconnect => "DISCONNECT",
            Self::Auth => "AUTH",
        }
    }

    /// The fixed value of the four flag bits; `None` for PUBLISH, whose flags mean something.
    #[inline]
    pub const fn reserved_flags(self) -> Option<u8> {
        match self {
            Self::Publish => None,
            Self::Pubrel | Self::Subscribe | Self::Unsubscribe => Some(0b0010),
            _ => Some(0),
        }
    }

    /// Whether `version` has packets of this type.
    #[inline]
    pub const fn exists_in(self, version: Version) -> bool {
        !matches!(self, Self::Auth) || version.has_properties()
    }

    /// Whether packets of this type may travel in `direction` under `version`.
    #[inline]
    pub const fn travels(self, direction: Direction, version: Version) -> bool {
        match self {
            Self::Connect | Self::Subscribe | Self::Unsubscribe | Self::Pingreq => {
                matches!(direction, Direction::ToServer)
            }
            Self::Connack | Self::Suback | Self::Unsuback | Self::Pingresp => {
                matches!(direction, Direction::ToClient)
            }
            Self::Publish | Self::Puback | Self::Pubrec | Self::Pubrel | Self::Pubcomp => true,
            Self::Disconnect => {
                matches!(direction, Direction::ToServer) || version.has_properties()
            }
            Self::Auth => version.has_properties(),
        }
    }
}

impl fmt::Display for PacketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The text names no Control Packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of an MQTT Control Packet")]
pub struct UnknownPacketType;

impl FromStr for PacketType {
    type Err = UnknownPacketType;

    /// Reads the name as the specification writes it, in capitals.
    fn from_str(text: &str) -> Result<Self, UnknownPacketType> {
        Self::ALL
            .into_iter()
            .find(|packet_type| packet_type.name() == text)
            .ok_or(UnknownPacketType)
    }
}
