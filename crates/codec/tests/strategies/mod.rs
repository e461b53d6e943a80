//! Sound drafts of every packet, version and direction, for property tests.

use codec::{
    DataType, Direction, PacketType, PropertyId, PropertyOwner, Version,
    draft::{Draft, Kind, Record, Value, fields, property_field},
};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// A draft that the strict decoder must accept when it travels in the direction beside it.
pub(crate) fn sound_drafts() -> impl Strategy<Value = (Draft, Direction)> {
    (
        select(&Version::ALL[..]),
        select(&Direction::ALL[..]),
        select(&PacketType::ALL[..]),
    )
        .prop_filter("exists", |(version, direction, packet_type)| {
            packet_type.exists_in(*version) && packet_type.travels(*direction, *version)
        })
        .prop_flat_map(|(version, direction, packet_type)| {
            sound(packet_type, version, direction).prop_map(move |draft| (draft, direction))
        })
}

fn sound(packet_type: PacketType, version: Version, direction: Direction) -> BoxedStrategy<Draft> {
    let codes = codes(packet_type, direction, version);
    let properties = properties(PropertyOwner::Packet(packet_type), version, direction);
    let fixed: BoxedStrategy<Vec<(&'static str, Value)>> = match packet_type {
        PacketType::Connect => connect(version),
        PacketType::Connack => (any::<bool>(), select(codes))
            .prop_map(move |(present, code)| {
                let mut fixed = vec![("reason", Value::Number(code))];
                if version != Version::V3_1 {
                    fixed.push(("session_present", Value::Flag(present)));
                }
                fixed
            })
            .boxed(),
        PacketType::Publish => (
            any::<bool>(),
            0..=2u64,
            any::<bool>(),
            topics(),
            ids(),
            data(),
        )
            .prop_map(|(dup, qos, retain, topic, id, payload)| {
                let mut fixed = vec![
                    ("dup", Value::Flag(dup && qos > 0)),
                    ("qos", Value::Number(qos)),
                    ("retain", Value::Flag(retain)),
                    ("topic", topic),
                    ("payload", payload),
                ];
                if qos > 0 {
                    fixed.push(("id", id));
                }
                fixed
            })
            .boxed(),
        PacketType::Puback | PacketType::Pubrec | PacketType::Pubrel | PacketType::Pubcomp => {
            match version {
                Version::V5_0 => (ids(), select(codes))
                    .prop_map(|(id, code)| vec![("id", id), ("reason", Value::Number(code))])
                    .boxed(),
                _ => ids().prop_map(|id| vec![("id", id)]).boxed(),
            }
        }
        PacketType::Subscribe => (ids(), vec(subscriptions(version), 1..4))
            .prop_map(|(id, filters)| vec![("id", id), ("filters", Value::Filters(filters))])
            .boxed(),
        PacketType::Suback => code_lists(codes),
        PacketType::Unsuback if version == Version::V5_0 => code_lists(codes),
        PacketType::Unsuback => ids().prop_map(|id| vec![("id", id)]).boxed(),
        PacketType::Unsubscribe => (ids(), vec(texts(), 1..4))
            .prop_map(|(id, filters)| vec![("id", id), ("filters", Value::Texts(filters))])
            .boxed(),
        PacketType::Disconnect | PacketType::Auth if version == Version::V5_0 => select(codes)
            .prop_map(|code| vec![("reason", Value::Number(code))])
            .boxed(),
        PacketType::Pingreq | PacketType::Pingresp | PacketType::Disconnect | PacketType::Auth => {
            Just(Vec::new()).boxed()
        }
    };
    (fixed, properties)
        .prop_map(move |(fixed, mut properties)| {
            let mut draft = Draft::new(packet_type, version);
            for (name, value) in fixed {
                draft.set(name, value).expect("a sound value");
            }
            couple_authentication(packet_type, &mut properties);
            for (name, value) in properties {
                draft.set(name, value).expect("a sound property");
            }
            draft
        })
        .boxed()
}

