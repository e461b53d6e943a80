//! The packets that clients of a script send: few topics, few Packet Identifiers, few Client Identifiers, so that the
//! clients meet.

use arbitrary::{Result, Unstructured};
use codec::{
    Auth, Connect, Disconnect, Packet, Properties, PropertiesBuf, PropertyId, Puback, Pubcomp,
    Publish, Pubrec, Pubrel, QoS, ReasonCode, RetainHandling, Subscribe, SubscriptionOptions,
    SubscriptionsBuf, Text, TopicFiltersBuf, Unsubscribe, Version, Will,
};

/// Topic Names, the most frequent first. Each holds the [token](super::TOKEN).
pub(super) const TOPICS: [&str; 6] = [
    "assay0/a",
    "assay0/b",
    "assay0/a/b",
    "assay0",
    "assay0//",
    "$assay0/a",
];

/// Topic Filters, the most frequent first. Those without the token see the messages of other scripts.
pub(super) const FILTERS: [&str; 13] = [
    "assay0/a",
    "assay0/#",
    "assay0/+",
    "assay0/b",
    "assay0/a/b",
    "assay0/+/b",
    "assay0",
    "$share/assay0/assay0/a",
    "$share/assay0/assay0/#",
    "assay0/a/#",
    "$assay0/#",
    "+/a",
    "#",
];

/// Client Identifiers: one for each client, and one more.
pub(super) const CLIENT_IDS: [&str; 5] = ["assay00", "assay01", "assay02", "assay03", "assay0s"];

/// The method that the reference broker knows.
const METHOD: &str = "ECHO";

/// One of the list, one of the first three of them half of the time.
pub(super) fn pick<T: Copy>(u: &mut Unstructured<'_>, list: &[T]) -> Result<T> {
    let list = if list.len() > 3 && u.arbitrary()? {
        &list[..3]
    } else {
        list
    };
    u.choose(list).copied()
}

/// True so many times out of a hundred.
pub(super) fn chance(u: &mut Unstructured<'_>, percent: u8) -> Result<bool> {
    // What has run out of bytes goes on plainly.
    Ok(u.int_in_range(0..=99_u8)? > 99 - percent)
}

pub(super) fn packet_id(u: &mut Unstructured<'_>) -> Result<u16> {
    u.int_in_range(1..=4)
}

fn qos(u: &mut Unstructured<'_>) -> Result<QoS> {
    Ok(QoS::from_bits(u.int_in_range(0..=2)?))
}

/// The packet's bytes; none where the version has no such packet.
pub(super) fn encode(packet: &Packet<'_>, version: Version) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(48);
    // Each is made sound; should one not be, then sending nothing is a step as good as any.
    let _ = codec::encode_as_is(packet, version, &mut bytes);
    bytes
}

/// A payload that nobody else has, mostly.
fn payload(u: &mut Unstructured<'_>, number: usize) -> Result<Vec<u8>> {
    Ok(match u.int_in_range(0..=15_u8)? {
        0 => Vec::new(),
        1 => b"same".to_vec(),
        2 => vec![b'x'; u.int_in_range(20..=200)?],
        _ => number.to_string().into_bytes(),
    })
}

/// What a message carries besides its payload.
fn message_properties(u: &mut Unstructured<'_>, properties: &mut PropertiesBuf) -> Result<()> {
    if chance(u, 20)? {
        properties.four_byte_integer(
            PropertyId::MessageExpiryInterval,
            u.int_in_range(0..=3_u32)? * 2,
        );
    }
    if chance(u, 10)? {
        properties.utf8_string(PropertyId::ContentType, "text");
    }
    if chance(u, 10)? {
        properties.utf8_string(PropertyId::ResponseTopic, pick(u, &TOPICS)?);
    }
    if chance(u, 10)? {
        properties.binary_data(PropertyId::CorrelationData, &[0, 1, 0xFF]);
    }
    if chance(u, 15)? {
        properties.user_property("a", "1").user_property("a", "2");
    }
    Ok(())
}

