//! Decoding: from a frame to the packet in it, strictly or leniently.

use alloc::vec::Vec;

use crate::{
    Auth, Connack, Connect, Direction, Disconnect, Found, Frame, Packet, PacketType, Pingreq,
    Pingresp, Puback, Pubcomp, Publish, Pubrec, Pubrel, Suback, Subscribe, Unsuback, Unsubscribe,
    Version, Violation,
    gate::{Gate, Lenient, Strict},
    reader::Reader,
    rule::{Rule, general, rule, rule_of_5_0},
    variable_byte,
};

/// Reads a packet strictly: the first violation ends it. Nothing is allocated.
///
/// # Errors
/// The first rule that the packet breaks.
pub fn decode(
    frame: Frame<'_>,
    version: Version,
    direction: Direction,
) -> Result<Packet<'_>, Violation> {
    match glance::<false>(frame, version, direction) {
        Some(packet) => Ok(packet),
        None => decode_further(frame, version, direction),
    }
}

/// Decodes what is not the plainest: apart, so that the plainest calls nothing.
#[inline(never)]
fn decode_further(
    frame: Frame<'_>,
    version: Version,
    direction: Direction,
) -> Result<Packet<'_>, Violation> {
    match glance::<true>(frame, version, direction) {
        Some(packet) => Ok(packet),
        None => decode_with_care(frame, version, direction),
    }
}

/// The packets that fill most streams, if they are sound at a glance: what a [`Reader`] has to remember
/// for the account of a violation costs more than they do.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "the packet is built where it is returned, not moved there"
)]
fn glance<const PROPERTIES: bool>(
    frame: Frame<'_>,
    version: Version,
    direction: Direction,
) -> Option<Packet<'_>> {
    if frame.packet_type() == Some(PacketType::Publish) && has_plain_length(frame) {
        return Publish::glance::<PROPERTIES>(frame, version, direction).map(Packet::Publish);
    }
    let [first, 2, high, low] = frame.as_bytes() else {
        return None;
    };
    let packet_id = u16::from_be_bytes([*high, *low]);
    if packet_id == 0 {
        return None;
    }
    match first {
        0x40 => Some(Packet::Puback(Puback::short(packet_id))),
        0x50 => Some(Packet::Pubrec(Pubrec::short(packet_id))),
        0x62 => Some(Packet::Pubrel(Pubrel::short(packet_id))),
        0x70 => Some(Packet::Pubcomp(Pubcomp::short(packet_id))),
        _ => None,
    }
}

/// Whether the Remaining Length takes the fewest bytes that hold it.
#[inline]
fn has_plain_length(frame: Frame<'_>) -> bool {
    let width = frame.header_length() - 1;
    width == 1
        || u32::try_from(frame.body().len())
            .is_ok_and(|length| variable_byte::width(length) == width)
}

#[inline(never)]
fn decode_with_care(
    frame: Frame<'_>,
    version: Version,
    direction: Direction,
) -> Result<Packet<'_>, Violation> {
    let Some(packet_type) = packet_type(frame, version) else {
        return Err(reserved_type(frame, version));
    };
    let mut reader = Reader::new(frame, version, direction, Strict::default());
    read(&mut reader, frame, packet_type)
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
    let Some(packet_type) = packet_type(frame, version) else {
        violations.push(reserved_type(frame, version));
        return None;
    };
    let mut reader = Reader::new(frame, version, direction, Lenient(violations));
    let Ok(packet) = read(&mut reader, frame, packet_type);
    Some(packet)
}

/// The type of the packet, if the version has it.
#[inline]
fn packet_type(frame: Frame<'_>, version: Version) -> Option<PacketType> {
    frame.packet_type().filter(|known| known.exists_in(version))
}

/// Reads the first packet that a server receives: CONNECT, which says itself which version it is of.
///
/// # Errors
/// A packet that is not CONNECT, a protocol name or version that is not known
/// ([`UnsupportedProtocolVersion`](crate::ViolationKind::UnsupportedProtocolVersion)), or the first rule
/// that it breaks.
pub fn decode_connect(frame: Frame<'_>) -> Result<(Version, Connect<'_>), Violation> {
    let version = nearest_version(frame);
    if frame.packet_type() != Some(PacketType::Connect) {
        return Err(not_connect(frame, version));
    }
    match decode(frame, version, Direction::ToServer)? {
        Packet::Connect(connect) => Ok((version, connect)),
        _ => Err(not_connect(frame, version)),
    }
}

