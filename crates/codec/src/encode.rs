//! Encoding: sound packets only, or as they are.

use alloc::vec::Vec;

use crate::{Packet, PacketType, Version, Violation};

/// Why a packet cannot be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The packet would break a rule in every direction in which it may travel.
    #[error("the packet breaks a rule: {0}")]
    Unsound(#[from] Violation),
    /// A text or binary field is longer than its length field can tell: 65,535 bytes.
    #[error("{0} is longer than 65535 bytes")]
    FieldTooLong(&'static str),
    /// The packet is larger than a Remaining Length can tell: 268,435,455 bytes.
    #[error("the packet is longer than 268435455 bytes")]
    PacketTooLong,
    /// The version has no packets of this type.
    #[error("{version} has no {packet_type}")]
    NoSuchPacket {
        /// The type that was to be encoded.
        packet_type: PacketType,
        /// The version asked for.
        version: Version,
    },
}

/// Appends the packet in its shortest form, if it is sound.
///
/// What the version has no room for (properties and Reason Codes before 5.0) is left out.
/// On an error `out` is as it was.
pub fn encode(packet: &Packet<'_>, version: Version, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let _ = (packet, version, out);
    unimplemented!()
}

/// Appends the packet as it is, sound or not: only what the wire has no room for is an error.
///
/// This is how a broker writes that was told to break a rule. On an error `out` is as it was.
pub fn encode_as_is(
    packet: &Packet<'_>,
    version: Version,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let _ = (packet, version, out);
    unimplemented!()
}
