//! Sample values, for fields that a scenario doubles without giving a value.

use codec::PacketType;
use codec::draft::{self, Kind};

use crate::ast::{Piece, Value};

/// A sound value for a field that `but: { twice: FIELD }` names and the packet does not have.
///
/// None where no single scalar is a sound value. Numbers are large enough that no size or window is ever too small for the
/// rest of the exchange.
pub fn sample(packet_type: PacketType, field: &str) -> Option<Value> {
    let spec = draft::field(packet_type, field)?;
    let text = match spec.kind {
        Kind::Flag | Kind::QoS | Kind::ReasonCode | Kind::Number { maximum: 0xFF } => {
            "1".to_owned()
        }
        Kind::Number { maximum } => maximum.min(1000).to_string(),
        Kind::Text | Kind::Binary => "sample".to_owned(),
        _ => return None,
    };
    Some(Value::Scalar(vec![Piece::Text(text)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubled_property_has_a_sample() {
        assert!(sample(PacketType::Connect, "session_expiry").is_some());
        assert!(sample(PacketType::Connect, "will").is_none());
        assert!(sample(PacketType::Connect, "nonsense").is_none());
    }
}
