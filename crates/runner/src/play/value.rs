//! What the values of fields are as numbers, as bytes, and when they are the same.

use codec::draft::{Draft, FieldSpec, Kind, Value};

/// The value of a field that a packet carries, or that the specification gives it when it is not there.
///
/// `None` for a property that is absent, and for other fields without a default.
pub(super) fn carried(packet: &Draft, spec: &FieldSpec) -> Option<Value> {
    if let Some(value) = packet.get(spec.name) {
        return Some(value.clone());
    }
    if spec.property.is_some() || spec.name == "id" {
        return None;
    }
    match spec.kind {
        Kind::Flag => Some(Value::Flag(false)),
        Kind::Number { .. } | Kind::QoS | Kind::ReasonCode => Some(Value::Number(0)),
        Kind::Text | Kind::Binary => Some(Value::Binary(Vec::new())),
        Kind::Numbers { .. } | Kind::ReasonCodes => Some(Value::Numbers(Vec::new())),
        Kind::Texts | Kind::Pairs | Kind::Records(_) | Kind::Record(_) | Kind::Position => None,
    }
}

/// A field as a number; `None` where it is absent or no number.
pub(super) fn number(packet: &Draft, name: &str) -> Option<u64> {
    match packet.get(name)? {
        Value::Number(number) => Some(*number),
        Value::Flag(flag) => Some(u64::from(*flag)),
        _ => None,
    }
}

/// A field as a Packet Identifier.
pub(super) fn identifier(packet: &Draft) -> Option<u16> {
    number(packet, "id").and_then(|id| u16::try_from(id).ok())
}

/// Whether a flag is set.
pub(super) fn flag(packet: &Draft, name: &str) -> bool {
    number(packet, name).is_some_and(|flag| flag != 0)
}

/// A text or data field as bytes, empty where it is absent.
pub(super) fn bytes<'a>(packet: &'a Draft, name: &str) -> &'a [u8] {
    match packet.get(name) {
        Some(Value::Text(bytes) | Value::Binary(bytes)) => bytes,
        _ => &[],
    }
}

/// A value as a number, for arithmetic and comparison.
pub(super) fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Flag(flag) => Some(f64::from(u8::from(*flag))),
        #[expect(
            clippy::cast_precision_loss,
            reason = "no field of MQTT has more than 32 bits"
        )]
        Value::Number(number) => Some(*number as f64),
        #[expect(clippy::cast_precision_loss, reason = "no packet is that long")]
        Value::Integer(number) => Some(*number as f64),
        Value::Text(text) | Value::Binary(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        _ => None,
    }
}

/// A scalar value as the text that would stand for it in a scenario.
pub(super) fn as_text(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Flag(flag) => Some(flag.to_string().into_bytes()),
        Value::Number(number) => Some(number.to_string().into_bytes()),
        Value::Integer(number) => Some(number.to_string().into_bytes()),
        Value::Text(bytes) | Value::Binary(bytes) => Some(bytes.clone()),
        Value::Numbers(numbers) => match numbers.as_slice() {
            [number] => Some(number.to_string().into_bytes()),
            _ => None,
        },
        _ => None,
    }
}

/// Whether two values are the same, whether a flag is told as a flag or a number and text as text or data.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Flag(flag), Value::Number(number)) | (Value::Number(number), Value::Flag(flag)) => {
            u64::from(*flag) == *number
        }
        (Value::Text(left) | Value::Binary(left), Value::Text(right) | Value::Binary(right)) => {
            left == right
        }
        _ => left == right,
    }
}
