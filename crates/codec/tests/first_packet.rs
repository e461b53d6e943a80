//! The first packet of a connection: CONNECT tells its version, or what stands in the way.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use codec::{
    Frame, ReasonCode, Version, ViolationKind, announced_version, decode_connect,
    decode_connect_leniently,
};

fn connect(name: &str, level: u8, rest: &[u8]) -> Vec<u8> {
    let mut body = u16::try_from(name.len()).unwrap().to_be_bytes().to_vec();
    body.extend(name.bytes());
    body.extend([level, 2, 0, 0]);
    body.extend(rest);
    [&[0x10, u8::try_from(body.len()).unwrap()], &body[..]].concat()
}

const CLIENT_ID: &[u8] = b"\x00\x01c";
const NO_PROPERTIES_CLIENT_ID: &[u8] = b"\x00\x00\x01c";

#[test]
fn name_and_level_tell_the_version_together() {
    for (name, level, rest, version) in [
        ("MQIsdp", 3, CLIENT_ID, Version::V3_1),
        ("MQTT", 4, CLIENT_ID, Version::V3_1_1),
        ("MQTT", 5, NO_PROPERTIES_CLIENT_ID, Version::V5_0),
    ] {
        let bytes = connect(name, level, rest);
        let frame = Frame::new(&bytes).unwrap();
        let (read, connect) = decode_connect(frame).unwrap();
        assert_eq!((read, connect.client_id), (version, "c".into()));
        assert_eq!(announced_version(frame), Some(version));
    }
}

#[test]
fn an_unknown_protocol_is_told_apart_from_a_broken_connect() {
    for (name, level, clause) in [
        ("MQTT", 6, "v5.0/MQTT-3.1.2-2"),
        ("MQTT", 0xFF, "v5.0/MQTT-3.1.2-2"),
        ("MQTT", 3, "v3.1.1/MQTT-3.1.2-2"),
        ("MQTT", 0, "v3.1.1/MQTT-3.1.2-2"),
        ("MQIsdp", 4, "v3.1/V31-2.2-2"),
        ("MQTX", 4, "v3.1.1/MQTT-3.1.2-1"),
        ("MQTX", 5, "v5.0/MQTT-3.1.2-1"),
        ("", 4, "v3.1.1/MQTT-3.1.2-1"),
        ("HTTP", 9, "v5.0/MQTT-3.1.2-1"),
    ] {
        let bytes = connect(name, level, CLIENT_ID);
        let frame = Frame::new(&bytes).unwrap();
        assert_eq!(announced_version(frame), None);
        let violation = decode_connect(frame).unwrap_err();
        assert_eq!(violation.clause.name(), clause, "{name} {level}");
        assert_eq!(violation.kind, ViolationKind::UnsupportedProtocolVersion);
        assert_eq!(
            violation.reason_code,
            ReasonCode::UNSUPPORTED_PROTOCOL_VERSION
        );
    }
}

#[test]
fn a_lenient_reading_goes_on_with_the_nearest_version() {
    let bytes = connect("MQTT", 9, NO_PROPERTIES_CLIENT_ID);
    let mut violations = Vec::new();
    let (version, connect) =
        decode_connect_leniently(Frame::new(&bytes).unwrap(), &mut violations).unwrap();
    assert_eq!(
        (version, connect.client_id, connect.protocol_version),
        (Version::V5_0, "c".into(), 9)
    );
    assert_eq!(violations.len(), 1);
}

#[test]
fn a_packet_that_is_not_connect_breaks_the_rule_about_the_first_packet() {
    for bytes in [
        &b"\xC0\x00"[..],
        b"\x30\x03\x00\x01t",
        b"\x00\x00",
        b"\xF0\x00",
    ] {
        let frame = Frame::new(bytes).unwrap();
        let violation = decode_connect(frame).unwrap_err();
        assert_eq!(
            (violation.clause.name(), violation.offset),
            ("v5.0/MQTT-3.1.0-1", 0)
        );
        assert_eq!(violation.kind, ViolationKind::ProtocolError);
        let mut violations = Vec::new();
        assert_eq!(decode_connect_leniently(frame, &mut violations), None);
        assert!(violations.contains(&violation));
    }
}

#[test]
fn a_connect_that_breaks_off_is_malformed() {
    let bytes = connect("MQTT", 5, NO_PROPERTIES_CLIENT_ID);
    for length in 0..bytes.len() - 2 {
        let short = [
            &[0x10, u8::try_from(length).unwrap()],
            &bytes[2..2 + length],
        ]
        .concat();
        let violation = decode_connect(Frame::new(&short).unwrap()).unwrap_err();
        assert_eq!(violation.kind, ViolationKind::MalformedPacket, "{length}");
        assert_eq!(violation.reason_code, ReasonCode::MALFORMED_PACKET);
    }
}
