//! The checked encoder and the strict decoder draw the same line, with the same clause.
//!
//! The encoder judges most packets at a glance and does not read what it wrote; the decoder does the same with
//! PUBLISH. Here both stand against the long way round.

mod strategies;

use arbitrary::Unstructured;
use codec::{
    Auth, Connack, Connect, Direction, Disconnect, EncodeError, Frame, Packet, PacketType,
    Properties, PropertyId, PropertyOwner, Puback, Pubcomp, Pubrec, Pubrel, QoS, ReasonCode,
    ReasonCodes, Suback, Subscriptions, TopicFilters, Unsuback, Version, Violation, Will, decode,
    decode_leniently,
    draft::{Draft, property_field, sample},
    encode, encode_as_is,
};
use proptest::{collection::vec, prelude::*, sample::select};
use strategies::{property_lists, sound_drafts};

/// What strict decoding says of the packet once it is written: it must be sound in one direction.
fn verdict(bytes: &[u8], packet: &Packet<'_>, version: Version) -> Result<(), Violation> {
    let frame = Frame::new(bytes).expect("the encoder writes one frame");
    let mut verdict = Ok(());
    for direction in Direction::ALL {
        if packet.packet_type().travels(direction, version) {
            verdict = decode(frame, version, direction).map(|_| ());
            if verdict.is_ok() {
                break;
            }
        }
    }
    verdict
}

fn draws_the_same_line(packet: &Packet<'_>, version: Version) -> Result<(), TestCaseError> {
    let mut as_is = Vec::new();
    let mut checked = b"before".to_vec();
    let written = encode_as_is(packet, version, &mut as_is);
    let encoded = encode(packet, version, &mut checked);
    if let Err(error) = written {
        prop_assert_eq!(encoded, Err(error));
        return Ok(());
    }
    match verdict(&as_is, packet, version) {
        Ok(()) => {
            prop_assert_eq!(encoded, Ok(()), "{:?}", packet);
            prop_assert_eq!(checked.strip_prefix(b"before"), Some(&as_is[..]));
        }
        Err(violation) => {
            prop_assert_eq!(
                encoded,
                Err(EncodeError::Unsound(violation)),
                "{:?}",
                packet
            );
            prop_assert_eq!(&checked, b"before");
        }
    }
    Ok(())
}

/// The packet with other properties, where it has some, and another list behind them.
fn with<'a>(packet: Packet<'a>, properties: Properties<'a>, list: Option<&'a [u8]>) -> Packet<'a> {
    let mut packet = packet;
    match &mut packet {
        Packet::Connect(packet) => match &mut packet.will {
            Some(will) if list.is_some() => will.properties = properties,
            _ => packet.properties = properties,
        },
        Packet::Connack(packet) => packet.properties = properties,
        Packet::Publish(packet) => packet.properties = properties,
        Packet::Puback(packet) => packet.properties = properties,
        Packet::Pubrec(packet) => packet.properties = properties,
        Packet::Pubrel(packet) => packet.properties = properties,
        Packet::Pubcomp(packet) => packet.properties = properties,
        Packet::Subscribe(packet) => {
            packet.properties = properties;
            packet.filters = list.map_or(packet.filters, Subscriptions::new);
        }
        Packet::Suback(packet) => {
            packet.properties = properties;
            packet.codes = list.map_or(packet.codes, ReasonCodes::new);
        }
        Packet::Unsubscribe(packet) => {
            packet.properties = properties;
            packet.filters = list.map_or(packet.filters, TopicFilters::new);
        }
        Packet::Unsuback(packet) => {
            packet.properties = properties;
            packet.codes = list.map_or(packet.codes, ReasonCodes::new);
        }
        Packet::Disconnect(packet) => packet.properties = properties,
        Packet::Auth(packet) => packet.properties = properties,
        Packet::Pingreq(_) | Packet::Pingresp(_) => {}
    }
    packet
}

