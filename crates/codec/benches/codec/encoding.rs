//! Encoding, ours beside others.

use std::hint::black_box;

use bytes::BytesMut;
use codec::{PropertiesBuf, Version, encode, encode_as_is};

use crate::packets::{TOPIC, frames, packet, packets, publish, trace_3_1_1, trace_5_0};
use crate::paired::{Contender, compare};

const PAYLOAD: &[u8] = &[b'x'; 64];

pub(crate) fn encode_5_0(title: &str, properties: &PropertiesBuf) {
    let ours = packet(PAYLOAD, properties);
    let theirs = publish(PAYLOAD.len(), properties);
    let theirs = rumqttc_5_0(&theirs);
    let mut mqtt_proto = Vec::new();
    let mut out = Vec::with_capacity(512);
    let mut raw = Vec::with_capacity(512);
    let mut buffer = BytesMut::with_capacity(512);
    let as_theirs = publish(PAYLOAD.len(), properties);
    mqtt_proto.extend(mqtt_proto::v5::Packet::decode(&as_theirs).ok().flatten());
    compare(
        title,
        vec![
            Contender::new("ours, sound", 1, || {
                out.clear();
                encode(black_box(&ours), Version::V5_0, &mut out).expect("a sound packet");
                black_box(&out);
            }),
            Contender::new("ours, as it is", 1, || {
                raw.clear();
                encode_as_is(black_box(&ours), Version::V5_0, &mut raw).expect("a sound packet");
                black_box(&raw);
            }),
            Contender::new("mqtt-proto 0.4", 1, || {
                for packet in &mqtt_proto {
                    black_box(&black_box(packet).encode().expect("a sound packet"));
                }
            }),
            Contender::new("rumqttc 0.25", 1, || {
                buffer.clear();
                for packet in &theirs {
                    black_box(packet)
                        .write(&mut buffer, None)
                        .expect("a sound packet");
                }
                black_box(&buffer);
            }),
        ],
    );
}

fn rumqttc_5_0(stream: &[u8]) -> Vec<rumqttc::v5::mqttbytes::v5::Packet> {
    let mut buffer = BytesMut::from(stream);
    let mut packets = Vec::new();
    while !buffer.is_empty() {
        packets.push(
            rumqttc::v5::mqttbytes::v5::Packet::read(&mut buffer, None).expect("a sound packet"),
        );
    }
    packets
}

pub(crate) fn encode_trace_5_0() {
    let trace = trace_5_0();
    let ours = packets(&trace, Version::V5_0);
    let theirs = rumqttc_5_0(&trace);
    let mut out = Vec::with_capacity(1 << 16);
    let mut buffer = BytesMut::with_capacity(1 << 16);
    compare(
        "5.0: encoding the mixed session trace",
        vec![
            Contender::new("ours, sound", ours.len(), || {
                out.clear();
                for packet in &ours {
                    encode(black_box(packet), Version::V5_0, &mut out).expect("a sound packet");
                }
                black_box(&out);
            }),
            Contender::new("rumqttc 0.25", theirs.len(), || {
                buffer.clear();
                for packet in &theirs {
                    black_box(packet)
                        .write(&mut buffer, None)
                        .expect("a sound packet");
                }
                black_box(&buffer);
            }),
        ],
    );
}

pub(crate) fn encode_trace_3_1_1() {
    let trace = trace_3_1_1();
    let ours = packets(&trace, Version::V3_1_1);
    let mut stream = BytesMut::from(&trace[..]);
    let mut rumqttc = Vec::new();
    while !stream.is_empty() {
        rumqttc.push(
            rumqttc::mqttbytes::v4::Packet::read(&mut stream, 1 << 24).expect("a sound packet"),
        );
    }
    let mqttrs = frames(&trace)
        .into_iter()
        .filter_map(|frame| mqttrs::decode_slice(frame).ok().flatten())
        .collect::<Vec<_>>();
    assert_eq!(mqttrs.len(), ours.len());
    let mut out = Vec::with_capacity(1 << 16);
    let mut buffer = BytesMut::with_capacity(1 << 16);
    let mut slice = vec![0; 1 << 16];
    compare(
        "3.1.1: encoding the mixed session trace",
        vec![
            Contender::new("ours, sound", ours.len(), || {
                out.clear();
                for packet in &ours {
                    encode(black_box(packet), Version::V3_1_1, &mut out).expect("a sound packet");
                }
                black_box(&out);
            }),
            Contender::new("rumqttc 0.25", rumqttc.len(), || {
                buffer.clear();
                for packet in &rumqttc {
                    black_box(packet)
                        .write(&mut buffer, 1 << 24)
                        .expect("a sound packet");
                }
                black_box(&buffer);
            }),
            Contender::new("mqttrs 0.4", mqttrs.len(), || {
                let mut rest = &mut slice[..];
                for packet in &mqttrs {
                    let length =
                        mqttrs::encode_slice(black_box(packet), rest).expect("a sound packet");
                    rest = &mut rest[length..];
                }
                black_box(&slice);
            }),
        ],
    );
}

pub(crate) fn encode_3_1_1() {
    let properties = PropertiesBuf::new();
    let ours = packet(PAYLOAD, &properties);
    let mut out = Vec::with_capacity(256);
    let mut raw = Vec::with_capacity(256);
    let rumqttc = rumqttc::mqttbytes::v4::Publish::new(TOPIC, rumqttc::QoS::AtMostOnce, PAYLOAD);
    let mut buffer = BytesMut::with_capacity(256);
    let mqttrs = mqttrs::Packet::Publish(mqttrs::Publish {
        dup: false,
        qospid: mqttrs::QosPid::AtMostOnce,
        retain: false,
        topic_name: TOPIC,
        payload: PAYLOAD,
    });
    let mut slice = [0; 256];
    compare(
        "3.1.1: encoding the same PUBLISH into a buffer",
        vec![
            Contender::new("ours, sound", 1, || {
                out.clear();
                encode(black_box(&ours), Version::V3_1_1, &mut out).expect("a sound packet");
                black_box(&out);
            }),
            Contender::new("ours, as it is", 1, || {
                raw.clear();
                encode_as_is(black_box(&ours), Version::V3_1_1, &mut raw).expect("a sound packet");
                black_box(&raw);
            }),
            Contender::new("rumqttc 0.25", 1, || {
                buffer.clear();
                black_box(&rumqttc)
                    .write(&mut buffer)
                    .expect("a sound packet");
                black_box(&buffer);
            }),
            Contender::new("mqttrs 0.4", 1, || {
                mqttrs::encode_slice(black_box(&mqttrs), &mut slice).expect("a sound packet");
                black_box(&slice);
            }),
        ],
    );
}
