//! What can be tried out completely.
#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use codec::{
    Direction, Frame, MAXIMUM_PACKET_SIZE, Packet, PacketType, PropertyId, PropertyOwner,
    ReasonCode, Split, Version, decode, decode_leniently,
    draft::{Draft, Value, property_field, sample},
    encode, split,
};

fn ways() -> impl Iterator<Item = (Version, Direction)> {
    Version::ALL
        .into_iter()
        .flat_map(|version| Direction::ALL.map(|direction| (version, direction)))
}

/// Strict and lenient reading agree, and what is accepted is written again to the same meaning.
fn check(bytes: &[u8], version: Version, direction: Direction) {
    let frame = Frame::new(bytes).unwrap();
    let mut violations = Vec::new();
    let lenient = decode_leniently(frame, version, direction, &mut violations);
    match decode(frame, version, direction) {
        Ok(packet) => {
            assert_eq!(violations, [], "{bytes:02x?}");
            assert_eq!(lenient, Some(packet));
            let mut out = Vec::new();
            encode(&packet, version, &mut out).unwrap();
            assert_eq!(
                decode(Frame::new(&out).unwrap(), version, direction),
                Ok(packet),
                "{bytes:02x?}"
            );
            assert!(out.len() <= bytes.len());
        }
        Err(violation) => assert_eq!(violations.first(), Some(&violation), "{bytes:02x?}"),
    }
}

#[test]
fn every_first_byte_and_every_body_of_one_or_two_bytes() {
    for (version, direction) in ways() {
        for first in 0..=u8::MAX {
            check(&[first, 0], version, direction);
            for byte in 0..=u8::MAX {
                check(&[first, 1, byte], version, direction);
            }
        }
        // Flags do not change how a body is read, except in PUBLISH.
        let firsts = PacketType::ALL.map(|packet_type| {
            packet_type.value() << 4 | packet_type.reserved_flags().unwrap_or(0)
        });
        for first in firsts.into_iter().chain([0x32, 0x34, 0x36]) {
            for body in 0..=u16::MAX {
                let [high, low] = body.to_be_bytes();
                check(&[first, 2, high, low], version, direction);
            }
        }
    }
}

