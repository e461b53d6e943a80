//! Independent codecs behind one question: do they accept these bytes as one packet?

pub(crate) mod differences;

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::BytesMut;
use codec::{Frame, Version};
use mqtt_protocol_core::mqtt::{common::Arc, packet as core};
use tokio_util::codec::Decoder;

/// A codec that is not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Peer {
    RumqttcV4Next,
    MqttProto,
    RmqttCodec,
    MqttProtocolCore,
}

impl Peer {
    pub(crate) const ALL: [Self; 4] = [
        Self::RumqttcV4Next,
        Self::MqttProto,
        Self::RmqttCodec,
        Self::MqttProtocolCore,
    ];

    /// Whether it reads the bytes as one whole packet; `None` if it does not speak the version, or panics.
    pub(crate) fn accepts(self, bytes: &[u8], version: Version) -> Option<bool> {
        let ask: fn(&[u8]) -> bool = match (self, version) {
            (Self::RumqttcV4Next, Version::V3_1_1) => rumqttc_v4_next,
            (Self::MqttProto, Version::V3_1_1) => {
                |bytes| matches!(mqtt_proto::v3::Packet::decode(bytes), Ok(Some(_)))
            }
            (Self::MqttProto, Version::V5_0) => {
                |bytes| matches!(mqtt_proto::v5::Packet::decode(bytes), Ok(Some(_)))
            }
            (Self::RmqttCodec, Version::V5_0) => rmqtt_codec_v5,
            (Self::MqttProtocolCore, Version::V5_0) => mqtt_protocol_core_v5,
            _ => return None,
        };
        catch_unwind(AssertUnwindSafe(|| ask(bytes))).ok()
    }
}

fn rumqttc_v4_next(bytes: &[u8]) -> bool {
    let mut stream = BytesMut::from(bytes);
    rumqttc_v4::mqttbytes::v4::Packet::read(&mut stream, 1 << 20).is_ok() && stream.is_empty()
}

fn rmqtt_codec_v5(bytes: &[u8]) -> bool {
    let mut stream = BytesMut::from(bytes);
    let mut codec = rmqtt_codec::v5::Codec::new(1 << 20, 1 << 20);
    matches!(codec.decode(&mut stream), Ok(Some(_))) && stream.is_empty()
}

/// It parses bodies only, so the fixed header is looked at here.
fn mqtt_protocol_core_v5(bytes: &[u8]) -> bool {
    use core::v5_0 as v5;
    let Some(frame) = Frame::new(bytes) else {
        return false;
    };
    let body = frame.body();
    let whole = |size: usize| size == body.len();
    match frame.first_byte() >> 4 {
        1 => v5::Connect::parse(body).is_ok_and(|(_, size)| whole(size)),
        2 => v5::Connack::parse(body).is_ok_and(|(_, size)| whole(size)),
        3 => v5::Publish::parse(frame.flags(), Arc::from(body)).is_ok_and(|(_, size)| whole(size)),
        4 => v5::Puback::parse(body).is_ok_and(|(_, size)| whole(size)),
        5 => v5::Pubrec::parse(body).is_ok_and(|(_, size)| whole(size)),
        6 => v5::Pubrel::parse(body).is_ok_and(|(_, size)| whole(size)),
        7 => v5::Pubcomp::parse(body).is_ok_and(|(_, size)| whole(size)),
        8 => v5::Subscribe::parse(body).is_ok_and(|(_, size)| whole(size)),
        9 => v5::Suback::parse(body).is_ok_and(|(_, size)| whole(size)),
        10 => v5::Unsubscribe::parse(body).is_ok_and(|(_, size)| whole(size)),
        11 => v5::Unsuback::parse(body).is_ok_and(|(_, size)| whole(size)),
        12 => v5::Pingreq::parse(body).is_ok_and(|(_, size)| whole(size)),
        13 => v5::Pingresp::parse(body).is_ok_and(|(_, size)| whole(size)),
        14 => v5::Disconnect::parse(body).is_ok_and(|(_, size)| whole(size)),
        15 => v5::Auth::parse(body).is_ok_and(|(_, size)| whole(size)),
        _ => false,
    }
}

