//! [`FieldSpec`]: what a field is called, what values it takes, and who has it.

use core::fmt;

use super::{
    DraftError, Value,
    table::{PROPERTIES, WILL, fields},
};
use crate::{PacketType, PropertyId, PropertyOwner, Version};

/// A field of a packet, under the name that the scenario language gives it.
#[derive(PartialEq, Eq)]
pub struct FieldSpec {
    /// The name, such as `session_expiry`.
    pub name: &'static str,
    /// A second name that means the same: `code` for the Return Code that 3.1.1 has instead of a Reason Code.
    pub alias: Option<&'static str>,
    /// What values it takes.
    pub kind: Kind,
    /// The versions whose packets have it.
    pub versions: &'static [Version],
    /// The property that holds it on the wire.
    pub property: Option<PropertyId>,
    /// What it is, in a few words.
    pub summary: &'static str,
}

/// What values a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// True or false. Where a whole byte holds it, a number up to 255 too.
    Flag,
    /// A number up to `maximum`, which is what its bits can hold.
    Number {
        /// The largest that can be written.
        maximum: u64,
    },
    /// 0, 1, 2, or the forbidden 3.
    QoS,
    /// One byte, which has a name in most packets.
    ReasonCode,
    /// UTF-8 text behind a length of two bytes.
    Text,
    /// Data; scenarios may write it as text.
    Binary,
    /// A list of numbers up to `maximum`.
    Numbers {
        /// The largest that can be written.
        maximum: u64,
    },
    /// A list of Reason Codes.
    ReasonCodes,
    /// A list of texts.
    Texts,
    /// A list of pairs of text.
    Pairs,
    /// A list of records with these fields.
    Records(&'static [FieldSpec]),
    /// A record with these fields.
    Record(&'static [FieldSpec]),
    /// A number that counts from the end where it is negative.
    Position,
}

impl Kind {
    /// What such a field is, with its article, for messages.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Flag => "true or false",
            Self::Number { .. } => "a number",
            Self::QoS => "a QoS: 0, 1, 2, or on purpose 3",
            Self::ReasonCode => "a Reason Code",
            Self::Text => "text",
            Self::Binary => "text or data",
            Self::Numbers { .. } => "a list of numbers",
            Self::ReasonCodes => "a list of Reason Codes",
            Self::Texts => "a list of texts",
            Self::Pairs => "a list of pairs [name, value]",
            Self::Records(_) => "a list of maps",
            Self::Record(_) => "a map",
            Self::Position => "a number of bytes, negative from the end",
        }
    }
}

impl FieldSpec {
    /// Whether packets of `version` have the field.
    pub fn exists_in(&self, version: Version) -> bool {
        self.versions.contains(&version)
    }

    /// Whether the field takes this value.
    ///
    /// # Errors
    /// The value is of another kind, or too large for the field's bits.
    pub fn check(&self, value: &Value) -> Result<(), DraftError> {
        let at_most = |number: u64, maximum: u64| {
            if number > maximum {
                return Err(DraftError::TooLarge {
                    field: self.name,
                    maximum,
                });
            }
            Ok(())
        };
        match (self.kind, value) {
            (Kind::Flag | Kind::ReasonCode, Value::Number(number)) => at_most(*number, 0xFF),
            (Kind::QoS, Value::Number(number)) => at_most(*number, 3),
            (Kind::Number { maximum }, Value::Number(number)) => at_most(*number, maximum),
            (Kind::Numbers { maximum }, Value::Numbers(numbers)) => numbers
                .iter()
                .try_for_each(|number| at_most(*number, maximum)),
            (Kind::ReasonCodes, Value::Numbers(numbers)) => {
                numbers.iter().try_for_each(|number| at_most(*number, 0xFF))
            }
            (Kind::Flag, Value::Flag(_))
            | (Kind::Text | Kind::Binary, Value::Text(_) | Value::Binary(_))
            | (Kind::Texts, Value::Texts(_))
            | (Kind::Pairs, Value::Pairs(_))
            | (Kind::Position, Value::Integer(_) | Value::Number(_)) => Ok(()),
            (Kind::Records(specs), Value::Filters(records)) => records
                .iter()
                .flat_map(super::Record::iter)
                .try_for_each(|(spec, value)| belongs(spec, value, specs)),
            (Kind::Record(specs), Value::Record(record)) => record
                .iter()
                .try_for_each(|(spec, value)| belongs(spec, value, specs)),
            _ => Err(DraftError::WrongKind {
                field: self.name,
                expected: self.kind.description(),
            }),
        }
    }
}

impl fmt::Debug for FieldSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

fn belongs(
    spec: &'static FieldSpec,
    value: &Value,
    specs: &'static [FieldSpec],
) -> Result<(), DraftError> {
    if !specs.iter().any(|known| known.name == spec.name) {
        return Err(DraftError::NotCarried(spec.name));
    }
    spec.check(value)
}

/// The field of `packet_type` with this name or alias.
///
/// A property that belongs to other packets is found too: to set it here is a way to malform.
pub fn field(packet_type: PacketType, name: &str) -> Option<&'static FieldSpec> {
    let own = fields(packet_type)
        .iter()
        .find(|spec| spec.name == name || spec.alias == Some(name));
    own.or_else(|| PROPERTIES.iter().find(|spec| spec.name == name))
}

/// The field that holds this property in `owner`; any packet can be made to carry any property.
pub fn property_field(owner: PropertyOwner, property: PropertyId) -> Option<&'static FieldSpec> {
    let own = match owner {
        PropertyOwner::Packet(packet_type) => fields(packet_type),
        PropertyOwner::Will => WILL,
    };
    own.iter()
        .chain(PROPERTIES)
        .find(|spec| spec.property == Some(property))
}
