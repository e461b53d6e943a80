//! Each malformation does to the wire what it says, and nothing else.
#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use codec::{
    Direction, Frame, MAXIMUM_PACKET_SIZE, PacketType, PropertyId, PropertyOwner, Split, Version,
    decode,
    draft::{Draft, DraftError, Malformation, Value, malformations, property_field},
    split,
};

/// A QoS 1 PUBLISH of 5.0 with one property: `32 0b 00 01 74 00 07 03 23 00 05 68 69`.
fn publish() -> Draft {
    let mut draft = Draft::new(PacketType::Publish, Version::V5_0);
    draft.set("topic", Value::Text(b"t".to_vec())).unwrap();
    draft.set("qos", Value::Number(1)).unwrap();
    draft.set("id", Value::Number(7)).unwrap();
    draft.set("topic_alias", Value::Number(5)).unwrap();
    draft.set("payload", Value::Text(b"hi".to_vec())).unwrap();
    draft
}

#[track_caller]
fn becomes(malformations: &[Malformation], expected: &str) {
    let mut draft = publish();
    for malformation in malformations {
        draft.malform(malformation.clone());
    }
    let bytes = draft.encode().unwrap();
    let hex = bytes
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .join(" ");
    assert_eq!(hex, expected);
}

#[test]
fn without_any_it_is_sound() {
    becomes(&[], "32 0b 00 01 74 00 07 03 23 00 05 68 69");
}

#[test]
fn the_fixed_header_lies() {
    becomes(
        &[Malformation::Flags(0b1111)],
        "3f 0b 00 01 74 00 07 03 23 00 05 68 69",
    );
    becomes(
        &[Malformation::PacketType(0)],
        "02 0b 00 01 74 00 07 03 23 00 05 68 69",
    );
    becomes(
        &[Malformation::Length(3)],
        "32 03 00 01 74 00 07 03 23 00 05 68 69",
    );
    becomes(
        &[Malformation::Length(300)],
        "32 ac 02 00 01 74 00 07 03 23 00 05 68 69",
    );
    becomes(
        &[Malformation::LengthWidth(4)],
        "32 8b 80 80 00 00 01 74 00 07 03 23 00 05 68 69",
    );
    becomes(
        &[Malformation::LengthWidth(5)],
        "32 8b 80 80 80 00 00 01 74 00 07 03 23 00 05 68 69",
    );
    becomes(
        &[Malformation::Length(268_435_456)],
        "32 80 80 80 80 01 00 01 74 00 07 03 23 00 05 68 69",
    );
    becomes(
        &[Malformation::Length(11), Malformation::LengthWidth(2)],
        "32 8b 00 00 01 74 00 07 03 23 00 05 68 69",
    );
}

#[test]
fn the_end_is_missing_or_too_far() {
    becomes(&[Malformation::Cut(1)], "32");
    becomes(&[Malformation::Cut(0)], "");
    becomes(&[Malformation::Cut(-2)], "32 0b 00 01 74 00 07 03 23 00 05");
    becomes(
        &[Malformation::Cut(99)],
        "32 0b 00 01 74 00 07 03 23 00 05 68 69",
    );
    becomes(&[Malformation::Short(6)], "32 04 00 01 74 00");
    becomes(
        &[Malformation::Short(-2)],
        "32 09 00 01 74 00 07 03 23 00 05",
    );
    becomes(&[Malformation::Short(-99)], "32 00");
    becomes(
        &[Malformation::Extra(vec![0xAA, 0xBB])],
        "32 0d 00 01 74 00 07 03 23 00 05 68 69 aa bb",
    );
}

#[test]
fn fields_are_repeated_left_out_and_swapped() {
    becomes(
        &[Malformation::Twice("topic_alias")],
        "32 0e 00 01 74 00 07 06 23 00 05 23 00 05 68 69",
    );
    becomes(
        &[Malformation::Twice("topic")],
        "32 0e 00 01 74 00 01 74 00 07 03 23 00 05 68 69",
    );
    becomes(
        &[Malformation::Twice("payload_format")],
        "32 0f 00 01 74 00 07 07 23 00 05 01 01 01 01 68 69",
    );
    becomes(
        &[Malformation::Without("id")],
        "32 09 00 01 74 03 23 00 05 68 69",
    );
    becomes(
        &[Malformation::Without("properties")],
        "32 07 00 01 74 00 07 68 69",
    );
    becomes(
        &[Malformation::Without("topic_alias")],
        "32 08 00 01 74 00 07 00 68 69",
    );
    becomes(
        &[Malformation::Swap("topic", "id")],
        "32 0b 00 07 00 01 74 03 23 00 05 68 69",
    );
    becomes(
        &[Malformation::Swap("id", "topic")],
        "32 0b 00 07 00 01 74 03 23 00 05 68 69",
    );
    becomes(
        &[Malformation::Swap("id", "id")],
        "32 0b 00 01 74 00 07 03 23 00 05 68 69",
    );
}

