//! The packets that are decoded and encoded: single messages, and the trace of a client's session.

use codec::{
    Direction, Frame, MAXIMUM_PACKET_SIZE, Packet, PropertiesBuf, PropertyId, Publish, QoS, Split,
    Text, Version, decode, encode, split,
};

pub(crate) const TOPIC: &str = "sensors/hall/7/level";

pub(crate) fn six_properties() -> PropertiesBuf {
    let mut properties = PropertiesBuf::new();
    properties
        .byte(PropertyId::PayloadFormatIndicator, 1)
        .four_byte_integer(PropertyId::MessageExpiryInterval, 3600)
        .utf8_string(PropertyId::ContentType, "application/json")
        .utf8_string(PropertyId::ResponseTopic, "answers/hall/7")
        .binary_data(PropertyId::CorrelationData, b"0123456789abcdef")
        .user_property("origin", "hall-7-gateway");
    properties
}

pub(crate) fn packet<'a>(payload: &'a [u8], properties: &'a PropertiesBuf) -> Packet<'a> {
    Packet::Publish(Publish {
        dup: false,
        qos: QoS::AT_MOST_ONCE,
        retain: false,
        topic: Text::from(TOPIC),
        packet_id: None,
        properties: properties.as_properties(),
        payload,
    })
}

pub(crate) fn publish(payload: usize, properties: &PropertiesBuf) -> Vec<u8> {
    let mut out = Vec::new();
    encode(
        &packet(&vec![b'x'; payload], properties),
        Version::V5_0,
        &mut out,
    )
    .expect("a sound packet");
    out
}

pub(crate) fn publish_3_1_1(payload: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let properties = PropertiesBuf::new();
    encode(
        &packet(&vec![b'x'; payload], &properties),
        Version::V3_1_1,
        &mut out,
    )
    .expect("a sound packet");
    out
}

/// A client's session as both sides send it: the handshake, subscriptions, messages at each QoS, pings.
pub(crate) fn trace_5_0() -> Vec<u8> {
    let mut trace = Vec::new();
    trace.extend(b"\x10\x29\x00\x04MQTT\x05\xC2\x00\x3C\x08\x11\x00\x00\x00\x78\x21\x00\x14\x00\x08client-7\x00\x04user\x00\x04pass");
    trace.extend(b"\x20\x09\x00\x00\x06\x21\x00\x0A\x22\x00\x0A");
    trace.extend(b"\x82\x17\x00\x01\x02\x0B\x05\x00\x0Fsensors/+/level\x01");
    trace.extend(b"\x90\x04\x00\x01\x00\x01");
    let messages = [
        publish(64, &PropertiesBuf::new()),
        publish(64, &six_properties()),
    ];
    for message in 0..10u8 {
        trace.extend(&messages[usize::from(message % 2)]);
        trace.extend(
            [
                &b"\x32\x1C\x00\x14"[..],
                TOPIC.as_bytes(),
                &[0, message + 2, 0],
                b"abc",
            ]
            .concat(),
        );
        trace.extend([0x40, 2, 0, message + 2]);
        trace.extend(
            [
                &b"\x34\x1C\x00\x14"[..],
                TOPIC.as_bytes(),
                &[0, message + 20, 0],
                b"abc",
            ]
            .concat(),
        );
        for first in [0x50, 0x62, 0x70] {
            trace.extend([first, 2, 0, message + 20]);
        }
    }
    trace.extend(b"\xC0\x00\xD0\x00");
    trace.extend(b"\xA2\x14\x00\x40\x00\x00\x0Fsensors/+/level\xB0\x04\x00\x40\x00\x00");
    trace
}

pub(crate) fn trace_3_1_1() -> Vec<u8> {
    let mut trace = Vec::new();
    trace.extend(b"\x10\x20\x00\x04MQTT\x04\xC2\x00\x3C\x00\x08client-7\x00\x04user\x00\x04pass");
    trace.extend(b"\x20\x02\x00\x00");
    trace.extend(b"\x82\x14\x00\x01\x00\x0Fsensors/+/level\x01");
    trace.extend(b"\x90\x03\x00\x01\x01");
    let message = publish_3_1_1(64);
    for id in 0..10u8 {
        trace.extend(&message);
        trace.extend(
            [
                &b"\x32\x1B\x00\x14"[..],
                TOPIC.as_bytes(),
                &[0, id + 2],
                b"abc",
            ]
            .concat(),
        );
        trace.extend([0x40, 2, 0, id + 2]);
        trace.extend(
            [
                &b"\x34\x1B\x00\x14"[..],
                TOPIC.as_bytes(),
                &[0, id + 20],
                b"abc",
            ]
            .concat(),
        );
        for first in [0x50, 0x62, 0x70] {
            trace.extend([first, 2, 0, id + 20]);
        }
    }
    trace.extend(b"\xC0\x00\xD0\x00");
    trace.extend(b"\xA2\x13\x00\x40\x00\x0Fsensors/+/level\xB0\x02\x00\x40\xE0\x00");
    trace
}

/// The direction in which a packet of the trace travels.
pub(crate) fn direction(frame: Frame<'_>) -> Direction {
    match frame.first_byte() >> 4 {
        2 | 9 | 11 | 13 => Direction::ToClient,
        _ => Direction::ToServer,
    }
}

pub(crate) fn count(mut stream: &[u8]) -> usize {
    let mut count = 0;
    while let Ok(Split::Complete { rest, .. }) = split(
        stream,
        Version::V5_0,
        Direction::ToServer,
        MAXIMUM_PACKET_SIZE,
    ) {
        count += 1;
        stream = rest;
    }
    count
}

pub(crate) fn repeated(stream: &[u8]) -> Vec<u8> {
    stream.repeat((32_768 / stream.len()).max(1))
}

pub(crate) fn frames(mut stream: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    while let Ok(Split::Complete { frame, rest }) = split(
        stream,
        Version::V5_0,
        Direction::ToServer,
        MAXIMUM_PACKET_SIZE,
    ) {
        frames.push(frame.as_bytes());
        stream = rest;
    }
    frames
}

/// The packets of a stream as ours borrow them.
pub(crate) fn packets(stream: &[u8], version: Version) -> Vec<Packet<'_>> {
    frames(stream)
        .into_iter()
        .filter_map(Frame::new)
        .map(|frame| decode(frame, version, direction(frame)).expect("a sound packet"))
        .collect()
}
