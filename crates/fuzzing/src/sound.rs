//! Packets that the standard allows.

use arbitrary::{Result, Unstructured};
use codec::draft::{Draft, FieldSpec, Kind, Record, Value, fields};
use codec::{Direction, PacketType, PropertyId, ReasonCode, Version};

/// A packet of `version` that travels in `direction`, with any of its fields.
///
/// Each is sound by itself; whether a session allows it at that moment is another question.
///
/// # Errors
/// Only what [`Unstructured`] gives when it runs out of bytes in a place that cannot do without.
pub fn sound(u: &mut Unstructured<'_>, version: Version, direction: Direction) -> Result<Draft> {
    let types: Vec<PacketType> = PacketType::ALL
        .into_iter()
        .filter(|packet_type| packet_type.travels(direction, version))
        .collect();
    let packet_type = *u.choose(&types)?;
    let mut draft = Draft::new(packet_type, version);
    let mut record = Record::new();
    for spec in fields(packet_type) {
        if !spec.exists_in(version) || LEFT_TO_THE_ENCODER.contains(&spec.name) {
            continue;
        }
        if REQUIRED.contains(&spec.name) || u.arbitrary()? {
            let value = value(
                u,
                spec,
                &Place {
                    packet_type,
                    version,
                    direction,
                },
            )?;
            record.set(spec, value);
        }
    }
    leave_to_the_other_side(&mut record, packet_type, direction);
    reconcile(&mut record, packet_type, version);
    for (spec, value) in in_any_order(u, &record)? {
        if draft.set(spec.name, value.clone()).is_err() {
            return Err(arbitrary::Error::IncorrectFormat);
        }
    }
    Ok(draft)
}

/// Properties come in any order (U50-2.2.2.2-2), and a draft writes them in the order in which they are set.
fn in_any_order<'r>(
    u: &mut Unstructured<'_>,
    record: &'r Record,
) -> Result<Vec<(&'static FieldSpec, &'r Value)>> {
    let mut fields: Vec<_> = record.iter().collect();
    for last in (1..fields.len()).rev() {
        fields.swap(last, u.int_in_range(0..=last)?);
    }
    Ok(fields)
}

/// Fields that a sound packet has one value for, which is its default.
const LEFT_TO_THE_ENCODER: &[&str] = &[
    "protocol_name",
    "protocol_version",
    "connect_flags",
    "reserved_flag",
    "reserved",
];

/// Fields without which the packet would not be sound, or would be the same each time.
const REQUIRED: &[&str] = &[
    "id",
    "filters",
    "filter",
    "codes",
    "topic",
    "reason",
    "client_id",
];

/// What a field's sound values depend on.
struct Place {
    packet_type: PacketType,
    version: Version,
    direction: Direction,
}

fn value(u: &mut Unstructured<'_>, spec: &FieldSpec, place: &Place) -> Result<Value> {
    Ok(match spec.kind {
        Kind::Flag => Value::Flag(u.arbitrary()?),
        Kind::QoS => Value::Number(u.int_in_range(0..=2)?),
        Kind::Number { maximum } => Value::Number(number(u, spec, maximum)?),
        Kind::Numbers { maximum } => Value::Numbers(list(u, 1, |u| edge(u, 1, maximum))?),
        Kind::ReasonCode => Value::Number(reason(u, place)?),
        Kind::ReasonCodes => Value::Numbers(list(u, 1, |u| reason(u, place))?),
        Kind::Text => Value::Text(text(u, spec.name)?),
        Kind::Texts => Value::Texts(list(u, 1, |u| text(u, "filter"))?),
        // 3.1 has no binary data in CONNECT: the Will Message is ASCII (V31-3.1-3), the Password a string.
        Kind::Binary
            if place.version == Version::V3_1 && place.packet_type == PacketType::Connect =>
        {
            Value::Text(ascii(u)?)
        }
        Kind::Binary | Kind::Position => Value::Binary(u.arbitrary()?),
        Kind::Pairs => Value::Pairs(list(u, 1, |u| Ok((text(u, "name")?, text(u, "value")?)))?),
        Kind::Records(specs) => Value::Filters(list(u, 1, |u| inner(u, specs, place))?),
        Kind::Record(specs) => Value::Record(inner(u, specs, place)?),
    })
}

fn inner(u: &mut Unstructured<'_>, specs: &'static [FieldSpec], place: &Place) -> Result<Record> {
    let mut record = Record::new();
    for spec in specs {
        if !spec.exists_in(place.version) || LEFT_TO_THE_ENCODER.contains(&spec.name) {
            continue;
        }
        if REQUIRED.contains(&spec.name) || u.arbitrary()? {
            record.set(spec, value(u, spec, place)?);
        }
    }
    if record.get("payload_format") == Some(&Value::Number(1)) {
        // A payload that is called text must be text.
        record.remove("payload_format");
    }
    Ok(record)
}

