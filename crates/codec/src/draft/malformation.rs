//! [`Malformation`]: lies about the wire, which no value of a field can tell.

use alloc::{string::ToString, vec::Vec};

use super::{DraftError, Kind, Value};

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
    /// `without`: the field is left out, while flags and lengths stay true to the rest.
    Without(&'static str),
    /// `swap`: two fields stand in each other's place.
    Swap(&'static str, &'static str),
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
        let _ = (spec, value);
        unimplemented!()
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
            Self::Property(_) => "property",
            Self::PropertyLength(_) => "property_length",
            Self::PropertyLengthWidth(_) => "property_length_width",
            Self::FieldLength(..) => "field_length",
            Self::Bytes(_) => "bytes",
        }
    }
}
