//! [`FieldSpec`]: the fields of every packet, in one table that all who speak of fields share.

use core::fmt;

use super::{DraftError, Value};
use crate::{DataType, PacketType, PropertyId, PropertyOwner, Version};

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

/// The fields of a packet, in the order of the wire.
pub const fn fields(packet_type: PacketType) -> &'static [FieldSpec] {
    match packet_type {
        PacketType::Connect => CONNECT,
        PacketType::Connack => CONNACK,
        PacketType::Publish => PUBLISH,
        PacketType::Puback | PacketType::Pubrec | PacketType::Pubrel | PacketType::Pubcomp => {
            ACKNOWLEDGEMENT
        }
        PacketType::Subscribe => SUBSCRIBE,
        PacketType::Suback => SUBACK,
        PacketType::Unsubscribe => UNSUBSCRIBE,
        PacketType::Unsuback => UNSUBACK,
        PacketType::Pingreq | PacketType::Pingresp => &[],
        PacketType::Disconnect => DISCONNECT,
        PacketType::Auth => AUTH,
    }
}

const ALL: &[Version] = &Version::ALL;
const SINCE_3_1_1: &[Version] = &[Version::V3_1_1, Version::V5_0];
const ONLY_5_0: &[Version] = &[Version::V5_0];

const BYTE: Kind = Kind::Number { maximum: 0xFF };
const TWO_BYTES: Kind = Kind::Number { maximum: 0xFFFF };
const FOUR_BYTES: Kind = Kind::Number {
    maximum: 0xFFFF_FFFF,
};
const VARIABLE: u64 = crate::variable_byte::MAXIMUM as u64;

const fn plain(
    name: &'static str,
    kind: Kind,
    versions: &'static [Version],
    summary: &'static str,
) -> FieldSpec {
    FieldSpec {
        name,
        alias: None,
        kind,
        versions,
        property: None,
        summary,
    }
}

const fn property(id: PropertyId) -> FieldSpec {
    let kind = match id {
        PropertyId::UserProperty => Kind::Pairs,
        // Numbers to people, although they are 0 or 1.
        PropertyId::MaximumQoS | PropertyId::PayloadFormatIndicator => BYTE,
        _ => match id.data_type() {
            DataType::Byte => Kind::Flag,
            DataType::TwoByteInteger => TWO_BYTES,
            DataType::FourByteInteger => FOUR_BYTES,
            DataType::VariableByteInteger => Kind::Number { maximum: VARIABLE },
            DataType::BinaryData => Kind::Binary,
            DataType::Utf8String => Kind::Text,
            DataType::Utf8StringPair => Kind::Pairs,
        },
    };
    FieldSpec {
        name: id.field(),
        alias: None,
        kind,
        versions: ONLY_5_0,
        property: Some(id),
        summary: id.name(),
    }
}

const SUBSCRIPTION_IDS: FieldSpec = FieldSpec {
    name: "subscription_ids",
    kind: Kind::Numbers { maximum: VARIABLE },
    ..property(PropertyId::SubscriptionIdentifier)
};

const ID: FieldSpec = plain("id", TWO_BYTES, ALL, "Packet Identifier");
const REASON: FieldSpec = plain("reason", Kind::ReasonCode, ONLY_5_0, "Reason Code");
const REASON_STRING: FieldSpec = property(PropertyId::ReasonString);
const USER_PROPERTIES: FieldSpec = property(PropertyId::UserProperty);
const AUTHENTICATION_METHOD: FieldSpec = property(PropertyId::AuthenticationMethod);
const AUTHENTICATION_DATA: FieldSpec = property(PropertyId::AuthenticationData);

/// Every property under its own name, for packets that must not carry it.
static PROPERTIES: &[FieldSpec] = &{
    let mut specs = [USER_PROPERTIES; PropertyId::ALL.len()];
    let mut at = 0;
    while at < specs.len() {
        specs[at] = property(PropertyId::ALL[at]);
        at += 1;
    }
    specs
};

static CONNECT: &[FieldSpec] = &[
    plain("protocol_name", Kind::Text, ALL, "Protocol Name"),
    plain(
        "protocol_version",
        BYTE,
        ALL,
        "Protocol Version; Protocol Level in 3.1.1",
    ),
    plain(
        "connect_flags",
        BYTE,
        ALL,
        "the Connect Flags as one byte, whatever the other fields say",
    ),
    plain(
        "reserved_flag",
        Kind::Flag,
        ALL,
        "bit 0 of the Connect Flags",
    ),
    plain(
        "clean",
        Kind::Flag,
        ALL,
        "Clean Start; Clean Session before 5.0",
    ),
    plain("keep_alive", TWO_BYTES, ALL, "Keep Alive in seconds"),
    property(PropertyId::SessionExpiryInterval),
    property(PropertyId::ReceiveMaximum),
    property(PropertyId::MaximumPacketSize),
    property(PropertyId::TopicAliasMaximum),
    property(PropertyId::RequestResponseInformation),
    property(PropertyId::RequestProblemInformation),
    USER_PROPERTIES,
    AUTHENTICATION_METHOD,
    AUTHENTICATION_DATA,
    plain("client_id", Kind::Text, ALL, "Client Identifier"),
    plain("will", Kind::Record(WILL), ALL, "Will Message"),
    plain("user_name", Kind::Text, ALL, "User Name"),
    plain("password", Kind::Binary, ALL, "Password"),
];