/// A list of `least` to a handful of items.
fn list<T>(
    u: &mut Unstructured<'_>,
    least: usize,
    mut item: impl FnMut(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let items = u.int_in_range(least..=least + 3)?;
    (0..items).map(|_| item(u)).collect()
}

/// A number that the standard allows in this field.
fn number(u: &mut Unstructured<'_>, spec: &FieldSpec, maximum: u64) -> Result<u64> {
    let (low, high) = match (spec.name, spec.property) {
        ("retain_handling", _) => (0, 2),
        (_, Some(PropertyId::MaximumQoS | PropertyId::PayloadFormatIndicator)) => (0, 1),
        ("id", _)
        | (
            _,
            Some(
                PropertyId::ReceiveMaximum
                | PropertyId::MaximumPacketSize
                | PropertyId::TopicAlias
                | PropertyId::SubscriptionIdentifier,
            ),
        ) => (1, maximum),
        _ => (0, maximum),
    };
    edge(u, low, high)
}

/// A number in the range, at its ends more often than chance would have it.
fn edge(u: &mut Unstructured<'_>, low: u64, high: u64) -> Result<u64> {
    Ok(match u.int_in_range(0..=3)? {
        0 => low,
        1 => high,
        2 => u.int_in_range(low..=high.min(low + 7))?,
        _ => u.int_in_range(low..=high)?,
    })
}

fn reason(u: &mut Unstructured<'_>, place: &Place) -> Result<u64> {
    let allowed: Vec<u8> = (0..=u8::MAX)
        .filter(|&code| {
            ReasonCode(code).is_allowed_in(place.packet_type, place.direction, place.version)
        })
        .collect();
    u.choose(&allowed).map(|&code| u64::from(code))
}

/// Text that the field can hold: mostly few letters, so that topics and filters of several packets meet, sometimes any
/// characters in any number.
fn text(u: &mut Unstructured<'_>, field: &str) -> Result<Vec<u8>> {
    const TOPICS: [&str; 8] = ["a", "a/b", "/", "a//b", "$a/b", "ä/\u{feff}", "a b/c", "b"];
    const FILTERS: [&str; 8] = ["#", "+", "a/#", "+/b", "a/b", "/+", "$share/g/a/+", "a/+/#"];
    const WORDS: [&str; 6] = ["", "a", "b", "ä\u{feff}", "\u{10ffff}", "a longer text"];
    if u.ratio(1, 5)? {
        let any: String = u
            .arbitrary::<&str>()?
            .chars()
            .filter(|letter| !"\0+#".contains(*letter))
            .collect();
        if !any.is_empty() {
            return Ok(any.into_bytes());
        }
    }
    let choice = match field {
        "topic" | "response_topic" => *u.choose(&TOPICS)?,
        "filter" => *u.choose(&FILTERS)?,
        _ => *u.choose(&WORDS)?,
    };
    Ok(choice.as_bytes().to_vec())
}

fn ascii(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    const WORDS: [&str; 3] = ["", "a", "a longer text"];
    Ok(u.choose(&WORDS)?.as_bytes().to_vec())
}

/// Removes what only packets in the other direction carry.
fn leave_to_the_other_side(record: &mut Record, packet_type: PacketType, direction: Direction) {
    let others: &[&str] = match (packet_type, direction) {
        // MQTT-3.3.4-6: only a server tells which subscriptions match.
        (PacketType::Publish, Direction::ToServer) => &["subscription_ids"],
        // MQTT-3.14.2-2: only a client changes its session's expiry.
        (PacketType::Disconnect, Direction::ToClient) => &["session_expiry"],
        // Section 3.14.2.2.5: only a server sends elsewhere.
        (PacketType::Disconnect, Direction::ToServer) => &["server_reference"],
        _ => &[],
    };
    for name in others {
        record.remove(name);
    }
}

/// Removes what one field of a packet forbids another.
fn reconcile(record: &mut Record, packet_type: PacketType, version: Version) {
    let has = |record: &Record, name: &str| record.get(name).is_some();
    match packet_type {
        PacketType::Connect => {
            // MQTT-3.1.2-22: before 5.0 a password needs a user name.
            if version != Version::V5_0 && !has(record, "user_name") {
                record.remove("password");
            }
            // U50-3.1.2.11.10-1: data needs a method.
            if !has(record, "authentication_method") {
                record.remove("authentication_data");
            }
            if version == Version::V3_1 {
                // 3.1 has client ids of 1 to 23 characters.
                if let Some(spec) = codec::draft::field(packet_type, "client_id") {
                    record.set(spec, Value::Text(b"a".to_vec()));
                }
            }
        }
        PacketType::Connack => {
            // MQTT-3.2.2-4 (3.1.1), MQTT-3.2.2-6 (5.0): no session behind a refusal.
            if record.get("reason") != Some(&Value::Number(0)) {
                record.remove("session_present");
            }
            if !has(record, "authentication_method") {
                record.remove("authentication_data");
            }
        }
        PacketType::Auth => {
            // MQTT-4.12.0 and U50-3.15.2.2.2-1: whoever authenticates names the method.
            if let Some(spec) = codec::draft::field(packet_type, "authentication_method") {
                record.set(spec, Value::Text(b"a".to_vec()));
            }
        }
        PacketType::Publish => {
            // MQTT-2.3.1-5 (3.1.1), MQTT-2.2.1-2 (5.0): only QoS above 0 has a Packet Identifier;
            // MQTT-3.3.1-2: and only there a repetition is told.
            let above_0 = matches!(record.get("qos"), Some(Value::Number(1..)));
            if !above_0 {
                record.remove("id");
                record.remove("dup");
            }
            if record.get("payload_format") == Some(&Value::Number(1)) {
                record.remove("payload_format");
            }
        }
        _ => {}
    }
}