#[test]
fn every_remaining_length_up_to_three_bytes_and_the_edges_of_more() {
    let framed = |remaining_length: u32, encoded: &[u8]| {
        let mut bytes = vec![0x30];
        bytes.extend_from_slice(encoded);
        let size = 1 + encoded.len() + remaining_length as usize;
        let result = split(
            &bytes,
            Version::V5_0,
            Direction::ToServer,
            MAXIMUM_PACKET_SIZE,
        );
        match result {
            Ok(Split::Complete { frame, rest }) => {
                assert_eq!(
                    (frame.as_bytes().len(), rest.len(), remaining_length),
                    (size, 0, 0)
                );
            }
            other => assert_eq!(other, Ok(Split::Incomplete { size: Some(size) })),
        }
    };
    for low in 0..=0x7F_u8 {
        framed(low.into(), &[low]);
        for high in 0..=0x7F_u8 {
            framed(u32::from(low) | u32::from(high) << 7, &[low | 0x80, high]);
        }
    }
    for (value, encoded) in [
        (16_384, &[0x80, 0x80, 0x01][..]),
        (2_097_151, &[0xFF, 0xFF, 0x7F]),
        (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
        (268_435_455, &[0xFF, 0xFF, 0xFF, 0x7F]),
        (0, &[0x80, 0x80, 0x80, 0x00]),
    ] {
        framed(value, encoded);
    }
    for encoded in [
        &[0xFF, 0xFF, 0xFF, 0x80][..],
        &[0xFF, 0xFF, 0xFF, 0xFF],
        &[0x80, 0x80, 0x80, 0x80, 0x01],
    ] {
        let mut bytes = vec![0x30];
        bytes.extend_from_slice(encoded);
        for (version, clause) in [
            (Version::V3_1, "v3.1.1/U311-2.2.3-1"),
            (Version::V3_1_1, "v3.1.1/U311-2.2.3-1"),
            (Version::V5_0, "v5.0/U50-1.5.5-1"),
        ] {
            let violation =
                split(&bytes, version, Direction::ToServer, MAXIMUM_PACKET_SIZE).unwrap_err();
            assert_eq!((violation.clause.name(), violation.offset), (clause, 1));
        }
    }
    for encoded in [&[][..], &[0x80], &[0xFF, 0xFF], &[0xFF, 0xFF, 0xFF]] {
        let mut bytes = vec![0x30];
        bytes.extend_from_slice(encoded);
        let result = split(
            &bytes,
            Version::V5_0,
            Direction::ToServer,
            MAXIMUM_PACKET_SIZE,
        );
        assert_eq!(result, Ok(Split::Incomplete { size: None }));
    }
}

#[test]
fn a_packet_one_byte_too_large_is_refused_by_its_header_alone() {
    for (size, verdict) in [(9, true), (10, true), (11, false)] {
        let header = [0x30, size - 2];
        let result = split(&header, Version::V5_0, Direction::ToServer, 10);
        assert_eq!(result.is_ok(), verdict, "{size}");
    }
    let clause = |version, direction| {
        split(&[0x30, 0x7F], version, direction, 100)
            .unwrap_err()
            .clause
            .name()
    };
    assert_eq!(
        clause(Version::V5_0, Direction::ToServer),
        "v5.0/U50-3.2.2.3.6-2"
    );
    assert_eq!(
        clause(Version::V5_0, Direction::ToClient),
        "v5.0/U50-3.1.2.11.4-2"
    );
    assert_eq!(
        clause(Version::V3_1_1, Direction::ToServer),
        "v3.1.1/MQTT-4.8.0-2"
    );
}

/// Tables 3-1, 3-4 to 3-10 and 3-11 of 5.0, and sections 3.9.3 and 3.11.3: who may send which Reason Code.
const REASON_CODES: &[(PacketType, Direction, &[u8])] = &[
    (
        PacketType::Connack,
        Direction::ToClient,
        &[
            0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90,
            0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F,
        ],
    ),
    (
        PacketType::Puback,
        Direction::ToClient,
        &[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
    ),
    (
        PacketType::Puback,
        Direction::ToServer,
        &[0x00, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
    ),
    (
        PacketType::Pubrec,
        Direction::ToClient,
        &[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
    ),
    (
        PacketType::Pubrec,
        Direction::ToServer,
        &[0x00, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
    ),
    (PacketType::Pubrel, Direction::ToClient, &[0x00, 0x92]),
    (PacketType::Pubrel, Direction::ToServer, &[0x00, 0x92]),
    (PacketType::Pubcomp, Direction::ToClient, &[0x00, 0x92]),
    (PacketType::Pubcomp, Direction::ToServer, &[0x00, 0x92]),
    (
        PacketType::Suback,
        Direction::ToClient,
        &[
            0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2,
        ],
    ),
    (
        PacketType::Unsuback,
        Direction::ToClient,
        &[0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91],
    ),
    (
        PacketType::Disconnect,
        Direction::ToServer,
        &[
            0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x8C, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98,
            0x99,
        ],
    ),
    (
        PacketType::Disconnect,
        Direction::ToClient,
        &[
            0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93,
            0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1,
            0xA2,
        ],
    ),
    (PacketType::Auth, Direction::ToServer, &[0x18, 0x19]),
    (PacketType::Auth, Direction::ToClient, &[0x00, 0x18]),
];

#[test]
fn every_reason_code_in_every_packet() {
    for (packet_type, direction, allowed) in REASON_CODES {
        for code in 0..=u8::MAX {
            let mut draft = Draft::new(*packet_type, Version::V5_0);
            match packet_type {
                PacketType::Suback | PacketType::Unsuback => {
                    draft
                        .set("codes", Value::Numbers(vec![0, code.into()]))
                        .unwrap();
                }
                _ => {
                    draft.set("reason", Value::Number(code.into())).unwrap();
                }
            }
            if *packet_type == PacketType::Auth {
                draft
                    .set("authentication_method", Value::Text(b"m".to_vec()))
                    .unwrap();
            }
            let bytes = draft.encode().unwrap();
            let result = decode(Frame::new(&bytes).unwrap(), Version::V5_0, *direction);
            assert_eq!(
                result.is_ok(),
                allowed.contains(&code),
                "{draft} {direction}"
            );
            if result.is_err() {
                continue;
            }
            let name = ReasonCode(code)
                .name(*packet_type)
                .expect("an allowed code has a name");
            assert_eq!(ReasonCode::from_name(name), Some(ReasonCode(code)));
        }
    }
}

#[test]
fn every_code_of_connack_and_suback_before_5_0() {
    for code in 0..=u8::MAX {
        for (packet_type, bytes, allowed) in [
            (PacketType::Connack, [0x20, 2, 0, code].to_vec(), code <= 5),
            (
                PacketType::Suback,
                [0x90, 3, 0, 1, code].to_vec(),
                code <= 2 || code == 0x80,
            ),
        ] {
            let frame = Frame::new(&bytes).unwrap();
            let result = decode(frame, Version::V3_1_1, Direction::ToClient);
            assert_eq!(result.is_ok(), allowed, "{packet_type} {code}");
            let in_3_1 = decode(frame, Version::V3_1, Direction::ToClient);
            assert_eq!(
                in_3_1.is_ok(),
                allowed && code != 0x80,
                "{packet_type} {code} in 3.1"
            );
        }
    }
}

/// Table 2-4 of 5.0: which packets carry which property; `Will` stands for the Will Properties.
const PROPERTIES: &[(PropertyId, &str)] = &[
    (PropertyId::PayloadFormatIndicator, "PUBLISH Will"),
    (PropertyId::MessageExpiryInterval, "PUBLISH Will"),
    (PropertyId::ContentType, "PUBLISH Will"),
    (PropertyId::ResponseTopic, "PUBLISH Will"),
    (PropertyId::CorrelationData, "PUBLISH Will"),
    (PropertyId::SubscriptionIdentifier, "PUBLISH SUBSCRIBE"),
    (
        PropertyId::SessionExpiryInterval,
        "CONNECT CONNACK DISCONNECT",
    ),
    (PropertyId::AssignedClientIdentifier, "CONNACK"),
    (PropertyId::ServerKeepAlive, "CONNACK"),
    (PropertyId::AuthenticationMethod, "CONNECT CONNACK AUTH"),
    (PropertyId::AuthenticationData, "CONNECT CONNACK AUTH"),
    (PropertyId::RequestProblemInformation, "CONNECT"),
    (PropertyId::WillDelayInterval, "Will"),
    (PropertyId::RequestResponseInformation, "CONNECT"),
    (PropertyId::ResponseInformation, "CONNACK"),
    (PropertyId::ServerReference, "CONNACK DISCONNECT"),
    (
        PropertyId::ReasonString,
        "CONNACK PUBACK PUBREC PUBREL PUBCOMP SUBACK UNSUBACK DISCONNECT AUTH",
    ),
    (PropertyId::ReceiveMaximum, "CONNECT CONNACK"),
    (PropertyId::TopicAliasMaximum, "CONNECT CONNACK"),
    (PropertyId::TopicAlias, "PUBLISH"),
    (PropertyId::MaximumQoS, "CONNACK"),
    (PropertyId::RetainAvailable, "CONNACK"),
    (
        PropertyId::UserProperty,
        "CONNECT CONNACK PUBLISH Will PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE SUBACK UNSUBSCRIBE UNSUBACK DISCONNECT AUTH",
    ),
    (PropertyId::MaximumPacketSize, "CONNECT CONNACK"),
    (PropertyId::WildcardSubscriptionAvailable, "CONNACK"),
    (PropertyId::SubscriptionIdentifierAvailable, "CONNACK"),
    (PropertyId::SharedSubscriptionAvailable, "CONNACK"),
];

#[test]
fn every_property_in_every_packet() {
    assert_eq!(PROPERTIES.len(), PropertyId::ALL.len());
    for (id, owners) in PROPERTIES {
        for packet_type in PacketType::ALL {
            if matches!(packet_type, PacketType::Pingreq | PacketType::Pingresp) {
                continue;
            }
            let spec = property_field(PropertyOwner::Packet(packet_type), *id).unwrap();
            let mut draft = Draft::new(packet_type, Version::V5_0);
            if packet_type == PacketType::Auth {
                draft.set("reason", Value::Number(0x18)).unwrap();
            }
            if matches!(packet_type, PacketType::Auth | PacketType::Connect) {
                draft
                    .set("authentication_method", Value::Text(b"m".to_vec()))
                    .unwrap();
            }
            let value = match (spec.name, sample(*id)) {
                ("subscription_ids", Value::Number(number)) => Value::Numbers(vec![number]),
                (_, value) => value,
            };
            draft.set(spec.name, value).unwrap();
            let bytes = draft.encode().unwrap();
            let frame = Frame::new(&bytes).unwrap();
            let accepted =
                Direction::ALL.map(|direction| decode(frame, Version::V5_0, direction).is_ok());
            let allowed = owners.split(' ').any(|owner| owner == packet_type.name());
            assert_eq!(accepted.contains(&true), allowed, "{draft}");
        }
    }
}

#[test]
fn every_property_in_the_will() {
    for (id, owners) in PROPERTIES {
        // CONNECT with a Will whose properties are this one alone.
        let spec = property_field(PropertyOwner::Will, *id).unwrap();
        let mut inner = Draft::new(PacketType::Puback, Version::V5_0);
        inner.set(spec.name, sample(*id)).unwrap();
        let properties = inner.encode().unwrap()[5..].to_vec();
        let mut body = b"\x00\x04MQTT\x05\x06\x00\x00\x00\x00\x00".to_vec();
        body.extend(properties);
        body.extend(b"\x00\x01w\x00\x00");
        let mut bytes = vec![0x10, u8::try_from(body.len()).unwrap()];
        bytes.extend(body);
        let result = decode(
            Frame::new(&bytes).unwrap(),
            Version::V5_0,
            Direction::ToServer,
        );
        let allowed = owners.split(' ').any(|owner| owner == "Will");
        assert_eq!(result.is_ok(), allowed, "{id}: {result:?}");
        if let Ok(Packet::Connect(connect)) = result {
            assert!(connect.will.unwrap().properties.contains(*id));
        }
    }
}