/// The fields of the Will Message.
static WILL: &[FieldSpec] = &[
    plain("qos", Kind::QoS, ALL, "Will QoS"),
    plain("retain", Kind::Flag, ALL, "Will Retain"),
    property(PropertyId::WillDelayInterval),
    property(PropertyId::PayloadFormatIndicator),
    property(PropertyId::MessageExpiryInterval),
    property(PropertyId::ContentType),
    property(PropertyId::ResponseTopic),
    property(PropertyId::CorrelationData),
    USER_PROPERTIES,
    plain("topic", Kind::Text, ALL, "Will Topic"),
    plain(
        "payload",
        Kind::Binary,
        ALL,
        "Will Payload; Will Message before 5.0",
    ),
];

static CONNACK: &[FieldSpec] = &[
    plain(
        "session_present",
        Kind::Flag,
        SINCE_3_1_1,
        "Session Present",
    ),
    FieldSpec {
        alias: Some("code"),
        ..plain(
            "reason",
            Kind::ReasonCode,
            ALL,
            "Connect Reason Code; Connect Return Code before 5.0",
        )
    },
    property(PropertyId::SessionExpiryInterval),
    property(PropertyId::ReceiveMaximum),
    property(PropertyId::MaximumQoS),
    property(PropertyId::RetainAvailable),
    property(PropertyId::MaximumPacketSize),
    property(PropertyId::AssignedClientIdentifier),
    property(PropertyId::TopicAliasMaximum),
    REASON_STRING,
    USER_PROPERTIES,
    property(PropertyId::WildcardSubscriptionAvailable),
    property(PropertyId::SubscriptionIdentifierAvailable),
    property(PropertyId::SharedSubscriptionAvailable),
    property(PropertyId::ServerKeepAlive),
    property(PropertyId::ResponseInformation),
    property(PropertyId::ServerReference),
    AUTHENTICATION_METHOD,
    AUTHENTICATION_DATA,
];

static PUBLISH: &[FieldSpec] = &[
    plain("dup", Kind::Flag, ALL, "DUP flag"),
    plain("qos", Kind::QoS, ALL, "QoS level"),
    plain("retain", Kind::Flag, ALL, "RETAIN flag"),
    plain("topic", Kind::Text, ALL, "Topic Name"),
    ID,
    property(PropertyId::PayloadFormatIndicator),
    property(PropertyId::MessageExpiryInterval),
    property(PropertyId::TopicAlias),
    property(PropertyId::ResponseTopic),
    property(PropertyId::CorrelationData),
    USER_PROPERTIES,
    SUBSCRIPTION_IDS,
    property(PropertyId::ContentType),
    plain("payload", Kind::Binary, ALL, "Payload"),
];

static ACKNOWLEDGEMENT: &[FieldSpec] = &[ID, REASON, REASON_STRING, USER_PROPERTIES];

static SUBSCRIBE: &[FieldSpec] = &[
    ID,
    property(PropertyId::SubscriptionIdentifier),
    USER_PROPERTIES,
    plain(
        "filters",
        Kind::Records(SUBSCRIPTION),
        ALL,
        "Topic Filters with their options",
    ),
];

static SUBSCRIPTION: &[FieldSpec] = &[
    plain("filter", Kind::Text, ALL, "Topic Filter"),
    plain(
        "qos",
        Kind::QoS,
        ALL,
        "maximum QoS; Requested QoS before 5.0",
    ),
    plain("no_local", Kind::Flag, ONLY_5_0, "No Local"),
    plain(
        "retain_as_published",
        Kind::Flag,
        ONLY_5_0,
        "Retain As Published",
    ),
    plain(
        "retain_handling",
        Kind::Number { maximum: 3 },
        ONLY_5_0,
        "Retain Handling: 0, 1, 2, or on purpose 3",
    ),
    plain(
        "reserved",
        Kind::Number { maximum: 0x3F },
        ALL,
        "the reserved bits: two in 5.0, six before",
    ),
];

static SUBACK: &[FieldSpec] = &[
    ID,
    REASON_STRING,
    USER_PROPERTIES,
    plain(
        "codes",
        Kind::ReasonCodes,
        ALL,
        "a Reason Code for each Topic Filter",
    ),
];

static UNSUBSCRIBE: &[FieldSpec] = &[
    ID,
    USER_PROPERTIES,
    plain("filters", Kind::Texts, ALL, "Topic Filters"),
];

static UNSUBACK: &[FieldSpec] = &[
    ID,
    REASON_STRING,
    USER_PROPERTIES,
    plain(
        "codes",
        Kind::ReasonCodes,
        ONLY_5_0,
        "a Reason Code for each Topic Filter",
    ),
];

static DISCONNECT: &[FieldSpec] = &[
    REASON,
    property(PropertyId::SessionExpiryInterval),
    REASON_STRING,
    USER_PROPERTIES,
    property(PropertyId::ServerReference),
];

static AUTH: &[FieldSpec] = &[
    REASON,
    AUTHENTICATION_METHOD,
    AUTHENTICATION_DATA,
    REASON_STRING,
    USER_PROPERTIES,
];