#[test]
fn fields_and_properties_stand_in_any_order() {
    becomes(
        &[Malformation::Order(vec!["properties", "topic", "id"])],
        "32 0b 03 23 00 05 00 01 74 00 07 68 69",
    );
    becomes(
        &[Malformation::Order(vec!["payload", "id", "topic"])],
        "32 0b 68 69 00 07 03 23 00 05 00 01 74",
    );
    // A property among the fields, and a field among the properties.
    becomes(
        &[Malformation::Order(vec!["topic_alias", "topic"])],
        "32 0b 23 00 05 00 07 03 00 01 74 68 69",
    );
    becomes(
        &[Malformation::Order(vec!["topic", "id", "payload"])],
        "32 0b 00 01 74 00 07 03 23 00 05 68 69",
    );
    let mut draft = publish();
    draft.set("payload_format", Value::Number(1)).unwrap();
    draft.malform(Malformation::Order(vec!["payload_format", "topic_alias"]));
    assert_eq!(
        draft.encode().unwrap(),
        b"\x32\x0d\x00\x01t\x00\x07\x05\x01\x01\x23\x00\x05hi"
    );
    let mut draft = publish();
    draft.malform(Malformation::Order(vec!["topic", "user_name"]));
    assert_eq!(
        draft.encode().unwrap_err(),
        DraftError::NotCarried("user_name")
    );
}

/// What repeats moves together: options of a SUBSCRIBE before all of its filters.
#[test]
fn what_stands_more_than_once_keeps_its_own_order() {
    let mut draft = Draft::new(PacketType::Unsubscribe, Version::V5_0);
    let filters = vec![b"a".to_vec(), b"b".to_vec()];
    draft.set("filters", Value::Texts(filters)).unwrap();
    draft.malform(Malformation::Order(vec!["filters", "id"]));
    assert_eq!(
        draft.encode().unwrap(),
        b"\xA2\x09\x00\x01a\x00\x00\x01b\x00\x01"
    );
}

#[test]
fn properties_and_inner_lengths_lie() {
    becomes(
        &[Malformation::Property(vec![0x7F, 0])],
        "32 0d 00 01 74 00 07 05 23 00 05 7f 00 68 69",
    );
    becomes(
        &[Malformation::PropertyLength(200)],
        "32 0c 00 01 74 00 07 c8 01 23 00 05 68 69",
    );
    becomes(
        &[Malformation::PropertyLengthWidth(2)],
        "32 0c 00 01 74 00 07 83 00 23 00 05 68 69",
    );
    becomes(
        &[Malformation::FieldLength("topic", 0xFFFF)],
        "32 0b ff ff 74 00 07 03 23 00 05 68 69",
    );
}

#[test]
fn bytes_stand_for_themselves() {
    becomes(
        &[Malformation::Flags(0), Malformation::Bytes(vec![1, 2, 3])],
        "01 02 03",
    );
}

#[test]
fn forbidden_values_are_written_as_they_are() {
    let mut draft = publish();
    draft.set("qos", Value::Number(3)).unwrap();
    draft.set("topic", Value::Text(vec![0xFF, 0])).unwrap();
    draft.set("server_keep_alive", Value::Number(9)).unwrap();
    let hex = draft.encode().unwrap();
    assert_eq!(
        hex,
        b"\x36\x0f\x00\x02\xFF\x00\x00\x07\x06\x23\x00\x05\x13\x00\x09hi"
    );
}

#[test]
fn a_connect_can_announce_what_it_does_not_hold() {
    let mut draft = Draft::new(PacketType::Connect, Version::V3_1_1);
    draft.set("user_name", Value::Text(b"u".to_vec())).unwrap();
    draft.malform(Malformation::Without("user_name"));
    assert_eq!(
        draft.encode().unwrap(),
        b"\x10\x0c\x00\x04MQTT\x04\x82\x00\x00\x00\x00"
    );
    draft
        .set("connect_flags", Value::Number(0b0101_1001))
        .unwrap();
    assert_eq!(draft.encode().unwrap()[9], 0b0101_1001);
}

