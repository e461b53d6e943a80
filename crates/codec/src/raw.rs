//! [`Raw`]: any frame as the fields it consists of, byte for byte, sound or not.
//!
//! A [`Packet`](crate::Packet) forgets what does not matter: how wide an integer was written, which short
//! form an acknowledgement had, what stood behind the last field. The raw view keeps it all:
//! joined, its fields are the frame again.

use alloc::{borrow::Cow, vec::Vec};

use crate::{DataType, Frame, PacketType, PropertyId, PropertyOwner, Version, variable_byte};

/// A frame, field by field. The fields lie side by side and leave nothing out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw<'a> {
    /// The fields in the order of the wire.
    pub fields: Vec<RawField<'a>>,
}

/// A field as it stands on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawField<'a> {
    /// The name: of the scenario language where it has one, else of the specification.
    pub name: &'static str,
    /// How its bytes are to be read.
    pub form: Form,
    /// The bytes, lengths and identifiers included; they can be replaced.
    pub bytes: Cow<'a, [u8]>,
}

/// How the bytes of a field are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Packet type and flags.
    FirstByte,
    /// A number in one, two or four bytes.
    Integer,
    /// Variable Byte Integer.
    VariableByteInteger,
    /// The flags of CONNECT.
    ConnectFlags,
    /// The options of a subscription.
    SubscriptionOptions,
    /// A Reason Code or return code.
    ReasonCode,
    /// A length of two bytes, then text.
    Text,
    /// A length of two bytes, then data.
    Binary,
    /// The identifier of a property, then its value.
    Property(PropertyId),
    /// Data up to the end of the packet.
    Payload,
    /// Bytes that cannot be read as what should stand there.
    Unreadable,
}

impl<'a> Raw<'a> {
    /// Takes a frame apart as a packet of `version`; what cannot be read is a field of its own.
    pub fn read(frame: Frame<'a>, version: Version) -> Self {
        let (header, body) = frame.as_bytes().split_at(frame.header_length());
        let (first, remaining_length) = header.split_at(1);
        let mut walk = Walk {
            rest: body,
            version,
            fields: Vec::new(),
        };
        walk.push("packet_type", Form::FirstByte, first);
        walk.push(
            "remaining_length",
            Form::VariableByteInteger,
            remaining_length,
        );
        if let Some(packet_type) = frame.packet_type() {
            // A field that cannot be read ends the walk; what is left of the packet is kept below.
            let _ = walk.packet(packet_type, frame.flags());
        }
        let rest = walk.rest;
        if !rest.is_empty() {
            walk.push("extra", Form::Unreadable, rest);
        }
        Self {
            fields: walk.fields,
        }
    }

    /// The bytes of all fields, joined. Lengths are what the fields say, right or wrong.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.fields
            .iter()
            .flat_map(|field| field.bytes.iter().copied())
            .collect()
    }

    /// The first field of this name.
    pub fn field_mut(&mut self, name: &str) -> Option<&mut RawField<'a>> {
        self.fields.iter_mut().find(|field| field.name == name)
    }
}

struct Walk<'a> {
    rest: &'a [u8],
    version: Version,
    fields: Vec<RawField<'a>>,
}

impl<'a> Walk<'a> {
    fn push(&mut self, name: &'static str, form: Form, bytes: &'a [u8]) {
        self.fields.push(RawField {
            name,
            form,
            bytes: Cow::Borrowed(bytes),
        });
    }

