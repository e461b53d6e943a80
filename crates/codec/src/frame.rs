//! Framing: where one Control Packet ends and the next begins. Only here can a packet be *incomplete*.

use clauses::{ClauseId, clause};

use crate::{
    Direction, Found, PacketType, ReasonCode, Version, Violation, ViolationKind, variable_byte,
};

/// The largest packet that a Remaining Length of four bytes can announce, its fixed header included.
pub const MAXIMUM_PACKET_SIZE: usize = 5 + variable_byte::MAXIMUM as usize;

/// The bytes of exactly one Control Packet, fixed header included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    bytes: &'a [u8],
    header: usize,
}

impl<'a> Frame<'a> {
    /// The frame that `bytes` hold, if they hold exactly one.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        match split(
            bytes,
            Version::V5_0,
            Direction::ToServer,
            MAXIMUM_PACKET_SIZE,
        ) {
            Ok(Split::Complete { frame, rest: [] }) => Some(frame),
            _ => None,
        }
    }

    /// The frame that was just written, whose fixed header has this length.
    #[inline]
    pub(crate) const fn known(bytes: &'a [u8], header: usize) -> Self {
        Self { bytes, header }
    }

    /// Every byte of the packet.
    #[inline]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The first byte: packet type and flags.
    #[inline]
    pub fn first_byte(self) -> u8 {
        self.bytes.first().copied().unwrap_or_default()
    }

    /// The packet type; `None` for the reserved value 0.
    #[inline]
    pub fn packet_type(self) -> Option<PacketType> {
        PacketType::from_value(self.first_byte() >> 4)
    }

    /// The four flag bits of the fixed header.
    #[inline]
    pub fn flags(self) -> u8 {
        self.first_byte() & 0x0F
    }

    /// The length of the fixed header, 2 to 5 bytes: where the Variable Header begins.
    #[inline]
    pub const fn header_length(self) -> usize {
        self.header
    }

    /// What follows the fixed header: as many bytes as Remaining Length says.
    #[inline]
    pub fn body(self) -> &'a [u8] {
        self.bytes.get(self.header..).unwrap_or_default()
    }
}

/// What the beginning of a stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split<'a> {
    /// A whole packet, and what follows it.
    Complete {
        /// The packet.
        frame: Frame<'a>,
        /// The bytes behind it.
        rest: &'a [u8],
    },
    /// Only the beginning of a packet, or nothing.
    Incomplete {
        /// The size of the whole packet, once its Remaining Length is known.
        size: Option<usize>,
    },
}

/// Takes the first packet off `buffer`.
///
/// `version` and `direction` only choose the clause of a violation; before CONNECT is read, any will do.
/// `maximum_packet_size` counts the whole packet, fixed header included, and is enforced as soon
/// as the Remaining Length is known, so nobody has to buffer what will be refused.
///
/// # Errors
/// A Remaining Length of more than four bytes, or a packet larger than `maximum_packet_size`.
#[inline]
pub fn split(
    buffer: &[u8],
    version: Version,
    direction: Direction,
    maximum_packet_size: usize,
) -> Result<Split<'_>, Violation> {
    let Some(after_first) = buffer.get(1..) else {
        return Ok(Split::Incomplete { size: None });
    };
    let (remaining_length, width) = match variable_byte::read(after_first) {
        variable_byte::Read::Value { value, width } => (value, width),
        variable_byte::Read::Cut => return Ok(Split::Incomplete { size: None }),
        variable_byte::Read::TooLong => {
            return Err(Violation {
                clause: remaining_length_clause(version),
                also: None,
                offset: 1,
                field: "remaining_length",
                kind: ViolationKind::MalformedPacket,
                reason_code: ReasonCode::MALFORMED_PACKET,
                expected: "a variable byte integer of at most 4 bytes",
                found: Found::Named("a continuation bit in its fourth byte"),
            });
        }
    };
    let header = 1 + width;
    let size = header + remaining_length as usize;
    if size > maximum_packet_size {
        return Err(Violation {
            clause: size_clause(version, direction),
            also: None,
            offset: 1,
            field: "remaining_length",
            kind: ViolationKind::PacketTooLarge,
            reason_code: ReasonCode::PACKET_TOO_LARGE,
            expected: "that of a packet no larger than the receiver takes",
            found: Found::Number(u64::from(remaining_length)),
        });
    }
    match buffer.split_at_checked(size) {
        Some((bytes, rest)) => Ok(Split::Complete {
            frame: Frame { bytes, header },
            rest,
        }),
        None => Ok(Split::Incomplete { size: Some(size) }),
    }
}

fn remaining_length_clause(version: Version) -> ClauseId {
    match version {
        Version::V5_0 => clause!("v5.0/U50-1.5.5-1"),
        Version::V3_1 | Version::V3_1_1 => clause!("v3.1.1/U311-2.2.3-1"),
    }
}

/// Before 5.0 nobody can announce a maximum: what remains is the right to close on a lack of resources.
fn size_clause(version: Version, direction: Direction) -> ClauseId {
    match (version, direction) {
        (Version::V5_0, Direction::ToServer) => clause!("v5.0/U50-3.2.2.3.6-2"),
        (Version::V5_0, Direction::ToClient) => clause!("v5.0/U50-3.1.2.11.4-2"),
        _ => clause!("v3.1.1/MQTT-4.8.0-2"),
    }
}
