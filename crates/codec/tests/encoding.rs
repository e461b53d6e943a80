//! What the encoder refuses, and what it leaves out.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use codec::{
    Connack, Disconnect, EncodeError, Packet, PacketType, PropertiesBuf, PropertyId, PropertyValue,
    Puback, Publish, QoS, ReasonCode, RetainHandling, Subscribe, SubscriptionOptions,
    SubscriptionsBuf, Text, TopicFiltersBuf, Unsubscribe, Version, encode, encode_as_is,
};

const PUBLISH: Publish<'_> = Publish {
    dup: false,
    qos: QoS::AT_MOST_ONCE,
    retain: false,
    topic: Text::new(b"t"),
    packet_id: None,
    properties: codec::Properties::EMPTY,
    payload: b"p",
};

fn refused(packet: impl Into<Packet<'static>>, version: Version) -> EncodeError {
    let mut out = b"kept".to_vec();
    let error = encode(&packet.into(), version, &mut out).unwrap_err();
    assert_eq!(out, b"kept");
    error
}

#[track_caller]
fn breaks(packet: impl Into<Packet<'static>>, version: Version, clause: &str) {
    match refused(packet, version) {
        EncodeError::Unsound(violation) => assert_eq!(violation.clause.name(), clause),
        other => panic!("{other}"),
    }
}

#[test]
fn unsound_packets_are_refused_and_can_be_written_as_they_are() {
    let wildcard = Publish {
        topic: "a/+".into(),
        ..PUBLISH
    };
    breaks(wildcard, Version::V5_0, "v5.0/MQTT-3.3.2-2");
    let mut out = Vec::new();
    encode_as_is(&wildcard.into(), Version::V3_1_1, &mut out).unwrap();
    assert_eq!(out, b"\x30\x06\x00\x03a/+p");
    breaks(
        Publish {
            topic: Text::new(b"\xFF"),
            ..PUBLISH
        },
        Version::V3_1_1,
        "v3.1.1/MQTT-3.3.2-1",
    );
    breaks(
        Publish {
            dup: true,
            ..PUBLISH
        },
        Version::V3_1_1,
        "v3.1.1/MQTT-3.3.1-2",
    );
    let qos_3 = Publish {
        qos: QoS::RESERVED,
        packet_id: Some(1),
        ..PUBLISH
    };
    breaks(qos_3, Version::V5_0, "v5.0/MQTT-3.3.1-4");
    let id_0 = Puback {
        packet_id: 0,
        reason_code: ReasonCode::SUCCESS,
        properties: codec::Properties::EMPTY,
    };
    breaks(id_0, Version::V5_0, "v5.0/MQTT-2.2.1-5");
}

#[test]
fn a_packet_identifier_goes_with_the_qos() {
    assert_eq!(
        refused(
            Publish {
                packet_id: Some(1),
                ..PUBLISH
            },
            Version::V5_0
        ),
        EncodeError::PacketIdentifier
    );
    let without = Publish {
        qos: QoS::AT_LEAST_ONCE,
        ..PUBLISH
    };
    assert_eq!(
        refused(without, Version::V3_1_1),
        EncodeError::PacketIdentifier
    );
}

#[test]
fn what_no_length_can_tell_is_refused() {
    let long = "x".repeat(65_536).leak();
    assert_eq!(
        refused(
            Publish {
                topic: (&*long).into(),
                ..PUBLISH
            },
            Version::V5_0
        ),
        EncodeError::FieldTooLong("topic")
    );
    let auth = Packet::Auth(codec::Auth::default());
    let missing = EncodeError::NoSuchPacket {
        packet_type: PacketType::Auth,
        version: Version::V3_1_1,
    };
    assert_eq!(refused(auth, Version::V3_1_1), missing);
    assert_eq!(missing.to_string(), "v3.1.1 has no AUTH");
}

#[test]
fn a_direction_in_which_it_is_sound_is_enough() {
    let mut properties = PropertiesBuf::new();
    properties.subscription_identifier(7);
    let mut out = Vec::new();
    // Only a server sends Subscription Identifiers, only a client a Session Expiry Interval at the end.
    encode(
        &Publish {
            properties: properties.as_properties(),
            ..PUBLISH
        }
        .into(),
        Version::V5_0,
        &mut out,
    )
    .unwrap();
    let mut properties = PropertiesBuf::new();
    properties.four_byte_integer(PropertyId::SessionExpiryInterval, 1);
    let disconnect = Disconnect {
        reason_code: ReasonCode::SUCCESS,
        properties: properties.as_properties(),
    };
    encode(&disconnect.into(), Version::V5_0, &mut out).unwrap();
    assert_eq!(
        out,
        b"\x30\x07\x00\x01t\x02\x0B\x07p\xE0\x07\x00\x05\x11\x00\x00\x00\x01"
    );
}

