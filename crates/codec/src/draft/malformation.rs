//! [`Malformation`]: lies about the wire, which no value of a field can tell.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use super::{DraftError, Kind, Value, fields};
use crate::{PacketType, PropertyId};

/// A lie about the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Malformation {
    /// `flags`: the four flag bits of the fixed header.
    Flags(u8),
    /// `type`: the packet type, 0 to 15.
    PacketType(u8),
    /// `length`: what Remaining Length claims, whatever follows.
    Length(u32),
    /// `length_width`: Remaining Length in this many bytes, 1 to 5: more than it needs, or one too many.
    LengthWidth(u8),
    /// `cut`: the stream ends after this many bytes of the packet; negative counts from its end.
    Cut(i64),
    /// `short`: the tail behind this many bytes is missing, and Remaining Length fits what is left.
    Short(i64),
    /// `extra`: bytes behind the last field, within Remaining Length.
    Extra(Vec<u8>),
    /// `twice`: the field stands twice.
    Twice(&'static str),
    /// `without`: the field is left out, while flags still announce it and lengths fit what is there.
    Without(&'static str),
    /// `swap`: two fields stand in each other's place.
    Swap(&'static str, &'static str),
    /// `order`: these fields stand in this order, in the places that they have among themselves. `properties`
    /// is the whole list with its length; properties by name are in another order within it.
    Order(Vec<&'static str>),
    /// `property`: these bytes stand at the end of the property list, and Property Length fits.
    Property(Vec<u8>),
    /// `property_length`: what Property Length claims, whatever follows.
    PropertyLength(u32),
    /// `property_length_width`: Property Length in this many bytes, 1 to 5.
    PropertyLengthWidth(u8),
    /// `field_length`: what the length of a text or binary field claims.
    FieldLength(&'static str, u16),
    /// `bytes`: exactly these bytes instead of the packet.
    Bytes(Vec<u8>),
}

/// A malformation under the name that scenarios give it.
#[derive(Debug, PartialEq, Eq)]
pub struct MalformationSpec {
    /// The name, such as `length`.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// What it does, in a few words.
    pub summary: &'static str,
}

const fn spec(name: &'static str, kind: Kind, summary: &'static str) -> MalformationSpec {
    MalformationSpec {
        name,
        kind,
        summary,
    }
}

static SPECS: &[MalformationSpec] = &[
    spec(
        "flags",
        Kind::Number { maximum: 15 },
        "the four flag bits of the fixed header",
    ),
    spec(
        "type",
        Kind::Number { maximum: 15 },
        "the packet type in the fixed header",
    ),
    spec(
        "length",
        Kind::Number {
            maximum: 0xFFFF_FFFF,
        },
        "what Remaining Length claims",
    ),
    spec(
        "length_width",
        Kind::Number { maximum: 5 },
        "Remaining Length in this many bytes",
    ),
    spec("cut", Kind::Position, "the stream ends inside the packet"),
    spec(
        "short",
        Kind::Position,
        "the tail is missing and Remaining Length fits",
    ),
    spec(
        "extra",
        Kind::Binary,
        "bytes behind the last field, within Remaining Length",
    ),
    spec("twice", Kind::Text, "this field stands twice"),
    spec("without", Kind::Text, "this field is left out"),
    spec(
        "swap",
        Kind::Texts,
        "these two fields stand in each other's place",
    ),
    spec(
        "order",
        Kind::Texts,
        "these fields, or `properties`, stand in this order",
    ),
    spec(
        "property",
        Kind::Binary,
        "these bytes stand at the end of the property list",
    ),
    spec(
        "property_length",
        Kind::Number {
            maximum: 0xFFFF_FFFF,
        },
        "what Property Length claims",
    ),
    spec(
        "property_length_width",
        Kind::Number { maximum: 5 },
        "Property Length in this many bytes",
    ),
    spec(
        "field_length",
        Kind::Pairs,
        "what the length of this text or binary field claims: [[name, number]]",
    ),
    spec(
        "bytes",
        Kind::Binary,
        "exactly these bytes instead of the packet",
    ),
];

/// Every malformation that a scenario can name.
pub const fn malformations() -> &'static [MalformationSpec] {
    SPECS
}

impl Malformation {
    /// The malformation that a scenario writes as `name: value`.
    ///
    /// # Errors
    /// The name is unknown, or it takes no such value.
    pub fn new(name: &str, value: Value) -> Result<Self, DraftError> {
        let Some(spec) = SPECS.iter().find(|spec| spec.name == name) else {
            return Err(DraftError::UnknownMalformation(name.to_string()));
        };
        let wrong_kind = || DraftError::WrongKind {
            field: spec.name,
            expected: spec.kind.description(),
        };
        if let (Value::Number(number), Kind::Number { maximum }) = (&value, spec.kind)
            && *number > maximum
        {
            return Err(DraftError::TooLarge {
                field: spec.name,
                maximum,
            });
        }
        let malformation = match (name, value) {
            ("flags", Value::Number(flags)) => u8::try_from(flags).ok().map(Self::Flags),
            ("type", Value::Number(value)) => u8::try_from(value).ok().map(Self::PacketType),
            ("length", Value::Number(claim)) => u32::try_from(claim).ok().map(Self::Length),
            ("length_width", Value::Number(width)) => {
                u8::try_from(width).ok().map(Self::LengthWidth)
            }
            ("property_length", Value::Number(claim)) => {
                u32::try_from(claim).ok().map(Self::PropertyLength)
            }
            ("property_length_width", Value::Number(width)) => {
                u8::try_from(width).ok().map(Self::PropertyLengthWidth)
            }
            ("cut", value) => position(&value).map(Self::Cut),
            ("short", value) => position(&value).map(Self::Short),
            ("extra", Value::Binary(bytes) | Value::Text(bytes)) => Some(Self::Extra(bytes)),
            ("property", Value::Binary(bytes) | Value::Text(bytes)) => Some(Self::Property(bytes)),
            ("bytes", Value::Binary(bytes) | Value::Text(bytes)) => Some(Self::Bytes(bytes)),
            ("twice", Value::Text(field)) => Some(Self::Twice(piece_name(&field)?)),
            ("without", Value::Text(field)) => Some(Self::Without(piece_name(&field)?)),
            ("swap", Value::Texts(fields)) => match fields.as_slice() {
                [left, right] => Some(Self::Swap(piece_name(left)?, piece_name(right)?)),
                _ => None,
            },
            ("order", Value::Texts(fields)) if fields.len() > 1 => {
                let names = fields.iter().map(|field| piece_name(field));
                Some(Self::Order(names.collect::<Result<_, _>>()?))
            }
            ("field_length", Value::Pairs(claims)) => match claims.as_slice() {
                [(field, claim)] => {
                    let claim = core::str::from_utf8(claim)
                        .ok()
                        .and_then(|claim| claim.parse().ok());
                    claim
                        .map(|claim| (piece_name(field), claim))
                        .map_or(Ok(None), |(field, claim)| {
                            Ok(Some(Self::FieldLength(field?, claim)))
                        })?
                }
                _ => None,
            },
            _ => None,
        };
        malformation.ok_or_else(wrong_kind)
    }

    /// Its name in scenarios.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Flags(_) => "flags",
            Self::PacketType(_) => "type",
            Self::Length(_) => "length",
            Self::LengthWidth(_) => "length_width",
            Self::Cut(_) => "cut",
            Self::Short(_) => "short",
            Self::Extra(_) => "extra",
            Self::Twice(_) => "twice",
            Self::Without(_) => "without",
            Self::Swap(..) => "swap",
            Self::Order(_) => "order",
            Self::Property(_) => "property",
            Self::PropertyLength(_) => "property_length",
            Self::PropertyLengthWidth(_) => "property_length_width",
            Self::FieldLength(..) => "field_length",
            Self::Bytes(_) => "bytes",
        }
    }
}

fn position(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(position) => Some(*position),
        Value::Number(position) => i64::try_from(*position).ok(),
        _ => None,
    }
}

/// The name of a field in any packet, or of a part of one, as it is known for good.
fn piece_name(name: &[u8]) -> Result<&'static str, DraftError> {
    let known = PacketType::ALL
        .into_iter()
        .flat_map(fields)
        .map(|spec| spec.name)
        .chain(PropertyId::ALL.map(PropertyId::field))
        .chain(WIRE_PARTS.iter().copied());
    known
        .into_iter()
        .find(|known| known.as_bytes() == name)
        .ok_or_else(|| DraftError::UnknownPiece(String::from_utf8_lossy(name).into_owned()))
}

/// Parts of the wire that are no field of their own.
const WIRE_PARTS: &[&str] = &[
    "properties",
    "will.topic",
    "will.payload",
    "filters.filter",
    "filters.options",
];
