//! [`Draft`]: an owned packet as named fields, sound or not, as the scenario language writes it.
//!
//! A draft holds only what was said: a field that is absent takes its default when the packet is
//! encoded, or is left out where the wire lets it be. [`Malformation`]s are lies about the wire that
//! no field can tell; they are applied last.

mod field;
mod layout;
mod malformation;
mod notation;
mod read;
mod sample;
mod table;
mod value;
mod write;

use alloc::{string::String, vec::Vec};

pub use field::{FieldSpec, Kind, field, property_field};
pub use malformation::{Malformation, MalformationSpec, malformations};
pub use sample::sample;
pub use table::fields;
pub use value::{Record, Value};

use crate::{Packet, PacketType, Version};

/// A packet to be written, field by field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    packet_type: PacketType,
    version: Version,
    fields: Record,
    malformations: Vec<Malformation>,
}

/// Why a draft cannot take a value, or cannot be encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// The packet has no such field.
    #[error("{packet_type} has no field {name}")]
    UnknownField {
        /// The packet.
        packet_type: PacketType,
        /// The name asked for.
        name: String,
    },
    /// There is no such malformation.
    #[error("there is no malformation {0}")]
    UnknownMalformation(String),
    /// The field takes values of another kind.
    #[error("{field} is {expected}")]
    WrongKind {
        /// The field.
        field: &'static str,
        /// What it takes, with its article.
        expected: &'static str,
    },
    /// The number does not fit into the bits that the field has.
    #[error("{field} is at most {maximum}")]
    TooLarge {
        /// The field.
        field: &'static str,
        /// The largest number that fits.
        maximum: u64,
    },
    /// Text or data does not fit behind a length of two bytes.
    #[error("{0} is longer than 65535 bytes")]
    TooLong(&'static str),
    /// There is no field of this name, and no other part of the wire.
    #[error("no packet has a field {0}")]
    UnknownPiece(String),
    /// The version's packets have no such field.
    #[error("{version} has no {field}")]
    NotInVersion {
        /// The field.
        field: &'static str,
        /// The version that the draft is for.
        version: Version,
    },
    /// A malformation names a field that the packet does not carry.
    #[error("the packet carries no {0}")]
    NotCarried(&'static str),
    /// The packet is larger than a Remaining Length can tell.
    #[error("the packet is longer than 268435455 bytes")]
    PacketTooLong,
}

impl Draft {
    /// A packet with no field set: encoded, it has the defaults of a sound packet of its type.
    pub const fn new(packet_type: PacketType, version: Version) -> Self {
        Self {
            packet_type,
            version,
            fields: Record::new(),
            malformations: Vec::new(),
        }
    }

    /// The packet as it was read: every field that stands in it, and no property that does not.
    pub fn from_packet(packet: &Packet<'_>, version: Version) -> Self {
        read::draft(packet, version)
    }

    /// Its type.
    pub const fn packet_type(&self) -> PacketType {
        self.packet_type
    }

    /// The version it is encoded for.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Sets a field. Any property may be set on any packet, and any number that its bits can hold.
    ///
    /// # Errors
    /// The field is unknown, or takes no value of this kind or size.
    pub fn set(&mut self, name: &str, value: Value) -> Result<&mut Self, DraftError> {
        let Some(spec) = field(self.packet_type, name) else {
            return Err(DraftError::UnknownField {
                packet_type: self.packet_type,
                name: name.into(),
            });
        };
        spec.check(&value)?;
        self.fields.set(spec, value);
        Ok(self)
    }

    /// The value that was set; `None` where the default holds.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.get(field(self.packet_type, name)?.name)
    }

    /// Takes a value away, so that the default holds again or the property is absent.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.fields.remove(field(self.packet_type, name)?.name)
    }

    /// The fields that were set, properties in the order in which they will be written.
    pub const fn fields(&self) -> &Record {
        &self.fields
    }

    /// Adds a lie about the wire. Those about the fixed header and the end of the packet are told last.
    pub fn malform(&mut self, malformation: Malformation) -> &mut Self {
        self.malformations.push(malformation);
        self
    }

    /// The lies added so far.
    pub fn malformations(&self) -> &[Malformation] {
        &self.malformations
    }

    /// The bytes: correct where the values are sound, faithfully wrong where they are not.
    ///
    /// # Errors
    /// A value or malformation that cannot be written at all.
    pub fn encode(&self) -> Result<Vec<u8>, DraftError> {
        Ok(self.written()?.bytes)
    }

    /// Where in the encoded packet a field begins, the first one included: the places to cut it.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn boundaries(&self) -> Result<Vec<usize>, DraftError> {
        Ok(self.written()?.boundaries)
    }

    fn written(&self) -> Result<layout::Written, DraftError> {
        let mut layout = write::layout(self)?;
        for malformation in &self.malformations {
            layout.malform(malformation)?;
        }
        layout.write()
    }
}
