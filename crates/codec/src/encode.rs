//! Encoding: sound packets only, or as they are.

use alloc::vec::Vec;

use crate::{Direction, Frame, Packet, PacketType, Version, Violation, decode, variable_byte};

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
    /// PUBLISH has a Packet Identifier at QoS 0, or none above it.
    #[error("a PUBLISH has a Packet Identifier above QoS 0 and only there")]
    PacketIdentifier,
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
    if let Packet::Publish(publish) = packet
        && publish.packet_id.is_some() != publish.qos.is_acknowledged()
    {
        return Err(EncodeError::PacketIdentifier);
    }
    let start = out.len();
    let header = write(packet, version, out)?;
    if is_plain(packet, version) {
        return Ok(());
    }
    let frame = Frame::known(out.get(start..).unwrap_or_default(), header);
    let sound = judge(frame, packet.packet_type(), version);
    if sound.is_err() {
        out.truncate(start);
    }
    sound
}

/// Whether the packet is sound at a glance. What is not may be so all the same.
#[inline]
fn is_plain(packet: &Packet<'_>, version: Version) -> bool {
    match packet {
        Packet::Publish(packet) => packet.is_plain(version),
        Packet::Puback(packet) => packet.is_plain(version),
        Packet::Pubrec(packet) => packet.is_plain(version),
        Packet::Pubrel(packet) => packet.is_plain(version),
        Packet::Pubcomp(packet) => packet.is_plain(version),
        Packet::Connect(packet) => packet.is_plain(version),
        Packet::Connack(packet) => packet.is_plain(version),
        Packet::Subscribe(packet) => packet.is_plain(version),
        Packet::Suback(packet) => packet.is_plain(version),
        Packet::Unsubscribe(packet) => packet.is_plain(version),
        Packet::Unsuback(packet) => packet.is_plain(version),
        Packet::Pingreq(_) | Packet::Pingresp(_) => true,
        Packet::Disconnect(packet) => packet.is_plain(version),
        Packet::Auth(_) => false,
    }
}

/// The strict decoder has the last word: what it refuses in every direction is not sent.
#[cold]
fn judge(frame: Frame<'_>, packet_type: PacketType, version: Version) -> Result<(), EncodeError> {
    let mut refused = EncodeError::NoSuchPacket {
        packet_type,
        version,
    };
    for direction in Direction::ALL {
        if packet_type.travels(direction, version) {
            match decode(frame, version, direction) {
                Ok(_) => return Ok(()),
                Err(violation) => refused = EncodeError::Unsound(violation),
            }
        }
    }
    Err(refused)
}

/// Appends the packet as it is, sound or not: only what the wire has no room for is an error.
///
/// This is how a broker writes that was told to break a rule. On an error `out` is as it was.
pub fn encode_as_is(
    packet: &Packet<'_>,
    version: Version,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    write(packet, version, out).map(|_| ())
}

/// Appends the packet and tells the length of its fixed header.
#[inline]
fn write(packet: &Packet<'_>, version: Version, out: &mut Vec<u8>) -> Result<usize, EncodeError> {
    let packet_type = packet.packet_type();
    if !packet_type.exists_in(version) {
        return Err(EncodeError::NoSuchPacket {
            packet_type,
            version,
        });
    }
    macro_rules! framed {
        ($packet:expr) => {
            framed(
                $packet.length(version)?,
                first_byte(packet_type),
                out,
                |out| {
                    $packet.write(version, out);
                },
            )
        };
    }
    match packet {
        Packet::Publish(packet) => framed(
            packet.length(version)?,
            packet_type.value() << 4 | packet.flags(),
            out,
            |out| packet.write(version, out),
        ),
        Packet::Connect(packet) => framed!(packet),
        Packet::Connack(packet) => framed!(packet),
        Packet::Puback(packet) => framed!(packet),
        Packet::Pubrec(packet) => framed!(packet),
        Packet::Pubrel(packet) => framed!(packet),
        Packet::Pubcomp(packet) => framed!(packet),
        Packet::Subscribe(packet) => framed!(packet),
        Packet::Suback(packet) => framed!(packet),
        Packet::Unsubscribe(packet) => framed!(packet),
        Packet::Unsuback(packet) => framed!(packet),
        Packet::Pingreq(_) | Packet::Pingresp(_) => framed(0, first_byte(packet_type), out, |_| {}),
        Packet::Disconnect(packet) => framed!(packet),
        Packet::Auth(packet) => framed!(packet),
    }
}

/// The first byte of a packet whose flags are reserved.
const fn first_byte(packet_type: PacketType) -> u8 {
    let flags = match packet_type.reserved_flags() {
        Some(flags) => flags,
        None => 0,
    };
    packet_type.value() << 4 | flags
}

/// Appends a fixed header and what `write` puts behind it, and tells the length of the header.
#[inline]
fn framed(
    length: usize,
    first_byte: u8,
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>),
) -> Result<usize, EncodeError> {
    let remaining_length = match u32::try_from(length) {
        Ok(length) if length <= variable_byte::MAXIMUM => length,
        _ => return Err(EncodeError::PacketTooLong),
    };
    out.reserve(5 + length);
    let width = if let Ok(short @ 0..=0x7F) = u8::try_from(remaining_length) {
        out.extend_from_slice(&[first_byte, short]);
        1
    } else {
        out.push(first_byte);
        variable_byte::write(remaining_length, out);
        variable_byte::width(remaining_length)
    };
    write(out);
    Ok(1 + width)
}
