//! [`Violation`]: one broken rule of the specification, with its place in the packet.

use core::fmt;

use clauses::ClauseId;

use crate::ReasonCode;

/// What a packet does that the specification forbids.
///
/// It is small, `Copy` and owns nothing, so a hostile packet cannot make an error expensive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Violation {
    /// The most specific statement that is broken.
    pub clause: ClauseId,
    /// A more general statement that says the same of more packets, if there is one.
    pub also: Option<ClauseId>,
    /// Where in the frame the offending bytes begin, counted from its first byte.
    pub offset: usize,
    /// The field, under its name in the scenario language or in the specification.
    pub field: &'static str,
    /// The class of error.
    pub kind: ViolationKind,
    /// The Reason Code that 5.0 prescribes for it, whichever version the packet has.
    pub reason_code: ReasonCode,
    /// What the rule asks for.
    pub expected: &'static str,
    /// What stands there instead.
    pub found: Found,
}

impl Violation {
    /// The statements that are broken, the most specific first.
    pub fn clauses(&self) -> impl Iterator<Item = ClauseId> {
        core::iter::once(self.clause).chain(self.also)
    }
}

/// The class of an error, in the terms of 5.0 section 1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ViolationKind {
    /// The packet cannot be parsed according to the specification.
    MalformedPacket,
    /// The packet can be parsed and holds what the protocol does not allow.
    ProtocolError,
    /// CONNECT names a protocol or a version that is not spoken here.
    UnsupportedProtocolVersion,
    /// The packet is larger than the receiver takes.
    PacketTooLarge,
}

impl ViolationKind {
    /// The name as the specification writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MalformedPacket => "Malformed Packet",
            Self::ProtocolError => "Protocol Error",
            Self::UnsupportedProtocolVersion => "Unsupported Protocol Version",
            Self::PacketTooLarge => "Packet too large",
        }
    }
}

impl fmt::Display for ViolationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What stood where the rule asked for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing that has a value of its own: a field that is absent, a list that is empty.
    Nothing,
    /// A number.
    Number(u64),
    /// One byte, told in hexadecimal.
    Byte(u8),
    /// Four flag bits, told in binary.
    Flags(u8),
    /// A field that needs more bytes than are left in the packet.
    Cut {
        /// Bytes that the field needs.
        needed: usize,
        /// Bytes that are there.
        left: usize,
    },
    /// Bytes behind the last field.
    Surplus(usize),
    /// A value in this many bytes.
    Width(usize),
    /// A thing with a name, such as a packet type.
    Named(&'static str),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Nothing => f.write_str("nothing"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Byte(byte) => write!(f, "0x{byte:02X}"),
            Self::Flags(flags) => write!(f, "0b{flags:04b}"),
            Self::Cut { needed, left } => {
                write!(
                    f,
                    "{left} of {needed} {}",
                    if needed == 1 { "byte" } else { "bytes" }
                )
            }
            Self::Surplus(1) => f.write_str("1 byte more"),
            Self::Surplus(bytes) => write!(f, "{bytes} bytes more"),
            Self::Width(bytes) => write!(f, "{bytes} bytes"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Violation {
    /// One line: what is wrong where, and which clause says so.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "byte {}: {} must be {}, found {} ({}, {}, {})",
            self.offset,
            self.field,
            self.expected,
            self.found,
            self.kind,
            self.reason_code,
            self.clause.name(),
        )
    }
}

impl core::error::Error for Violation {}