pub(super) fn connect(
    u: &mut Unstructured<'_>,
    version: Version,
    client: usize,
    number: usize,
) -> Result<Vec<u8>> {
    let mut client_id = CLIENT_IDS[client % CLIENT_IDS.len()];
    if chance(u, 15)? {
        client_id = pick(u, &CLIENT_IDS)?;
    }
    let mut clean_start = u.arbitrary()?;
    if version != Version::V3_1 && chance(u, 4)? {
        (client_id, clean_start) = ("", true);
    }
    let mut properties = PropertiesBuf::new();
    if version.has_properties() {
        connect_properties(u, &mut properties)?;
    }
    let mut will_properties = PropertiesBuf::new();
    let will_payload = payload(u, number)?;
    let mut will = None;
    if chance(u, 25)? {
        if version.has_properties() {
            if chance(u, 40)? {
                will_properties.four_byte_integer(
                    PropertyId::WillDelayInterval,
                    u.int_in_range(0..=3_u32)? * 2,
                );
            }
            message_properties(u, &mut will_properties)?;
        }
        // 3.1 has no binary Will Message.
        let payload = will_payload.as_slice();
        will = Some(Will {
            qos: qos(u)?,
            retain: chance(u, 30)?,
            properties: will_properties.as_properties(),
            topic: Text::from(pick(u, &TOPICS)?),
            payload,
        });
    }
    let keep_alive = if chance(u, 10)? {
        u.int_in_range(1..=10)?
    } else {
        0
    };
    let packet = Connect {
        protocol_name: Text::from(version.protocol_name()),
        protocol_version: version.level(),
        clean_start,
        reserved_flag: false,
        keep_alive,
        properties: properties.as_properties(),
        client_id: Text::from(client_id),
        will,
        user_name: None,
        password: None,
    };
    Ok(encode(&Packet::Connect(packet), version))
}

fn connect_properties(u: &mut Unstructured<'_>, properties: &mut PropertiesBuf) -> Result<()> {
    if chance(u, 60)? {
        let interval = *u.choose(&[u32::MAX, 5, 0, 60])?;
        properties.four_byte_integer(PropertyId::SessionExpiryInterval, interval);
    }
    if chance(u, 30)? {
        properties.two_byte_integer(PropertyId::ReceiveMaximum, u.int_in_range(1..=3)?);
    }
    if chance(u, 10)? {
        properties.four_byte_integer(PropertyId::MaximumPacketSize, u.int_in_range(16..=80)?);
    }
    if chance(u, 25)? {
        properties.two_byte_integer(PropertyId::TopicAliasMaximum, u.int_in_range(0..=2)?);
    }
    if chance(u, 10)? {
        properties.byte(
            PropertyId::RequestProblemInformation,
            u.int_in_range(0..=1)?,
        );
    }
    if chance(u, 5)? {
        properties.byte(PropertyId::RequestResponseInformation, 1);
    }
    if chance(u, 3)? {
        properties
            .utf8_string(PropertyId::AuthenticationMethod, METHOD)
            .binary_data(PropertyId::AuthenticationData, b"first");
    }
    Ok(())
}

pub(super) fn publish(
    u: &mut Unstructured<'_>,
    version: Version,
    number: usize,
) -> Result<Vec<u8>> {
    let mut properties = PropertiesBuf::new();
    let mut topic = pick(u, &TOPICS)?;
    if version.has_properties() {
        message_properties(u, &mut properties)?;
        if chance(u, 20)? {
            properties.two_byte_integer(PropertyId::TopicAlias, u.int_in_range(1..=2)?);
            if u.arbitrary()? {
                topic = "";
            }
        }
    }
    let qos = qos(u)?;
    let payload = payload(u, number)?;
    let packet = Publish {
        dup: qos.is_acknowledged() && chance(u, 10)?,
        qos,
        retain: chance(u, 25)?,
        topic: Text::from(topic),
        packet_id: if qos.is_acknowledged() {
            Some(packet_id(u)?)
        } else {
            None
        },
        properties: properties.as_properties(),
        payload: &payload,
    };
    Ok(encode(&Packet::Publish(packet), version))
}

