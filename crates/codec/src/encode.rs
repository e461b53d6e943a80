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
    let frame = Frame::known(out.get(start..).unwrap_or_default(), header);
    let sound = judge(frame, packet.packet_type(), version);
    if sound.is_err() {
        out.truncate(start);
    }
    sound
}

/// The strict decoder is the gate: what it refuses in every direction is not sent.
#[inline]
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
    let length = match packet {
        Packet::Connect(packet) => packet.length(version)?,
        Packet::Connack(packet) => packet.length(version)?,
        Packet::Publish(packet) => packet.length(version)?,
        Packet::Puback(packet) => packet.length(version)?,
        Packet::Pubrec(packet) => packet.length(version)?,
        Packet::Pubrel(packet) => packet.length(version)?,
        Packet::Pubcomp(packet) => packet.length(version)?,
        Packet::Subscribe(packet) => packet.length(version)?,
        Packet::Suback(packet) => packet.length(version)?,
        Packet::Unsubscribe(packet) => packet.length(version)?,
        Packet::Unsuback(packet) => packet.length(version)?,
        Packet::Pingreq(_) | Packet::Pingresp(_) => 0,
        Packet::Disconnect(packet) => packet.length(version)?,
        Packet::Auth(packet) => packet.length(version)?,
    };
    let remaining_length = match u32::try_from(length) {
        Ok(length) if length <= variable_byte::MAXIMUM => length,
        _ => return Err(EncodeError::PacketTooLong),
    };
    let flags = match packet {
        Packet::Publish(publish) => publish.flags(),
        _ => packet_type.reserved_flags().unwrap_or_default(),
    };
    out.reserve(5 + length);
    let first_byte = packet_type.value() << 4 | flags;
    let header = 1 + variable_byte::width(remaining_length);
    if let Ok(short @ 0..=0x7F) = u8::try_from(remaining_length) {
        out.extend_from_slice(&[first_byte, short]);
    } else {
        out.push(first_byte);
        variable_byte::write(remaining_length, out);
    }
    match packet {
        Packet::Connect(packet) => packet.write(version, out),
        Packet::Connack(packet) => packet.write(version, out),
        Packet::Publish(packet) => packet.write(version, out),
        Packet::Puback(packet) => packet.write(version, out),
        Packet::Pubrec(packet) => packet.write(version, out),
        Packet::Pubrel(packet) => packet.write(version, out),
        Packet::Pubcomp(packet) => packet.write(version, out),
        Packet::Subscribe(packet) => packet.write(version, out),
        Packet::Suback(packet) => packet.write(version, out),
        Packet::Unsubscribe(packet) => packet.write(version, out),
        Packet::Unsuback(packet) => packet.write(version, out),
        Packet::Pingreq(_) | Packet::Pingresp(_) => {}
        Packet::Disconnect(packet) => packet.write(version, out),
        Packet::Auth(packet) => packet.write(version, out),
    }
    Ok(header)
}