/// The clauses whose violations a peer lets pass, most of them since it does not know direction or state.
pub(crate) const NOT_CHECKED: &[(Peer, &[&str])] = &[
    (
        Peer::RumqttcV4Next,
        &[
            "v3.1.1/MQTT-3.10.3-2",
            "v3.1.1/MQTT-4.7.1-1",
            "v3.1.1/MQTT-4.7.3-1",
            "v3.1.1/MQTT-4.8.0-1",
        ],
    ),
    (
        Peer::MqttProto,
        &[
            "v3.1.1/MQTT-1.5.3-2",
            "v3.1.1/MQTT-3.1.2-15",
            "v3.1.1/MQTT-3.1.2-22",
            "v3.1.1/MQTT-3.3.1-2",
            "v3.1.1/MQTT-3.8.4-5",
            "v3.1.1/MQTT-4.7.3-1",
            "v3.1.1/MQTT-4.8.0-1",
            "v5.0/MQTT-1.5.4-2",
            "v5.0/MQTT-1.5.5-1",
            "v5.0/MQTT-3.1.2-13",
            "v5.0/MQTT-3.11.3-1",
            "v5.0/MQTT-3.14.2-1",
            "v5.0/MQTT-3.14.2-2",
            "v5.0/MQTT-3.15.2-1",
            "v5.0/MQTT-3.3.1-2",
            "v5.0/MQTT-3.3.2-8",
            "v5.0/MQTT-3.3.4-6",
            "v5.0/MQTT-3.4.2-1",
            "v5.0/MQTT-3.5.2-1",
            "v5.0/MQTT-3.8.4-6",
            "v5.0/MQTT-4.13.1-1",
            "v5.0/MQTT-4.7.3-1",
            "v5.0/U50-3.1.2.11.10-1",
            "v5.0/U50-3.1.2.11.3-1",
            "v5.0/U50-3.1.2.11.4-1",
            "v5.0/U50-3.15.2.2.2-1",
            "v5.0/U50-3.2.2.3.3-1",
            "v5.0/U50-3.2.2.3.6-1",
            "v5.0/U50-3.3.2.1-1",
            "v5.0/U50-3.3.2.3.8-1",
            "v5.0/U50-3.8.2.1.2-1",
        ],
    ),
    (
        Peer::RmqttCodec,
        &[
            "v5.0/MQTT-1.5.4-2",
            "v5.0/MQTT-1.5.5-1",
            "v5.0/MQTT-2.2.2-1",
            "v5.0/MQTT-3.1.2-11",
            "v5.0/MQTT-3.1.2-13",
            "v5.0/MQTT-3.11.3-1",
            "v5.0/MQTT-3.14.2-1",
            "v5.0/MQTT-3.14.2-2",
            "v5.0/MQTT-3.15.2-1",
            "v5.0/MQTT-3.3.1-2",
            "v5.0/MQTT-3.3.2-14",
            "v5.0/MQTT-3.3.2-2",
            "v5.0/MQTT-3.3.4-6",
            "v5.0/MQTT-3.4.2-1",
            "v5.0/MQTT-3.5.2-1",
            "v5.0/MQTT-3.8.4-6",
            "v5.0/MQTT-4.13.1-1",
            "v5.0/MQTT-4.7.0-1",
            "v5.0/MQTT-4.7.3-1",
            "v5.0/MQTT-4.7.3-2",
            "v5.0/U50-3.1.2.11.10-1",
            "v5.0/U50-3.15.2.2.2-1",
            "v5.0/U50-3.2.2.3.4-1",
            "v5.0/U50-3.2.2.3.6-1",
            "v5.0/U50-3.3.2.1-1",
        ],
    ),
    (
        Peer::MqttProtocolCore,
        &[
            "v5.0/MQTT-1.5.4-2",
            "v5.0/MQTT-1.5.5-1",
            "v5.0/MQTT-2.1.3-1",
            "v5.0/MQTT-2.2.1-3",
            "v5.0/MQTT-2.2.1-4",
            "v5.0/MQTT-2.2.1-6",
            "v5.0/MQTT-2.2.2-1",
            "v5.0/MQTT-3.1.2-11",
            "v5.0/MQTT-3.1.2-12",
            "v5.0/MQTT-3.1.2-13",
            "v5.0/MQTT-3.1.2-3",
            "v5.0/MQTT-3.10.1-1",
            "v5.0/MQTT-3.14.1-1",
            "v5.0/MQTT-3.14.2-1",
            "v5.0/MQTT-3.14.2-2",
            "v5.0/MQTT-3.15.1-1",
            "v5.0/MQTT-3.15.2-1",
            "v5.0/MQTT-3.2.2-1",
            "v5.0/MQTT-3.3.1-2",
            "v5.0/MQTT-3.3.2-14",
            "v5.0/MQTT-3.3.2-2",
            "v5.0/MQTT-3.3.4-6",
            "v5.0/MQTT-3.4.2-1",
            "v5.0/MQTT-3.5.2-1",
            "v5.0/MQTT-3.6.1-1",
            "v5.0/MQTT-3.8.1-1",
            "v5.0/MQTT-4.13.1-1",
            "v5.0/MQTT-4.7.0-1",
            "v5.0/MQTT-4.7.3-1",
            "v5.0/MQTT-4.7.3-2",
            "v5.0/U50-2.1.3-1",
            "v5.0/U50-3.1.2.11.10-1",
            "v5.0/U50-3.15.2.2.2-1",
            "v5.0/U50-3.3.2.1-1",
            "v5.0/U50-3.8.2.1.2-1",
        ],
    ),
];