#[test]
fn numbers_that_do_not_fit_and_fields_that_are_not_there_are_refused() {
    let mut draft = publish();
    assert_eq!(
        draft.set("qos", Value::Number(4)).unwrap_err(),
        DraftError::TooLarge {
            field: "qos",
            maximum: 3
        }
    );
    assert_eq!(
        draft.set("topic", Value::Number(1)).unwrap_err(),
        DraftError::WrongKind {
            field: "topic",
            expected: "text"
        }
    );
    assert!(matches!(
        draft.set("topc", Value::Number(1)).unwrap_err(),
        DraftError::UnknownField { .. }
    ));
    draft.malform(Malformation::Without("user_name"));
    assert_eq!(
        draft.encode().unwrap_err(),
        DraftError::NotCarried("user_name")
    );
    let mut old = Draft::new(PacketType::Publish, Version::V3_1_1);
    old.set("topic_alias", Value::Number(1)).unwrap();
    let not_in_version = DraftError::NotInVersion {
        field: "topic_alias",
        version: Version::V3_1_1,
    };
    assert_eq!(old.encode().unwrap_err(), not_in_version);
}

#[test]
fn every_malformation_of_the_table_can_be_named() {
    for spec in malformations() {
        let value = match spec.name {
            "flags"
            | "type"
            | "length"
            | "length_width"
            | "property_length"
            | "property_length_width" => Value::Number(1),
            "cut" | "short" => Value::Integer(-1),
            "extra" | "property" | "bytes" => Value::Binary(vec![1]),
            "twice" | "without" => Value::Text(b"topic".to_vec()),
            "swap" | "order" => Value::Texts(vec![b"topic".to_vec(), b"id".to_vec()]),
            "field_length" => Value::Pairs(vec![(b"topic".to_vec(), b"9".to_vec())]),
            other => panic!("{other} has no test"),
        };
        assert_eq!(
            Malformation::new(spec.name, value).unwrap().name(),
            spec.name
        );
        let wrong = Malformation::new(spec.name, Value::Flag(true)).unwrap_err();
        assert!(matches!(wrong, DraftError::WrongKind { .. }), "{wrong}");
    }
    assert!(matches!(
        Malformation::new("twice", Value::Text(b"tpoic".to_vec())).unwrap_err(),
        DraftError::UnknownPiece(name) if name == "tpoic"
    ));
    assert!(Malformation::new("flags", Value::Number(16)).is_err());
}

/// Cut at any boundary of a field, with a Remaining Length that fits, a packet is whole for the framer
/// and wrong for the decoder, unless what is left is a packet too.
#[test]
fn packets_are_cut_at_each_boundary() {
    for packet_type in PacketType::ALL {
        let draft = Draft::new(packet_type, Version::V5_0);
        let whole = draft.encode().unwrap();
        let direction = Direction::ALL
            .into_iter()
            .find(|way| packet_type.travels(*way, Version::V5_0))
            .unwrap();
        for boundary in draft.boundaries().unwrap() {
            let at = i64::try_from(boundary).unwrap();
            let mut cut = draft.clone();
            cut.malform(Malformation::Cut(at));
            let bytes = cut.encode().unwrap();
            assert_eq!(bytes, whole[..boundary]);
            let split = split(&bytes, Version::V5_0, direction, MAXIMUM_PACKET_SIZE).unwrap();
            assert_eq!(
                split,
                Split::Incomplete {
                    size: Some(whole.len())
                }
            );
            let mut short = draft.clone();
            short.malform(Malformation::Short(at));
            let bytes = short.encode().unwrap();
            let frame = Frame::new(&bytes).expect("its Remaining Length fits");
            if let Err(violation) = decode(frame, Version::V5_0, direction) {
                assert_eq!(
                    violation.offset, boundary,
                    "{packet_type} cut at {boundary}"
                );
            }
        }
    }
}

/// Every property can be set on every packet with properties, in the packet and in the Will.
#[test]
fn any_packet_can_carry_any_property() {
    for packet_type in PacketType::ALL {
        for id in PropertyId::ALL {
            let owner = PropertyOwner::Packet(packet_type);
            let spec = property_field(owner, id).unwrap();
            let mut draft = Draft::new(packet_type, Version::V5_0);
            let value = match (spec.name, codec::draft::sample(id)) {
                ("subscription_ids", Value::Number(number)) => Value::Numbers(vec![number]),
                (_, value) => value,
            };
            draft.set(spec.name, value).unwrap();
            let bytes = draft.encode().unwrap();
            if matches!(packet_type, PacketType::Pingreq | PacketType::Pingresp) {
                continue;
            }
            assert!(bytes.contains(&id.identifier()), "{packet_type} {id}");
        }
    }
}
