//! [`Properties`]: the property list of a packet, walked where it stands.

use core::fmt;

use super::{DataType, PropertyId};
use crate::{Text, variable_byte};

/// The value of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyValue<'a> {
    /// Byte.
    Byte(u8),
    /// Two Byte Integer.
    TwoByteInteger(u16),
    /// Four Byte Integer.
    FourByteInteger(u32),
    /// Variable Byte Integer.
    VariableByteInteger(u32),
    /// Binary Data.
    BinaryData(&'a [u8]),
    /// UTF-8 Encoded String.
    Utf8String(Text<'a>),
    /// UTF-8 String Pair: name and value.
    Utf8StringPair(Text<'a>, Text<'a>),
}

/// One property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Property<'a> {
    /// Which it is.
    pub id: PropertyId,
    /// Its value, of the type that [`PropertyId::data_type`] tells.
    pub value: PropertyValue<'a>,
}

/// The properties of a packet, without their Property Length.
///
/// Strict decoding validates them once; a walk through unsound ones ends where they cannot be read.
#[derive(Clone, Copy, Default)]
pub struct Properties<'a> {
    bytes: &'a [u8],
    /// One bit for each property that occurs, so that looking for an absent one costs nothing.
    present: u64,
}

impl<'a> Properties<'a> {
    /// No properties.
    pub const EMPTY: Properties<'static> = Properties {
        bytes: &[],
        present: 0,
    };

    /// The properties that `bytes` hold, as far as they can be read.
    pub fn new(bytes: &'a [u8]) -> Self {
        let present = PropertyIter { rest: bytes }.fold(0, |set, property| set | property.id.bit());
        Self { bytes, present }
    }

    /// Properties that were walked already.
    pub(crate) const fn walked(bytes: &'a [u8], present: u64) -> Self {
        Self { bytes, present }
    }

    /// The bytes as they stand on the wire.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }

    /// Walks them in their order.
    pub const fn iter(self) -> PropertyIter<'a> {
        PropertyIter { rest: self.bytes }
    }

    /// Whether the property occurs.
    pub const fn contains(self, id: PropertyId) -> bool {
        self.present & id.bit() != 0
    }

    /// The value of the first property of this kind.
    pub fn get(self, id: PropertyId) -> Option<PropertyValue<'a>> {
        if !self.contains(id) {
            return None;
        }
        self.iter()
            .find(|property| property.id == id)
            .map(|property| property.value)
    }

    fn byte(self, id: PropertyId) -> Option<u8> {
        match self.get(id)? {
            PropertyValue::Byte(value) => Some(value),
            _ => None,
        }
    }

    fn two_bytes(self, id: PropertyId) -> Option<u16> {
        match self.get(id)? {
            PropertyValue::TwoByteInteger(value) => Some(value),
            _ => None,
        }
    }

    fn four_bytes(self, id: PropertyId) -> Option<u32> {
        match self.get(id)? {
            PropertyValue::FourByteInteger(value) => Some(value),
            _ => None,
        }
    }

    fn text(self, id: PropertyId) -> Option<Text<'a>> {
        match self.get(id)? {
            PropertyValue::Utf8String(value) => Some(value),
            _ => None,
        }
    }

    fn binary(self, id: PropertyId) -> Option<&'a [u8]> {
        match self.get(id)? {
            PropertyValue::BinaryData(value) => Some(value),
            _ => None,
        }
    }
}

macro_rules! accessors {
    ($($accessor:ident: $id:ident, $read:ident -> $type:ty;)*) => {
        /// The value of each property that occurs once at most; `None` where it is absent.
        #[expect(missing_docs, reason = "the names are the specification's")]
        impl<'a> Properties<'a> {
            $(pub fn $accessor(self) -> Option<$type> { self.$read(PropertyId::$id) })*
        }
    };
}

accessors! {
    payload_format_indicator: PayloadFormatIndicator, byte -> u8;
    message_expiry_interval: MessageExpiryInterval, four_bytes -> u32;
    content_type: ContentType, text -> Text<'a>;
    response_topic: ResponseTopic, text -> Text<'a>;
    correlation_data: CorrelationData, binary -> &'a [u8];
    session_expiry_interval: SessionExpiryInterval, four_bytes -> u32;
    assigned_client_identifier: AssignedClientIdentifier, text -> Text<'a>;
    server_keep_alive: ServerKeepAlive, two_bytes -> u16;
    authentication_method: AuthenticationMethod, text -> Text<'a>;
    authentication_data: AuthenticationData, binary -> &'a [u8];
    request_problem_information: RequestProblemInformation, byte -> u8;
    will_delay_interval: WillDelayInterval, four_bytes -> u32;
    request_response_information: RequestResponseInformation, byte -> u8;
    response_information: ResponseInformation, text -> Text<'a>;
    server_reference: ServerReference, text -> Text<'a>;
    reason_string: ReasonString, text -> Text<'a>;
    receive_maximum: ReceiveMaximum, two_bytes -> u16;
    topic_alias_maximum: TopicAliasMaximum, two_bytes -> u16;
    topic_alias: TopicAlias, two_bytes -> u16;
    maximum_qos: MaximumQoS, byte -> u8;
    retain_available: RetainAvailable, byte -> u8;
    maximum_packet_size: MaximumPacketSize, four_bytes -> u32;
    wildcard_subscription_available: WildcardSubscriptionAvailable, byte -> u8;
    subscription_identifier_available: SubscriptionIdentifierAvailable, byte -> u8;
    shared_subscription_available: SharedSubscriptionAvailable, byte -> u8;
}

