//! [`PropertyId`]: the 27 properties of 5.0, their data types, and where each may stand (table 2-4).

use core::fmt;

use crate::PacketType;

/// The type of a property's value (section 1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataType {
    /// One byte.
    Byte,
    /// Two Byte Integer.
    TwoByteInteger,
    /// Four Byte Integer.
    FourByteInteger,
    /// Variable Byte Integer.
    VariableByteInteger,
    /// Binary Data: a length of two bytes, then the data.
    BinaryData,
    /// UTF-8 Encoded String.
    Utf8String,
    /// UTF-8 String Pair.
    Utf8StringPair,
}

/// What carries a list of properties: a packet, or the Will Message inside CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PropertyOwner {
    /// The Variable Header of a packet.
    Packet(PacketType),
    /// The Will Properties in the Payload of CONNECT (section 3.1.3.2).
    Will,
}

impl PropertyOwner {
    const fn bit(self) -> u16 {
        1 << self.number()
    }

    /// The value of the packet type, or the reserved 0 for the Will.
    const fn number(self) -> u8 {
        match self {
            Self::Packet(packet_type) => packet_type.value(),
            Self::Will => 0,
        }
    }

    /// The properties that it may carry, a bit for each.
    #[inline]
    pub(crate) fn carried(self) -> u64 {
        let sets = CARRIED.get(usize::from(self.number()));
        sets.copied().unwrap_or_default()
    }
}

/// The properties that each owner may carry, by its number.
const CARRIED: [u64; 16] = {
    let mut sets = [0; 16];
    let mut owner = 0;
    while owner < sets.len() {
        let mut at = 0;
        while at < PropertyId::ALL.len() {
            let id = PropertyId::ALL[at];
            if id.spec().owners >> owner & 1 != 0 {
                sets[owner] |= id.bit();
            }
            at += 1;
        }
        owner += 1;
    }
    sets
};

struct Spec {
    name: &'static str,
    field: &'static str,
    data_type: DataType,
    owners: u16,
}

macro_rules! owners {
    ($($owner:ident)*) => { 0 $(| owners!(@ $owner))* };
    (@ Will) => { PropertyOwner::Will.bit() };
    (@ $packet_type:ident) => { PropertyOwner::Packet(PacketType::$packet_type).bit() };
}

macro_rules! properties {
    ($($id:ident = $value:literal, $name:literal, $field:literal, $data_type:ident, [$($owner:ident)*];)*) => {
        /// The identifier of a property (section 2.2.2.2).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[expect(missing_docs, reason = "the names are the specification's")]
        pub enum PropertyId {
            $($id = $value,)*
        }

        impl PropertyId {
            /// Every property, in the order of its identifier.
            pub const ALL: [Self; 27] = [$(Self::$id,)*];

            /// The property with this identifier.
            #[inline]
            pub const fn from_identifier(identifier: u32) -> Option<Self> {
                match identifier {
                    $($value => Some(Self::$id),)*
                    _ => None,
                }
            }

            #[inline]
            const fn spec(self) -> &'static Spec {
                match self {
                    $(Self::$id => &const {
                        Spec { name: $name, field: $field, data_type: DataType::$data_type, owners: owners!($($owner)*) }
                    },)*
                }
            }
        }
    };
}