/// Reads as much of a CONNECT as can be read, as the version that it is nearest to.
///
/// `None` where the packet is no CONNECT, which is a violation too.
pub fn decode_connect_leniently<'a>(
    frame: Frame<'a>,
    violations: &mut Vec<Violation>,
) -> Option<(Version, Connect<'a>)> {
    let version = nearest_version(frame);
    if let Some(Packet::Connect(connect)) =
        decode_leniently(frame, version, Direction::ToServer, violations)
    {
        Some((version, connect))
    } else {
        violations.push(not_connect(frame, version));
        None
    }
}

/// The version that a CONNECT announces; `None` if the packet is none, or announces what nobody knows.
pub fn announced_version(frame: Frame<'_>) -> Option<Version> {
    if frame.packet_type() != Some(PacketType::Connect) {
        return None;
    }
    let (name, level) = protocol_name_and_version(frame)?;
    Version::announced_by(name, level)
}

/// The version that a CONNECT announces, or the one whose rules it comes nearest to.
fn nearest_version(frame: Frame<'_>) -> Version {
    match protocol_name_and_version(frame) {
        Some((name, level)) => Version::announced_by(name, level).unwrap_or(match (name, level) {
            (b"MQIsdp", _) => Version::V3_1,
            (_, 0..=4) => Version::V3_1_1,
            _ => Version::V5_0,
        }),
        None => Version::V5_0,
    }
}

fn protocol_name_and_version(frame: Frame<'_>) -> Option<(&[u8], u8)> {
    let (length, rest) = frame.body().split_first_chunk()?;
    let (name, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    Some((name, *rest.first()?))
}

#[cold]
fn not_connect(frame: Frame<'_>, version: Version) -> Violation {
    violation(
        rule!(
            version,
            "v3.1.1/MQTT-3.1.0-1",
            "v3.1.1/MQTT-3.1.0-1",
            "v5.0/MQTT-3.1.0-1"
        ),
        crate::ViolationKind::ProtocolError,
        "packet_type",
        "CONNECT in the first packet",
        Found::Named(
            frame
                .packet_type()
                .map_or("a reserved packet type", PacketType::name),
        ),
    )
}

#[cold]
fn reserved_type(frame: Frame<'_>, version: Version) -> Violation {
    violation(
        general(version),
        crate::ViolationKind::MalformedPacket,
        "packet_type",
        "one that the version has",
        Found::Number(u64::from(frame.first_byte() >> 4)),
    )
}

/// A violation of the first byte.
fn violation(
    rule: Rule,
    kind: crate::ViolationKind,
    field: &'static str,
    expected: &'static str,
    found: Found,
) -> Violation {
    let Rule { clause, also } = rule;
    let reason_code = match kind {
        crate::ViolationKind::ProtocolError => crate::ReasonCode::PROTOCOL_ERROR,
        _ => crate::ReasonCode::MALFORMED_PACKET,
    };
    Violation {
        clause,
        also,
        offset: 0,
        field,
        kind,
        reason_code,
        expected,
        found,
    }
}

/// Reads the packet straight into the place where it is returned: to move it would cost as much again.
#[inline]
fn read<'a, G: Gate>(
    reader: &mut Reader<'a, G>,
    frame: Frame<'a>,
    packet_type: PacketType,
) -> Result<Packet<'a>, G::Error> {
    macro_rules! packet {
        ($packet:ident) => {
            match $packet::read(reader) {
                Ok(packet) => return Ok(Packet::$packet(packet)),
                Err(stop) => stop,
            }
        };
    }
    let stop = match judge_fixed_header(reader, frame, packet_type) {
        Err(stop) => stop,
        Ok(()) => match packet_type {
            PacketType::Publish => packet!(Publish),
            PacketType::Connect => packet!(Connect),
            PacketType::Connack => packet!(Connack),
            PacketType::Puback => packet!(Puback),
            PacketType::Pubrec => packet!(Pubrec),
            PacketType::Pubrel => packet!(Pubrel),
            PacketType::Pubcomp => packet!(Pubcomp),
            PacketType::Subscribe => packet!(Subscribe),
            PacketType::Suback => packet!(Suback),
            PacketType::Unsubscribe => packet!(Unsubscribe),
            PacketType::Unsuback => packet!(Unsuback),
            PacketType::Pingreq => packet!(Pingreq),
            PacketType::Pingresp => packet!(Pingresp),
            PacketType::Disconnect => packet!(Disconnect),
            PacketType::Auth => packet!(Auth),
        },
    };
    Err(reader.why(stop))
}

#[inline]
fn judge_fixed_header<G: Gate>(
    reader: &mut Reader<'_, G>,
    frame: Frame<'_>,
    packet_type: PacketType,
) -> Result<(), G::Stop> {
    // PUBLISH travels both ways, and its flags are its own.
    if packet_type != PacketType::Publish {
        judge_type_and_flags(reader, packet_type)?;
    }
    judge_header_length(reader, frame)
}