impl<'a> Properties<'a> {
    /// The first Subscription Identifier: all that SUBSCRIBE may carry.
    pub fn subscription_identifier(self) -> Option<u32> {
        self.subscription_identifiers().next()
    }

    /// The Subscription Identifiers of a PUBLISH, in their order.
    pub fn subscription_identifiers(self) -> impl Iterator<Item = u32> + Clone + 'a {
        self.every(PropertyId::SubscriptionIdentifier)
            .filter_map(|value| match value {
                PropertyValue::VariableByteInteger(identifier) => Some(identifier),
                _ => None,
            })
    }

    /// The User Properties, name and value, in their order.
    pub fn user_properties(self) -> impl Iterator<Item = (Text<'a>, Text<'a>)> + Clone + 'a {
        self.every(PropertyId::UserProperty)
            .filter_map(|value| match value {
                PropertyValue::Utf8StringPair(name, value) => Some((name, value)),
                _ => None,
            })
    }

    fn every(self, id: PropertyId) -> impl Iterator<Item = PropertyValue<'a>> + Clone + 'a {
        let walked = if self.contains(id) { self.bytes } else { &[] };
        PropertyIter { rest: walked }
            .filter(move |property| property.id == id)
            .map(|property| property.value)
    }
}

impl PartialEq for Properties<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Properties<'_> {}

impl fmt::Debug for Properties<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|property| (property.id, property.value)))
            .finish()
    }
}

impl<'a> IntoIterator for Properties<'a> {
    type Item = Property<'a>;
    type IntoIter = PropertyIter<'a>;

    fn into_iter(self) -> PropertyIter<'a> {
        self.iter()
    }
}

/// Walks properties; it ends at the first that cannot be read.
#[derive(Debug, Clone)]
pub struct PropertyIter<'a> {
    rest: &'a [u8],
}

impl<'a> PropertyIter<'a> {
    /// The bytes not walked yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn read(&mut self) -> Option<Property<'a>> {
        let identifier = self.variable_byte_integer()?;
        let id = PropertyId::from_identifier(identifier)?;
        let value = match id.data_type() {
            DataType::Byte => PropertyValue::Byte(u8::from_be_bytes(self.array()?)),
            DataType::TwoByteInteger => {
                PropertyValue::TwoByteInteger(u16::from_be_bytes(self.array()?))
            }
            DataType::FourByteInteger => {
                PropertyValue::FourByteInteger(u32::from_be_bytes(self.array()?))
            }
            DataType::VariableByteInteger => {
                PropertyValue::VariableByteInteger(self.variable_byte_integer()?)
            }
            DataType::BinaryData => PropertyValue::BinaryData(self.binary()?),
            DataType::Utf8String => PropertyValue::Utf8String(Text::new(self.binary()?)),
            DataType::Utf8StringPair => {
                PropertyValue::Utf8StringPair(Text::new(self.binary()?), Text::new(self.binary()?))
            }
        };
        Some(Property { id, value })
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*array)
    }

    fn variable_byte_integer(&mut self) -> Option<u32> {
        match variable_byte::read(self.rest) {
            variable_byte::Read::Value { value, width } => {
                self.rest = self.rest.get(width..)?;
                Some(value)
            }
            _ => None,
        }
    }

    fn binary(&mut self) -> Option<&'a [u8]> {
        let length = u16::from_be_bytes(self.array()?);
        let (data, rest) = self.rest.split_at_checked(usize::from(length))?;
        self.rest = rest;
        Some(data)
    }
}

impl<'a> Iterator for PropertyIter<'a> {
    type Item = Property<'a>;

    fn next(&mut self) -> Option<Property<'a>> {
        let property = self.read();
        if property.is_none() {
            self.rest = &[];
        }
        property
    }
}

impl core::iter::FusedIterator for PropertyIter<'_> {}
