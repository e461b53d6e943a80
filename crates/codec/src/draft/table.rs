//! The fields of every packet, in one table that all who speak of fields share.

use super::{FieldSpec, Kind};
use crate::{DataType, PacketType, PropertyId, Version, variable_byte};

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
const VARIABLE: u64 = variable_byte::MAXIMUM as u64;

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
pub(super) static PROPERTIES: &[FieldSpec] = &{
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
pub(super) static WILL: &[FieldSpec] = &[
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