#[test]
fn what_a_version_has_no_room_for_is_left_out() {
    let mut properties = PropertiesBuf::new();
    properties.utf8_string(PropertyId::ReasonString, "no");
    let puback = Puback {
        packet_id: 5,
        reason_code: ReasonCode::NOT_AUTHORIZED,
        properties: properties.as_properties(),
    };
    let mut out = Vec::new();
    encode(&puback.into(), Version::V3_1_1, &mut out).unwrap();
    assert_eq!(out, b"\x40\x02\x00\x05");
    out.clear();
    encode(&puback.into(), Version::V5_0, &mut out).unwrap();
    assert_eq!(out, b"\x40\x09\x00\x05\x87\x05\x1F\x00\x02no");
    out.clear();
    let connack = Connack {
        session_present: true,
        reason_code: ReasonCode::SUCCESS,
        properties: properties.as_properties(),
    };
    encode(&connack.into(), Version::V3_1, &mut out).unwrap();
    assert_eq!(out, b"\x20\x02\x00\x00");
}

#[test]
fn the_shortest_form_is_chosen() {
    let puback = |reason_code| Puback {
        packet_id: 1,
        reason_code,
        properties: codec::Properties::EMPTY,
    };
    let mut out = Vec::new();
    encode(&puback(ReasonCode::SUCCESS).into(), Version::V5_0, &mut out).unwrap();
    encode(
        &puback(ReasonCode::NO_MATCHING_SUBSCRIBERS).into(),
        Version::V5_0,
        &mut out,
    )
    .unwrap();
    encode(&Disconnect::default().into(), Version::V5_0, &mut out).unwrap();
    let taken_over = Disconnect {
        reason_code: ReasonCode::SESSION_TAKEN_OVER,
        ..Disconnect::default()
    };
    encode(&taken_over.into(), Version::V5_0, &mut out).unwrap();
    assert_eq!(
        out,
        b"\x40\x02\x00\x01\x40\x03\x00\x01\x10\xE0\x00\xE0\x01\x8E"
    );
}

#[test]
fn lists_are_built_and_walked() {
    let mut filters = SubscriptionsBuf::new();
    let options = SubscriptionOptions::with_qos(QoS::EXACTLY_ONCE)
        .no_local(true)
        .retain_as_published(true)
        .retain_handling(RetainHandling::DoNotSend);
    filters
        .push("a/+", options)
        .push("b", SubscriptionOptions::default());
    let subscribe = Subscribe {
        packet_id: 1,
        properties: codec::Properties::EMPTY,
        filters: filters.as_subscriptions(),
    };
    let mut out = Vec::new();
    encode(&subscribe.into(), Version::V5_0, &mut out).unwrap();
    assert_eq!(out, b"\x82\x0D\x00\x01\x00\x00\x03a/+\x2E\x00\x01b\x00");
    let read = subscribe.filters.iter().next().unwrap();
    assert!(read.options.is_no_local() && read.options.is_retain_as_published());
    assert_eq!(
        read.options.handling_of_retained(),
        Some(RetainHandling::DoNotSend)
    );

    let mut filters = TopicFiltersBuf::new();
    filters.push("a").push("b/#");
    let unsubscribe = Unsubscribe {
        packet_id: 2,
        properties: codec::Properties::EMPTY,
        filters: filters.as_filters(),
    };
    out.clear();
    encode(&unsubscribe.into(), Version::V3_1_1, &mut out).unwrap();
    assert_eq!(out, b"\xA2\x0A\x00\x02\x00\x01a\x00\x03b/#");
    assert_eq!(
        unsubscribe.filters.iter().collect::<Vec<_>>(),
        [Text::from("a"), Text::from("b/#")]
    );
}

#[test]
fn properties_come_back_as_they_were_added() {
    let mut properties = PropertiesBuf::new();
    properties
        .byte(PropertyId::PayloadFormatIndicator, 1)
        .two_byte_integer(PropertyId::TopicAlias, 300)
        .binary_data(PropertyId::CorrelationData, &[0, 0xFF])
        .subscription_identifier(268_435_455)
        .user_property("k", "v")
        .user_property("k", "w");
    let list = properties.as_properties();
    assert_eq!(list.payload_format_indicator(), Some(1));
    assert_eq!(list.topic_alias(), Some(300));
    assert_eq!(list.correlation_data(), Some(&[0, 0xFF][..]));
    assert_eq!(list.subscription_identifier(), Some(268_435_455));
    let pairs = list
        .user_properties()
        .map(|(_, value)| value)
        .collect::<Vec<_>>();
    assert_eq!(pairs, [Text::from("v"), Text::from("w")]);
    assert_eq!(list.content_type(), None);
    assert_eq!(list.iter().collect::<PropertiesBuf>(), properties);
    assert_eq!(
        list.get(PropertyId::TopicAlias),
        Some(PropertyValue::TwoByteInteger(300))
    );
}