/// A packet of 5.0 with a Reason Code and properties: all that the direction decides meets here.
#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one line for each field of eleven packets"
)]
fn of_every_reason_code_beside_every_property() {
    for id in PropertyId::ALL {
        let mut draft = Draft::new(PacketType::Connack, Version::V5_0);
        let spec = property_field(PropertyOwner::Packet(PacketType::Connack), id);
        draft
            .set(
                spec.expect("any packet carries any property").name,
                sample(id),
            )
            .expect("a sample fits");
        let bytes = draft.encode().expect("a sound property");
        for (code, properties) in (0..=u8::MAX).flat_map(|code| [(code, &bytes[5..]), (code, &[])])
        {
            let (packet_id, reason_code) = (1, ReasonCode(code));
            let properties = Properties::new(properties);
            let codes = &[code];
            let will = Will {
                qos: QoS::AT_MOST_ONCE,
                retain: false,
                properties,
                topic: "w".into(),
                payload: b"",
            };
            let connect = Connect {
                protocol_name: "MQTT".into(),
                protocol_version: code,
                clean_start: true,
                reserved_flag: false,
                keep_alive: 0,
                properties,
                client_id: "c".into(),
                will: None,
                user_name: None,
                password: None,
            };
            let packets: [Packet<'_>; 11] = [
                connect.into(),
                Connect {
                    properties: Properties::EMPTY,
                    will: Some(will),
                    ..connect
                }
                .into(),
                Connack {
                    session_present: false,
                    reason_code,
                    properties,
                }
                .into(),
                Puback {
                    packet_id,
                    reason_code,
                    properties,
                }
                .into(),
                Pubrec {
                    packet_id,
                    reason_code,
                    properties,
                }
                .into(),
                Pubrel {
                    packet_id,
                    reason_code,
                    properties,
                }
                .into(),
                Pubcomp {
                    packet_id,
                    reason_code,
                    properties,
                }
                .into(),
                Suback {
                    packet_id,
                    properties,
                    codes: ReasonCodes::new(codes),
                }
                .into(),
                Unsuback {
                    packet_id,
                    properties,
                    codes: ReasonCodes::new(codes),
                }
                .into(),
                Disconnect {
                    reason_code,
                    properties,
                }
                .into(),
                Auth {
                    reason_code,
                    properties,
                }
                .into(),
            ];
            for packet in packets {
                for version in Version::ALL {
                    draws_the_same_line(&packet, version).expect("the same line");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn of_sound_packets((draft, direction) in sound_drafts(), version in select(&Version::ALL[..])) {
        let bytes = draft.encode().expect("a sound draft");
        let frame = Frame::new(&bytes).expect("one frame");
        let packet = decode(frame, draft.version(), direction).expect("a sound packet");
        draws_the_same_line(&packet, draft.version())?;
        // A packet that was read in one version may be written in another.
        draws_the_same_line(&packet, version)?;
    }

    #[test]
    fn of_malformed_packets(
        choices in vec(any::<u8>(), 0..600),
        version in select(&Version::ALL[..]),
        direction in select(&Direction::ALL[..]),
    ) {
        let draft = fuzzing::malformed(&mut Unstructured::new(&choices), version, direction);
        let bytes = draft.ok().and_then(|draft| draft.encode().ok()).unwrap_or_default();
        if let Some(frame) = Frame::new(&bytes)
            && let Some(packet) = decode_leniently(frame, version, direction, &mut Vec::new())
        {
            draws_the_same_line(&packet, version)?;
        }
    }

    #[test]
    fn of_damaged_packets(
        (draft, direction) in sound_drafts(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let version = draft.version();
        let mut bytes = draft.encode().expect("a sound draft");
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(frame) = Frame::new(&bytes)
            && let Some(packet) = decode_leniently(frame, version, direction, &mut Vec::new())
        {
            draws_the_same_line(&packet, version)?;
        }
    }

    #[test]
    fn whatever_properties_and_lists_they_carry(
        (draft, direction) in sound_drafts(),
        properties in property_lists(),
        list in prop::option::of(vec(prop_oneof![0..4u8, any::<u8>()], 0..12)),
    ) {
        let version = draft.version();
        let bytes = draft.encode().expect("a sound draft");
        let frame = Frame::new(&bytes).expect("one frame");
        let packet = decode(frame, version, direction).expect("a sound packet");
        let packet = with(packet, Properties::new(&properties), list.as_deref());
        draws_the_same_line(&packet, version)?;
    }

    /// PUBLISH is read at a glance where that is enough; the lenient reading never does so.
    #[test]
    fn a_publish_is_read_the_same_at_a_glance_and_with_care(
        flags in 0..16u8,
        topic in prop_oneof!["[a-c/+]{0,3}", "\\PC{0,40}", "[ -~]{0,40}"],
        packet_id in prop_oneof![Just(0), any::<u16>()],
        properties in property_lists(),
        payload in vec(any::<u8>(), 0..4),
        version in select(&Version::ALL[..]),
        direction in select(&Direction::ALL[..]),
    ) {
        let mut body = Vec::new();
        body.extend(u16::try_from(topic.len()).expect("a short topic").to_be_bytes());
        body.extend(topic.as_bytes());
        if flags & 0b0110 != 0 {
            body.extend(packet_id.to_be_bytes());
        }
        if version == Version::V5_0 {
            body.push(u8::try_from(properties.len()).expect("a short list"));
            body.extend(&properties);
        }
        body.extend(payload);
        let mut bytes = vec![0x30 | flags];
        let [high, low] = u16::try_from(body.len()).expect("a short body").to_be_bytes();
        match (high, low) {
            (0, 0..=0x7F) => bytes.push(low),
            _ => bytes.extend([0x80 | low, high << 1 | low >> 7]),
        }
        bytes.extend(body);
        let frame = Frame::new(&bytes).expect("one frame");
        let mut violations = Vec::new();
        let lenient = decode_leniently(frame, version, direction, &mut violations);
        match decode(frame, version, direction) {
            Ok(packet) => {
                prop_assert_eq!(violations, vec![]);
                prop_assert_eq!(lenient, Some(packet));
                if let Packet::Publish(publish) = packet {
                    // What a glance says of the properties is what a walk finds.
                    for id in PropertyId::ALL {
                        let found = publish.properties.iter().any(|property| property.id == id);
                        prop_assert_eq!(publish.properties.contains(id), found);
                    }
                }
            }
            Err(violation) => prop_assert_eq!(violations.first(), Some(&violation)),
        }
    }
}
