//! [`PropertiesBuf`]: properties to be sent.

use alloc::vec::Vec;

use super::{Properties, Property, PropertyId, PropertyValue};
use crate::{Text, variable_byte};

/// An owned property list that grows; lent to a packet with [`as_properties`](Self::as_properties).
///
/// It keeps the order in which properties were added and takes any combination: whether a packet may
/// carry them is for [`encode`](crate::encode()) to say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PropertiesBuf {
    bytes: Vec<u8>,
}

impl PropertiesBuf {
    /// No properties yet.
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// The list as packets hold it.
    pub fn as_properties(&self) -> Properties<'_> {
        Properties::new(&self.bytes)
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Forgets all properties and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Adds a property. Text and data beyond 65,535 bytes, which no length field can tell, are cut there.
    pub fn push(&mut self, property: Property<'_>) -> &mut Self {
        self.bytes.push(property.id.identifier());
        match property.value {
            PropertyValue::Byte(value) => self.bytes.push(value),
            PropertyValue::TwoByteInteger(value) => self.bytes.extend(value.to_be_bytes()),
            PropertyValue::FourByteInteger(value) => self.bytes.extend(value.to_be_bytes()),
            PropertyValue::VariableByteInteger(value) => {
                variable_byte::write(value, &mut self.bytes);
            }
            PropertyValue::BinaryData(data) => self.push_binary(data),
            PropertyValue::Utf8String(text) => self.push_binary(text.as_bytes()),
            PropertyValue::Utf8StringPair(name, value) => {
                self.push_binary(name.as_bytes());
                self.push_binary(value.as_bytes());
            }
        }
        self
    }

    /// Adds a property of type Byte.
    pub fn byte(&mut self, id: PropertyId, value: u8) -> &mut Self {
        self.push(Property {
            id,
            value: PropertyValue::Byte(value),
        })
    }

    /// Adds a property of type Two Byte Integer.
    pub fn two_byte_integer(&mut self, id: PropertyId, value: u16) -> &mut Self {
        self.push(Property {
            id,
            value: PropertyValue::TwoByteInteger(value),
        })
    }

    /// Adds a property of type Four Byte Integer.
    pub fn four_byte_integer(&mut self, id: PropertyId, value: u32) -> &mut Self {
        self.push(Property {
            id,
            value: PropertyValue::FourByteInteger(value),
        })
    }

    /// Adds a property of type Binary Data.
    pub fn binary_data(&mut self, id: PropertyId, data: &[u8]) -> &mut Self {
        self.push(Property {
            id,
            value: PropertyValue::BinaryData(data),
        })
    }

    /// Adds a property of type UTF-8 Encoded String.
    pub fn utf8_string<'t>(&mut self, id: PropertyId, text: impl Into<Text<'t>>) -> &mut Self {
        self.push(Property {
            id,
            value: PropertyValue::Utf8String(text.into()),
        })
    }

    /// Adds a Subscription Identifier.
    pub fn subscription_identifier(&mut self, identifier: u32) -> &mut Self {
        let id = PropertyId::SubscriptionIdentifier;
        self.push(Property {
            id,
            value: PropertyValue::VariableByteInteger(identifier),
        })
    }

    /// Adds a User Property.
    pub fn user_property<'t>(
        &mut self,
        name: impl Into<Text<'t>>,
        value: impl Into<Text<'t>>,
    ) -> &mut Self {
        let id = PropertyId::UserProperty;
        self.push(Property {
            id,
            value: PropertyValue::Utf8StringPair(name.into(), value.into()),
        })
    }

    fn push_binary(&mut self, data: &[u8]) {
        let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(data.iter().take(usize::from(length)));
    }
}

impl<'a> Extend<Property<'a>> for PropertiesBuf {
    fn extend<I: IntoIterator<Item = Property<'a>>>(&mut self, properties: I) {
        for property in properties {
            self.push(property);
        }
    }
}

impl<'a> FromIterator<Property<'a>> for PropertiesBuf {
    fn from_iter<I: IntoIterator<Item = Property<'a>>>(properties: I) -> Self {
        let mut list = Self::new();
        list.extend(properties);
        list
    }
}
