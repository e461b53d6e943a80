//! Encoding: sound packets only, or as they are.

use alloc::vec::Vec;

use crate::{
    Direction, Frame, Packet, PacketType, Publish, Version, Violation, decode, variable_byte,
};

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
    let (first_byte, packet_id) = match packet {
        Packet::Publish(publish) => return encode_publish(packet, publish, version, out),
        Packet::Puback(packet) if packet.is_short(version) => (0x40, packet.packet_id),
        Packet::Pubrec(packet) if packet.is_short(version) => (0x50, packet.packet_id),
        Packet::Pubrel(packet) if packet.is_short(version) => (0x62, packet.packet_id),
        Packet::Pubcomp(packet) if packet.is_short(version) => (0x70, packet.packet_id),
        _ => return encode_other(packet, version, out),
    };
    if packet_id == 0 {
        return encode_other(packet, version, out);
    }
    let [high, low] = packet_id.to_be_bytes();
    out.extend_from_slice(&[first_byte, 2, high, low]);
    Ok(())
}

/// Encodes the packet that carries most of the bytes: apart as well, for the sake of those that are shorter.
#[inline(never)]
fn encode_publish(
    packet: &Packet<'_>,
    publish: &Publish<'_>,
    version: Version,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    if publish.packet_id.is_some() != publish.qos.is_acknowledged() {
        return Err(EncodeError::PacketIdentifier);
    }
    if !publish.is_plain(version) {
        return encode_other(packet, version, out);
    }
    framed(publish.length(version)?, publish.first_byte(), out, |out| {
        publish.write(version, out);
    })?;
    Ok(())
}

/// Encodes any packet: apart, so that the plainest ones pay for nothing that others need.
#[inline(never)]
fn encode_other(
    packet: &Packet<'_>,
    version: Version,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let start = out.len();
    let Written { header, is_plain } = append::<true>(packet, version, out)?;
    if is_plain {
        return Ok(());
    }
    let frame = Frame::known(out.get(start..).unwrap_or_default(), header);
    let sound = judge(frame, packet.packet_type(), version);
    if sound.is_err() {
        out.truncate(start);
    }
    sound
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
    append::<false>(packet, version, out).map(|_| ())
}

/// A packet that was appended.
struct Written {
    /// The length of its fixed header.
    header: usize,
    /// Whether it was asked and is sound at a glance. What is not may be so all the same.
    is_plain: bool,
}

/// Appends the packet, and looks at it if it is to be judged.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "each packet is looked at where it is written"
)]
fn append<const JUDGE: bool>(
    packet: &Packet<'_>,
    version: Version,
    out: &mut Vec<u8>,
) -> Result<Written, EncodeError> {
    let packet_type = packet.packet_type();
    if !packet_type.exists_in(version) {
        return Err(EncodeError::NoSuchPacket {
            packet_type,
            version,
        });
    }
    macro_rules! packet {
        ($packet:expr) => {
            packet!($packet, first_byte(packet_type))
        };
        ($packet:expr, $first_byte:expr) => {{
            let length = $packet.length(version)?;
            let header = framed(length, $first_byte, out, |out| $packet.write(version, out))?;
            let is_plain = JUDGE && $packet.is_plain(version);
            Ok(Written { header, is_plain })
        }};
    }
    match packet {
        Packet::Publish(packet) => packet!(packet, packet.first_byte()),
        Packet::Puback(packet) => packet!(packet),
        Packet::Pubrec(packet) => packet!(packet),
        Packet::Pubrel(packet) => packet!(packet),
        Packet::Pubcomp(packet) => packet!(packet),
        Packet::Connect(packet) => packet!(packet),
        Packet::Connack(packet) => packet!(packet),
        Packet::Subscribe(packet) => packet!(packet),
        Packet::Suback(packet) => packet!(packet),
        Packet::Unsubscribe(packet) => packet!(packet),
        Packet::Unsuback(packet) => packet!(packet),
        Packet::Pingreq(_) | Packet::Pingresp(_) => {
            out.extend_from_slice(&[first_byte(packet_type), 0]);
            Ok(Written {
                header: 2,
                is_plain: true,
            })
        }
        Packet::Disconnect(packet) => packet!(packet),
        Packet::Auth(packet) => packet!(packet),
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
    let width = if let Ok(short @ 0..=0x7F) = u8::try_from(remaining_length) {
        out.extend_from_slice(&[first_byte, short]);
        1
    } else {
        out.reserve(5 + length);
        out.push(first_byte);
        variable_byte::write(remaining_length, out);
        variable_byte::width(remaining_length)
    };
    write(out);
    Ok(1 + width)
}
