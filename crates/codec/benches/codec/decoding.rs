//! Decoding, ours beside others.

use std::hint::black_box;

use bytes::BytesMut;
use codec::{Direction, MAXIMUM_PACKET_SIZE, Split, Version, decode, split};
use tokio_util::codec::Decoder;

use crate::packets::{count, direction, frames, repeated};
use crate::paired::{Contender, compare};

/// Looks at a packet where it is: to move it would be measured too.
fn sound<P, E>(packet: &Result<P, E>) {
    assert!(black_box(packet).is_ok());
}

pub(crate) fn read_all(mut stream: &[u8], version: Version) {
    while let Ok(Split::Complete { frame, rest }) =
        split(stream, version, Direction::ToServer, MAXIMUM_PACKET_SIZE)
    {
        sound(&decode(black_box(frame), version, direction(frame)));
        stream = rest;
    }
    assert!(stream.is_empty(), "{stream:?}");
}

/// The stream over and over in one buffer, for the codecs that eat theirs: its making stays outside of the packet's
/// time as far as it can.
fn eat(stream: &[u8], packets: usize, mut read: impl FnMut(&mut BytesMut)) {
    let mut buffer = BytesMut::from(stream);
    for _ in 0..packets {
        read(&mut buffer);
    }
    assert!(buffer.is_empty(), "{buffer:?}");
}

pub(crate) fn decode_5_0(title: &str, stream: &[u8]) {
    let stream = &repeated(stream)[..];
    let packets = count(stream);
    let frames = frames(stream);
    let mut codec = rmqtt_codec::v5::Codec::new(1 << 24, 1 << 24);
    compare(
        title,
        vec![
            Contender::new("ours, strict", packets, || {
                read_all(black_box(stream), Version::V5_0);
            }),
            Contender::new("mqtt-proto 0.4", packets, || {
                for frame in &frames {
                    sound(&mqtt_proto::v5::Packet::decode(black_box(frame)));
                }
            }),
            Contender::new("rmqtt-codec 0.3", packets, move || {
                eat(stream, packets, |buffer| {
                    sound(&codec.decode(buffer));
                });
            }),
            Contender::new("rumqttc 0.25", packets, || {
                eat(stream, packets, |buffer| {
                    sound(&rumqttc::v5::mqttbytes::v5::Packet::read(buffer, None));
                });
            }),
        ],
    );
}

pub(crate) fn decode_3_1_1(title: &str, stream: &[u8]) {
    let stream = &repeated(stream)[..];
    let packets = count(stream);
    let frames = frames(stream);
    compare(
        title,
        vec![
            Contender::new("ours, strict", packets, || {
                read_all(black_box(stream), Version::V3_1_1);
            }),
            Contender::new("mqtt-proto 0.4", packets, || {
                for frame in &frames {
                    sound(&mqtt_proto::v3::Packet::decode(black_box(frame)));
                }
            }),
            Contender::new("rumqttc 0.25", packets, || {
                eat(stream, packets, |buffer| {
                    sound(&rumqttc::mqttbytes::v4::Packet::read(buffer, 1 << 24));
                });
            }),
            Contender::new("mqttrs 0.4", packets, || {
                for frame in &frames {
                    sound(&mqttrs::decode_slice(black_box(frame)));
                }
            }),
        ],
    );
}