    /// Takes `length` bytes as a field, or all that is left as the beginning of one.
    fn take(&mut self, name: &'static str, form: Form, length: usize) -> Option<&'a [u8]> {
        let Some((bytes, rest)) = self.rest.split_at_checked(length) else {
            let cut = core::mem::take(&mut self.rest);
            if !cut.is_empty() {
                self.push(name, Form::Unreadable, cut);
            }
            return None;
        };
        self.rest = rest;
        self.push(name, form, bytes);
        Some(bytes)
    }

    fn integer(&mut self, name: &'static str, width: usize) -> Option<()> {
        self.take(name, Form::Integer, width).map(|_| ())
    }

    fn behind_length(&mut self, name: &'static str, form: Form) -> Option<()> {
        let length = self
            .rest
            .first_chunk()
            .map_or(0, |length| usize::from(u16::from_be_bytes(*length)));
        self.take(name, form, 2 + length).map(|_| ())
    }

    fn rest_as(&mut self, name: &'static str, form: Form) {
        let rest = core::mem::take(&mut self.rest);
        if !rest.is_empty() {
            self.push(name, form, rest);
        }
    }

    fn packet(&mut self, packet_type: PacketType, flags: u8) -> Option<()> {
        match packet_type {
            PacketType::Connect => self.connect()?,
            PacketType::Connack => {
                self.integer("session_present", 1)?;
                self.take("reason", Form::ReasonCode, 1)?;
                self.properties(PropertyOwner::Packet(packet_type))?;
            }
            PacketType::Publish => {
                self.behind_length("topic", Form::Text)?;
                if flags & 0b0110 != 0 {
                    self.integer("id", 2)?;
                }
                self.properties(PropertyOwner::Packet(packet_type))?;
                self.rest_as("payload", Form::Payload);
            }
            PacketType::Puback | PacketType::Pubrec | PacketType::Pubrel | PacketType::Pubcomp => {
                self.integer("id", 2)?;
                self.reason_and_properties(packet_type)?;
            }
            PacketType::Subscribe => {
                self.integer("id", 2)?;
                self.properties(PropertyOwner::Packet(packet_type))?;
                while !self.rest.is_empty() {
                    self.behind_length("filters.filter", Form::Text)?;
                    self.take("filters.options", Form::SubscriptionOptions, 1)?;
                }
            }
            PacketType::Unsubscribe => {
                self.integer("id", 2)?;
                self.properties(PropertyOwner::Packet(packet_type))?;
                while !self.rest.is_empty() {
                    self.behind_length("filters", Form::Text)?;
                }
            }
            PacketType::Suback | PacketType::Unsuback => {
                self.integer("id", 2)?;
                self.properties(PropertyOwner::Packet(packet_type))?;
                while !self.rest.is_empty() && self.has_codes(packet_type) {
                    self.take("codes", Form::ReasonCode, 1)?;
                }
            }
            PacketType::Pingreq | PacketType::Pingresp => {}
            PacketType::Disconnect | PacketType::Auth => self.reason_and_properties(packet_type)?,
        }
        Some(())
    }

    fn has_codes(&self, packet_type: PacketType) -> bool {
        packet_type == PacketType::Suback || self.version.has_properties()
    }

    fn connect(&mut self) -> Option<()> {
        self.behind_length("protocol_name", Form::Text)?;
        self.integer("protocol_version", 1)?;
        let flags = self
            .take("connect_flags", Form::ConnectFlags, 1)?
            .first()
            .copied()
            .unwrap_or_default();
        self.integer("keep_alive", 2)?;
        self.properties(PropertyOwner::Packet(PacketType::Connect))?;
        self.behind_length("client_id", Form::Text)?;
        if flags & 0b100 != 0 {
            self.properties(PropertyOwner::Will)?;
            self.behind_length("will.topic", Form::Text)?;
            self.behind_length("will.payload", Form::Binary)?;
        }
        for (flag, name, form) in [
            (0x80, "user_name", Form::Text),
            (0x40, "password", Form::Binary),
        ] {
            let left_out = self.version == Version::V3_1 && self.rest.is_empty();
            if flags & flag != 0 && !left_out {
                self.behind_length(name, form)?;
            }
        }
        Some(())
    }

    fn reason_and_properties(&mut self, packet_type: PacketType) -> Option<()> {
        if self.version.has_properties() && !self.rest.is_empty() {
            self.take("reason", Form::ReasonCode, 1)?;
            if !self.rest.is_empty() {
                self.properties(PropertyOwner::Packet(packet_type))?;
            }
        }
        Some(())
    }

    fn properties(&mut self, owner: PropertyOwner) -> Option<()> {
        if !self.version.has_properties() {
            return Some(());
        }
        let length = self.variable_byte_integer("property_length")? as usize;
        let (inside, outside) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, &[]));
        self.rest = inside;
        while !self.rest.is_empty() {
            if self.property(owner).is_none() {
                self.rest_as("properties", Form::Unreadable);
            }
        }
        self.rest = outside;
        Some(())
    }

    fn variable_byte_integer(&mut self, name: &'static str) -> Option<u32> {
        match variable_byte::read(self.rest) {
            variable_byte::Read::Value { value, width } => {
                self.take(name, Form::VariableByteInteger, width)?;
                Some(value)
            }
            _ => None,
        }
    }

    fn property(&mut self, owner: PropertyOwner) -> Option<()> {
        let variable_byte::Read::Value {
            value: identifier,
            width,
        } = variable_byte::read(self.rest)
        else {
            return None;
        };
        let id = PropertyId::from_identifier(identifier)?;
        let value = self.rest.get(width..)?;
        let data = |from: usize| {
            let length = value.get(from..)?.first_chunk()?;
            Some(from + 2 + usize::from(u16::from_be_bytes(*length)))
        };
        let length = match id.data_type() {
            DataType::Byte => 1,
            DataType::TwoByteInteger => 2,
            DataType::FourByteInteger => 4,
            DataType::VariableByteInteger => match variable_byte::read(value) {
                variable_byte::Read::Value { width, .. } => width,
                _ => return None,
            },
            DataType::BinaryData | DataType::Utf8String => data(0)?,
            DataType::Utf8StringPair => data(data(0)?)?,
        };
        let repeats = owner == PropertyOwner::Packet(PacketType::Publish)
            && id == PropertyId::SubscriptionIdentifier;
        let name = if repeats {
            "subscription_ids"
        } else {
            id.field()
        };
        self.take(name, Form::Property(id), width + length)
            .map(|_| ())
    }
}