properties! {
    PayloadFormatIndicator = 0x01, "Payload Format Indicator", "payload_format", Byte, [Publish Will];
    MessageExpiryInterval = 0x02, "Message Expiry Interval", "message_expiry", FourByteInteger, [Publish Will];
    ContentType = 0x03, "Content Type", "content_type", Utf8String, [Publish Will];
    ResponseTopic = 0x08, "Response Topic", "response_topic", Utf8String, [Publish Will];
    CorrelationData = 0x09, "Correlation Data", "correlation_data", BinaryData, [Publish Will];
    SubscriptionIdentifier = 0x0B, "Subscription Identifier", "subscription_id", VariableByteInteger, [Publish Subscribe];
    SessionExpiryInterval = 0x11, "Session Expiry Interval", "session_expiry", FourByteInteger, [Connect Connack Disconnect];
    AssignedClientIdentifier = 0x12, "Assigned Client Identifier", "assigned_client_id", Utf8String, [Connack];
    ServerKeepAlive = 0x13, "Server Keep Alive", "server_keep_alive", TwoByteInteger, [Connack];
    AuthenticationMethod = 0x15, "Authentication Method", "authentication_method", Utf8String, [Connect Connack Auth];
    AuthenticationData = 0x16, "Authentication Data", "authentication_data", BinaryData, [Connect Connack Auth];
    RequestProblemInformation = 0x17, "Request Problem Information", "request_problem_information", Byte, [Connect];
    WillDelayInterval = 0x18, "Will Delay Interval", "delay", FourByteInteger, [Will];
    RequestResponseInformation = 0x19, "Request Response Information", "request_response_information", Byte, [Connect];
    ResponseInformation = 0x1A, "Response Information", "response_information", Utf8String, [Connack];
    ServerReference = 0x1C, "Server Reference", "server_reference", Utf8String, [Connack Disconnect];
    ReasonString = 0x1F, "Reason String", "reason_string", Utf8String,
        [Connack Puback Pubrec Pubrel Pubcomp Suback Unsuback Disconnect Auth];
    ReceiveMaximum = 0x21, "Receive Maximum", "receive_maximum", TwoByteInteger, [Connect Connack];
    TopicAliasMaximum = 0x22, "Topic Alias Maximum", "topic_alias_maximum", TwoByteInteger, [Connect Connack];
    TopicAlias = 0x23, "Topic Alias", "topic_alias", TwoByteInteger, [Publish];
    MaximumQoS = 0x24, "Maximum QoS", "maximum_qos", Byte, [Connack];
    RetainAvailable = 0x25, "Retain Available", "retain_available", Byte, [Connack];
    UserProperty = 0x26, "User Property", "user_properties", Utf8StringPair,
        [Connect Connack Publish Will Puback Pubrec Pubrel Pubcomp Subscribe Suback Unsubscribe Unsuback Disconnect Auth];
    MaximumPacketSize = 0x27, "Maximum Packet Size", "maximum_packet_size", FourByteInteger, [Connect Connack];
    WildcardSubscriptionAvailable = 0x28, "Wildcard Subscription Available", "wildcard_available", Byte, [Connack];
    SubscriptionIdentifierAvailable = 0x29, "Subscription Identifier Available", "subscription_ids_available", Byte, [Connack];
    SharedSubscriptionAvailable = 0x2A, "Shared Subscription Available", "shared_available", Byte, [Connack];
}

impl PropertyId {
    /// The identifier on the wire. All are below 0x80 and so take one byte.
    pub const fn identifier(self) -> u8 {
        self as u8
    }

    /// The specification's name, such as `Session Expiry Interval`.
    pub const fn name(self) -> &'static str {
        self.spec().name
    }

    /// The field of the scenario language that holds it, such as `session_expiry`.
    ///
    /// In PUBLISH, where Subscription Identifiers repeat, their field is `subscription_ids`.
    pub const fn field(self) -> &'static str {
        self.spec().field
    }

    /// The type of its value.
    #[inline]
    pub const fn data_type(self) -> DataType {
        self.spec().data_type
    }

    /// Whether it may stand in the properties of `owner`, whichever way the packet travels.
    #[inline]
    pub const fn is_allowed_in(self, owner: PropertyOwner) -> bool {
        self.spec().owners & owner.bit() != 0
    }

    /// The bit that stands for it in a set of properties.
    #[inline]
    pub(crate) const fn bit(self) -> u64 {
        1 << self.identifier()
    }
}

impl fmt::Display for PropertyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