#[inline]
fn judge_type_and_flags<G: Gate>(
    reader: &mut Reader<'_, G>,
    packet_type: PacketType,
) -> Result<(), G::Stop> {
    if !packet_type.travels(reader.direction, reader.version) {
        let expected = match reader.direction {
            Direction::ToServer => "one that a client sends",
            Direction::ToClient => "one that a server sends",
        };
        let found = Found::Named(packet_type.name());
        reader.protocol_error(general(reader.version), 0, "packet_type", expected, found)?;
    }
    if packet_type.reserved_flags() != Some(reader.flags) {
        judge_flags(reader, packet_type)?;
    }
    Ok(())
}

/// In 5.0 the Remaining Length, too, is written in the fewest bytes.
#[inline]
fn judge_header_length<G: Gate>(
    reader: &mut Reader<'_, G>,
    frame: Frame<'_>,
) -> Result<(), G::Stop> {
    if reader.version == Version::V5_0 && !has_plain_length(frame) {
        let width = frame.header_length() - 1;
        let rule = rule_of_5_0!("v5.0/MQTT-1.5.5-1");
        let expected = "in the fewest bytes that hold it";
        reader.malformed(rule, 1, "remaining_length", expected, Found::Width(width))?;
    }
    Ok(())
}

#[cold]
fn judge_flags<G: Gate>(
    reader: &mut Reader<'_, G>,
    packet_type: PacketType,
) -> Result<(), G::Stop> {
    let found = Found::Flags(reader.flags);
    let expected = match packet_type.reserved_flags() {
        Some(0b0010) => "0b0010",
        _ => "0b0000",
    };
    match flags_rule(packet_type, reader.flags, reader.version, reader.direction) {
        Some(rule) => reader.malformed(rule, 0, "flags", expected, found),
        None => Ok(()),
    }
}

/// The statement about the flag bits of this packet; where it is only the general one, the
/// statement for the side at fault: a client's packets are refused by the server, a server's are not to be sent.
///
/// In 3.1 unused bits only should be 0, and DUP has a meaning wherever there is a QoS.
fn flags_rule(
    packet_type: PacketType,
    flags: u8,
    version: Version,
    direction: Direction,
) -> Option<Rule> {
    if version == Version::V3_1 {
        let is_qos_1 = flags & 0b0110 == 0b0010;
        return match packet_type {
            PacketType::Pubrel if !is_qos_1 => Some(clauses::clause!("v3.1/V31-3.6-1")),
            PacketType::Subscribe if !is_qos_1 => Some(clauses::clause!("v3.1/V31-3.8-1")),
            PacketType::Unsubscribe if !is_qos_1 => Some(clauses::clause!("v3.1/V31-3.10-1")),
            _ => None,
        }
        .map(|clause| Rule { clause, also: None });
    }
    let general = match direction {
        Direction::ToServer => {
            rule!(
                version,
                "v3.1/V31-2.6-1",
                "v3.1.1/MQTT-2.2.2-2",
                "v5.0/U50-2.1.3-1"
            )
        }
        Direction::ToClient => {
            rule!(
                version,
                "v3.1/V31-2.6-1",
                "v3.1.1/MQTT-2.2.2-1",
                "v5.0/MQTT-2.1.3-1"
            )
        }
    };
    let specific = match packet_type {
        PacketType::Pubrel => {
            rule!(
                version,
                "v3.1/V31-3.6-1",
                "v3.1.1/MQTT-3.6.1-1",
                "v5.0/MQTT-3.6.1-1"
            )
        }
        PacketType::Subscribe => {
            rule!(
                version,
                "v3.1/V31-3.8-1",
                "v3.1.1/MQTT-3.8.1-1",
                "v5.0/MQTT-3.8.1-1"
            )
        }
        PacketType::Unsubscribe => {
            rule!(
                version,
                "v3.1/V31-3.10-1",
                "v3.1.1/MQTT-3.10.1-1",
                "v5.0/MQTT-3.10.1-1"
            )
        }
        PacketType::Disconnect => {
            rule!(
                version,
                "v3.1/V31-2.6-1",
                "v3.1.1/MQTT-3.14.1-1",
                "v5.0/MQTT-3.14.1-1"
            )
        }
        PacketType::Auth => rule_of_5_0!("v5.0/MQTT-3.15.1-1"),
        _ => return Some(general),
    };
    Some(Rule {
        also: Some(general.clause),
        ..specific
    })
}