pub(super) fn subscribe(u: &mut Unstructured<'_>, version: Version) -> Result<Vec<u8>> {
    let mut properties = PropertiesBuf::new();
    let mut filters = SubscriptionsBuf::new();
    for _ in 0..filter_count(u)? {
        let filter = pick(u, &FILTERS)?;
        let mut options = SubscriptionOptions::with_qos(qos(u)?);
        if version.has_properties() && u.arbitrary()? {
            let shared = filter.starts_with("$share");
            options = options
                .no_local(!shared && chance(u, 30)?)
                .retain_as_published(chance(u, 50)?)
                .retain_handling(*u.choose(&[
                    RetainHandling::SendAtSubscribe,
                    RetainHandling::SendIfNew,
                    RetainHandling::DoNotSend,
                ])?);
        }
        filters.push(filter, options);
    }
    if version.has_properties() && chance(u, 25)? {
        properties.subscription_identifier(u.int_in_range(1..=3)?);
    }
    let packet = Subscribe {
        packet_id: packet_id(u)?,
        properties: properties.as_properties(),
        filters: filters.as_subscriptions(),
    };
    Ok(encode(&Packet::Subscribe(packet), version))
}

pub(super) fn unsubscribe(u: &mut Unstructured<'_>, version: Version) -> Result<Vec<u8>> {
    let mut filters = TopicFiltersBuf::new();
    for _ in 0..filter_count(u)? {
        filters.push(pick(u, &FILTERS)?);
    }
    let packet = Unsubscribe {
        packet_id: packet_id(u)?,
        properties: Properties::EMPTY,
        filters: filters.as_filters(),
    };
    Ok(encode(&Packet::Unsubscribe(packet), version))
}

fn filter_count(u: &mut Unstructured<'_>) -> Result<usize> {
    Ok(if chance(u, 20)? {
        u.int_in_range(2..=3)?
    } else {
        1
    })
}

pub(super) fn disconnect(u: &mut Unstructured<'_>, version: Version) -> Result<Vec<u8>> {
    let mut properties = PropertiesBuf::new();
    let mut reason_code = ReasonCode::SUCCESS;
    if version.has_properties() {
        if chance(u, 20)? {
            reason_code = ReasonCode::DISCONNECT_WITH_WILL_MESSAGE;
        }
        if chance(u, 15)? {
            let interval = *u.choose(&[0, 5, u32::MAX])?;
            properties.four_byte_integer(PropertyId::SessionExpiryInterval, interval);
        }
    }
    let packet = Disconnect {
        reason_code,
        properties: properties.as_properties(),
    };
    Ok(encode(&Packet::Disconnect(packet), version))
}

/// An acknowledgement that the client makes up, whatever it owes.
pub(super) fn acknowledgement(u: &mut Unstructured<'_>, version: Version) -> Result<Vec<u8>> {
    let (packet_id, properties) = (packet_id(u)?, Properties::EMPTY);
    let failed = version.has_properties() && chance(u, 20)?;
    let reason_code = |code| if failed { code } else { ReasonCode::SUCCESS };
    let packet = match u.int_in_range(0..=3_u8)? {
        0 => Packet::Puback(Puback {
            packet_id,
            reason_code: reason_code(ReasonCode::UNSPECIFIED_ERROR),
            properties,
        }),
        1 => Packet::Pubrec(Pubrec {
            packet_id,
            reason_code: reason_code(ReasonCode::UNSPECIFIED_ERROR),
            properties,
        }),
        2 => Packet::Pubrel(Pubrel {
            packet_id,
            reason_code: reason_code(ReasonCode::PACKET_IDENTIFIER_NOT_FOUND),
            properties,
        }),
        _ => Packet::Pubcomp(Pubcomp {
            packet_id,
            reason_code: reason_code(ReasonCode::PACKET_IDENTIFIER_NOT_FOUND),
            properties,
        }),
    };
    Ok(encode(&packet, version))
}

pub(super) fn authenticate(u: &mut Unstructured<'_>, version: Version) -> Result<Vec<u8>> {
    let mut properties = PropertiesBuf::new();
    properties
        .utf8_string(PropertyId::AuthenticationMethod, METHOD)
        .binary_data(PropertyId::AuthenticationData, b"again");
    let reason_code = *u.choose(&[
        ReasonCode::RE_AUTHENTICATE,
        ReasonCode::CONTINUE_AUTHENTICATION,
    ])?;
    let packet = Auth {
        reason_code,
        properties: properties.as_properties(),
    };
    Ok(encode(&Packet::Auth(packet), version))
}