/// Authentication Data needs a method beside it, and AUTH needs a method anyway.
fn couple_authentication(packet_type: PacketType, properties: &mut Vec<(&'static str, Value)>) {
    let has =
        |name, list: &Vec<(&'static str, Value)>| list.iter().any(|(known, _)| *known == name);
    let needed = packet_type == PacketType::Auth || has("authentication_data", properties);
    if needed && !has("authentication_method", properties) && packet_type != PacketType::Connack {
        properties.push(("authentication_method", Value::Text(b"method".to_vec())));
    }
}

fn connect(version: Version) -> BoxedStrategy<Vec<(&'static str, Value)>> {
    let will = (
        0..=2u64,
        any::<bool>(),
        topics(),
        data(),
        properties(PropertyOwner::Will, version, Direction::ToServer),
    );
    (
        any::<bool>(),
        any::<u16>(),
        texts(),
        option::of(will),
        option::of(texts()),
        option::of(data()),
    )
        .prop_map(
            move |(clean, keep_alive, client_id, will, user_name, password)| {
                let mut fixed = vec![
                    ("clean", Value::Flag(clean)),
                    ("keep_alive", Value::Number(keep_alive.into())),
                    ("client_id", Value::Text(client_id)),
                ];
                if let Some((qos, retain, topic, payload, properties)) = will {
                    let payload = if version == Version::V3_1 {
                        Value::Binary(b"ascii".to_vec())
                    } else {
                        payload
                    };
                    let mut values =
                        vec![("qos", Value::Number(qos)), ("retain", Value::Flag(retain))];
                    values.extend(properties);
                    values.extend([("topic", topic), ("payload", payload)]);
                    fixed.push((
                        "will",
                        Value::Record(record(PacketType::Connect, "will", values)),
                    ));
                }
                let has_user_name = user_name.is_some();
                if let Some(user_name) = user_name {
                    fixed.push(("user_name", Value::Text(user_name)));
                }
                match password {
                    Some(_) if version == Version::V3_1 && has_user_name => {
                        fixed.push(("password", Value::Binary(b"secret".to_vec())));
                    }
                    Some(password) if has_user_name || version == Version::V5_0 => {
                        fixed.push(("password", password));
                    }
                    _ => {}
                }
                fixed
            },
        )
        .boxed()
}

fn subscriptions(version: Version) -> BoxedStrategy<Record> {
    (texts(), 0..=2u64, any::<bool>(), any::<bool>(), 0..=2u64)
        .prop_map(
            move |(filter, qos, no_local, retain_as_published, handling)| {
                let mut values = vec![("filter", Value::Text(filter)), ("qos", Value::Number(qos))];
                if version == Version::V5_0 {
                    values.push(("no_local", Value::Flag(no_local)));
                    values.push(("retain_as_published", Value::Flag(retain_as_published)));
                    values.push(("retain_handling", Value::Number(handling)));
                }
                record(PacketType::Subscribe, "filters", values)
            },
        )
        .boxed()
}

fn record(packet_type: PacketType, field: &str, values: Vec<(&'static str, Value)>) -> Record {
    let spec = fields(packet_type)
        .iter()
        .find(|spec| spec.name == field)
        .expect("a field");
    let (Kind::Record(specs) | Kind::Records(specs)) = spec.kind else {
        panic!("{field} is no record")
    };
    let mut record = Record::new();
    for (name, value) in values {
        record.set(
            specs
                .iter()
                .find(|spec| spec.name == name)
                .expect("a field of the record"),
            value,
        );
    }
    record
}

fn code_lists(codes: Vec<u64>) -> BoxedStrategy<Vec<(&'static str, Value)>> {
    (ids(), vec(select(codes), 1..4))
        .prop_map(|(id, codes)| vec![("id", id), ("codes", Value::Numbers(codes))])
        .boxed()
}

fn codes(packet_type: PacketType, direction: Direction, version: Version) -> Vec<u64> {
    let allowed =
        |code: &u8| codec::ReasonCode(*code).is_allowed_in(packet_type, direction, version);
    (0..=u8::MAX).filter(allowed).map(u64::from).collect()
}

/// Some of the properties that `owner` may carry, in any order, with sound values.
fn properties(
    owner: PropertyOwner,
    version: Version,
    direction: Direction,
) -> BoxedStrategy<Vec<(&'static str, Value)>> {
    if version != Version::V5_0 {
        return Just(Vec::new()).boxed();
    }
    let allowed = PropertyId::ALL
        .into_iter()
        .filter(|id| id.is_allowed_in(owner))
        .filter(|id| match (owner, id) {
            (PropertyOwner::Packet(PacketType::Publish), PropertyId::SubscriptionIdentifier) => {
                direction == Direction::ToClient
            }
            (PropertyOwner::Packet(PacketType::Disconnect), PropertyId::SessionExpiryInterval) => {
                direction == Direction::ToServer
            }
            _ => true,
        })
        .collect::<Vec<_>>();
    if allowed.is_empty() {
        return Just(Vec::new()).boxed();
    }
    let count = allowed.len();
    proptest::sample::subsequence(allowed, 0..=count)
        .prop_shuffle()
        .prop_flat_map(move |chosen| {
            chosen
                .into_iter()
                .map(|id| {
                    let spec = property_field(owner, id).expect("every property has a field");
                    property(spec.kind, id).prop_map(move |value| (spec.name, value))
                })
                .collect::<Vec<_>>()
        })
        .boxed()
}

fn property(kind: Kind, id: PropertyId) -> BoxedStrategy<Value> {
    match (kind, id.data_type()) {
        (Kind::Pairs, _) => vec((texts(), texts()), 1..3).prop_map(Value::Pairs).boxed(),
        (Kind::Numbers { .. }, _) => vec(1..=268_435_455u64, 1..3)
            .prop_map(Value::Numbers)
            .boxed(),
        (Kind::Flag, _) => any::<bool>().prop_map(Value::Flag).boxed(),
        (_, DataType::Byte) => (0..=1u64).prop_map(Value::Number).boxed(),
        (_, DataType::TwoByteInteger) => (1..=0xFFFFu64).prop_map(Value::Number).boxed(),
        (_, DataType::FourByteInteger) => (1..=0xFFFF_FFFFu64).prop_map(Value::Number).boxed(),
        (_, DataType::VariableByteInteger) => (1..=268_435_455u64).prop_map(Value::Number).boxed(),
        (_, DataType::BinaryData) => data().boxed(),
        _ if id == PropertyId::ResponseTopic => topics().boxed(),
        _ => texts().prop_map(Value::Text).boxed(),
    }
}

fn ids() -> impl Strategy<Value = Value> {
    (1..=0xFFFFu64).prop_map(Value::Number)
}

fn data() -> impl Strategy<Value = Value> {
    vec(any::<u8>(), 0..40).prop_map(Value::Binary)
}

/// Text of any length around the width of a word, sometimes beyond ASCII, without U+0000.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[ -~]{0,20}",
        1 => vec(any::<char>().prop_filter("no null", |c| *c != '\0'), 0..12)
            .prop_map(|chars| chars.into_iter().collect::<String>()),
    ]
    .prop_map(String::into_bytes)
}

fn topics() -> impl Strategy<Value = Value> {
    texts().prop_map(|text| {
        let mut topic = text
            .into_iter()
            .filter(|byte| !matches!(byte, b'+' | b'#'))
            .collect::<Vec<_>>();
        if topic.is_empty() {
            topic.push(b'/');
        }
        Value::Text(topic)
    })
}
