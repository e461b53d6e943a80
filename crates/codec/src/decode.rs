//! Decoding.
use alloc::vec::Vec;

use crate::{Connect, Direction, Frame, Packet, Version, Violation};

/// Reads a packet strictly: the first violation ends it. Nothing is allocated.
///
/// # Errors
/// The first rule that the packet breaks.
pub fn decode(
    frame: Frame<'_>,
    version: Version,
    direction: Direction,
) -> Result<Packet<'_>, Violation> {
    let _ = (frame, version, direction);
    unimplemented!()
}

/// Reads as much of a packet as can be read, and reports every violation in it.
///
/// `None` only where nothing can be read: the packet type is reserved.
pub fn decode_leniently<'a>(
    frame: Frame<'a>,
    version: Version,
    direction: Direction,
    violations: &mut Vec<Violation>,
) -> Option<Packet<'a>> {
    let _ = (frame, version, direction, violations);
    unimplemented!()
}

/// Reads the first packet that a server receives: CONNECT, which says itself which version it is of.
///
/// # Errors
/// A packet that is not CONNECT, a protocol name or version that is not known
/// ([`ViolationKind::UnsupportedProtocolVersion`](crate::ViolationKind)), or the first rule that it breaks.
pub fn decode_connect(frame: Frame<'_>) -> Result<(Version, Connect<'_>), Violation> {
    let _ = frame;
    unimplemented!()
}

/// Reads as much of a CONNECT as can be read, as the version that it is nearest to.
///
/// `None` where the packet is no CONNECT.
pub fn decode_connect_leniently<'a>(
    frame: Frame<'a>,
    violations: &mut Vec<Violation>,
) -> Option<(Version, Connect<'a>)> {
    let _ = (frame, violations);
    unimplemented!()
}
