//! [`ReasonCode`]: the codes of 5.0 and which packet may carry which, and the return codes of CONNACK before it.

use core::fmt;

use crate::{Direction, PacketType, Version};

/// A Reason Code of 5.0 (section 2.4); in earlier versions the code byte of CONNACK and SUBACK.
///
/// Any byte can be held; [`is_allowed_in`](Self::is_allowed_in) tells the sound ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ReasonCode(pub u8);

macro_rules! reason_codes {
    ($($constant:ident = $value:literal, $name:literal;)*) => {
        #[expect(missing_docs, reason = "the names are the specification's")]
        impl ReasonCode {
            $(pub const $constant: Self = Self($value);)*
        }

        /// Each code of 5.0 under the name that does not depend on the packet, in the order of its value.
        const NAMES: &[(u8, &str)] = &[$(($value, $name)),*];
    };
}

reason_codes! {
    SUCCESS = 0x00, "success";
    GRANTED_QOS_1 = 0x01, "granted_qos_1";
    GRANTED_QOS_2 = 0x02, "granted_qos_2";
    DISCONNECT_WITH_WILL_MESSAGE = 0x04, "disconnect_with_will_message";
    NO_MATCHING_SUBSCRIBERS = 0x10, "no_matching_subscribers";
    NO_SUBSCRIPTION_EXISTED = 0x11, "no_subscription_existed";
    CONTINUE_AUTHENTICATION = 0x18, "continue_authentication";
    RE_AUTHENTICATE = 0x19, "re_authenticate";
    UNSPECIFIED_ERROR = 0x80, "unspecified_error";
    MALFORMED_PACKET = 0x81, "malformed_packet";
    PROTOCOL_ERROR = 0x82, "protocol_error";
    IMPLEMENTATION_SPECIFIC_ERROR = 0x83, "implementation_specific_error";
    UNSUPPORTED_PROTOCOL_VERSION = 0x84, "unsupported_protocol_version";
    CLIENT_IDENTIFIER_NOT_VALID = 0x85, "client_identifier_not_valid";
    BAD_USER_NAME_OR_PASSWORD = 0x86, "bad_user_name_or_password";
    NOT_AUTHORIZED = 0x87, "not_authorized";
    SERVER_UNAVAILABLE = 0x88, "server_unavailable";
    SERVER_BUSY = 0x89, "server_busy";
    BANNED = 0x8A, "banned";
    SERVER_SHUTTING_DOWN = 0x8B, "server_shutting_down";
    BAD_AUTHENTICATION_METHOD = 0x8C, "bad_authentication_method";
    KEEP_ALIVE_TIMEOUT = 0x8D, "keep_alive_timeout";
    SESSION_TAKEN_OVER = 0x8E, "session_taken_over";
    TOPIC_FILTER_INVALID = 0x8F, "topic_filter_invalid";
    TOPIC_NAME_INVALID = 0x90, "topic_name_invalid";
    PACKET_IDENTIFIER_IN_USE = 0x91, "packet_identifier_in_use";
    PACKET_IDENTIFIER_NOT_FOUND = 0x92, "packet_identifier_not_found";
    RECEIVE_MAXIMUM_EXCEEDED = 0x93, "receive_maximum_exceeded";
    TOPIC_ALIAS_INVALID = 0x94, "topic_alias_invalid";
    PACKET_TOO_LARGE = 0x95, "packet_too_large";
    MESSAGE_RATE_TOO_HIGH = 0x96, "message_rate_too_high";
    QUOTA_EXCEEDED = 0x97, "quota_exceeded";
    ADMINISTRATIVE_ACTION = 0x98, "administrative_action";
    PAYLOAD_FORMAT_INVALID = 0x99, "payload_format_invalid";
    RETAIN_NOT_SUPPORTED = 0x9A, "retain_not_supported";
    QOS_NOT_SUPPORTED = 0x9B, "qos_not_supported";
    USE_ANOTHER_SERVER = 0x9C, "use_another_server";
    SERVER_MOVED = 0x9D, "server_moved";
    SHARED_SUBSCRIPTIONS_NOT_SUPPORTED = 0x9E, "shared_subscriptions_not_supported";
    CONNECTION_RATE_EXCEEDED = 0x9F, "connection_rate_exceeded";
    MAXIMUM_CONNECT_TIME = 0xA0, "maximum_connect_time";
    SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED = 0xA1, "subscription_identifiers_not_supported";
    WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED = 0xA2, "wildcard_subscriptions_not_supported";
}

/// What 0x00 is called in DISCONNECT and in SUBACK, where it is not plain success.
const NORMAL_DISCONNECTION: &str = "normal_disconnection";
const GRANTED_QOS_0: &str = "granted_qos_0";

impl ReasonCode {
    /// 0x00 as SUBACK names it.
    pub const GRANTED_QOS_0: Self = Self(0x00);
    /// 0x00 as DISCONNECT names it.
    pub const NORMAL_DISCONNECTION: Self = Self(0x00);
    /// 0x80 as SUBACK of 3.1.1 names it.
    pub const FAILURE: Self = Self(0x80);

    /// The code of 5.0 with this `snake_case` name; 0x00 has three.
    pub fn from_name(name: &str) -> Option<Self> {
        if name == NORMAL_DISCONNECTION || name == GRANTED_QOS_0 {
            return Some(Self::SUCCESS);
        }
        NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(value, _)| Self(*value))
    }

    /// Its `snake_case` name in packets of this type; `None` for a value that 5.0 does not define.
    pub fn name(self, packet_type: PacketType) -> Option<&'static str> {
        match (self.0, packet_type) {
            (0x00, PacketType::Disconnect) => Some(NORMAL_DISCONNECTION),
            (0x00, PacketType::Suback) => Some(GRANTED_QOS_0),
            _ => NAMES
                .iter()
                .find(|(value, _)| *value == self.0)
                .map(|(_, name)| *name),
        }
    }

    /// Every name that [`from_name`](Self::from_name) knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES
            .iter()
            .map(|(_, name)| *name)
            .chain([NORMAL_DISCONNECTION, GRANTED_QOS_0])
    }

    /// Whether it tells of a failure: 0x80 and above.
    pub const fn is_error(self) -> bool {
        self.0 >= 0x80
    }

    /// Whether a packet of this type that travels in `direction` may carry it.
    ///
    /// In 5.0 the tables of the packets decide, with their column of who sends it; 0x8C in
    /// DISCONNECT is allowed, because table 2-6 lists it and table 3-10 does not. In earlier
    /// versions only CONNACK and SUBACK carry codes; SUBACK of 3.1 has no 0x80.
    pub const fn is_allowed_in(
        self,
        packet_type: PacketType,
        direction: Direction,
        version: Version,
    ) -> bool {
        match version {
            Version::V5_0 => self.is_listed(packet_type, direction),
            Version::V3_1_1 => match packet_type {
                PacketType::Connack => self.0 <= 5,
                PacketType::Suback => self.0 <= 2 || self.0 == 0x80,
                _ => false,
            },
            Version::V3_1 => match packet_type {
                PacketType::Connack => self.0 <= 5,
                PacketType::Suback => self.0 <= 2,
                _ => false,
            },
        }
    }

    const fn is_listed(self, packet_type: PacketType, direction: Direction) -> bool {
        let from_server = matches!(direction, Direction::ToClient);
        match packet_type {
            PacketType::Connack => matches!(
                self.0,
                0x00 | 0x80..=0x8A | 0x8C | 0x90 | 0x95 | 0x97 | 0x99 | 0x9A..=0x9D | 0x9F
            ),
            PacketType::Puback | PacketType::Pubrec => match self.0 {
                0x00 | 0x80 | 0x83 | 0x87 | 0x90 | 0x91 | 0x97 | 0x99 => true,
                0x10 => from_server,
                _ => false,
            },
            PacketType::Pubrel | PacketType::Pubcomp => matches!(self.0, 0x00 | 0x92),
            PacketType::Suback => matches!(
                self.0,
                0x00..=0x02 | 0x80 | 0x83 | 0x87 | 0x8F | 0x91 | 0x97 | 0x9E | 0xA1 | 0xA2
            ),
            PacketType::Unsuback => {
                matches!(self.0, 0x00 | 0x11 | 0x80 | 0x83 | 0x87 | 0x8F | 0x91)
            }
            PacketType::Disconnect => match self.0 {
                0x00 | 0x80..=0x83 | 0x8C | 0x90 | 0x93..=0x99 => true,
                0x04 => !from_server,
                0x87 | 0x89 | 0x8B | 0x8D..=0x8F | 0x9A..=0xA2 => from_server,
                _ => false,
            },
            PacketType::Auth => match self.0 {
                0x00 => from_server,
                0x18 => true,
                0x19 => !from_server,
                _ => false,
            },
            _ => false,
        }
    }
}

impl fmt::Debug for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReasonCode(0x{:02X})", self.0)
    }
}

impl fmt::Display for ReasonCode {
    /// As the specification writes it, such as `0x87`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:02X}", self.0)
    }
}

/// The Connect Return Codes of CONNACK in 3.1 and 3.1.1 (section 3.2.2.3), as a [`ReasonCode`] holds them.
pub mod connect_return_code {
    use super::ReasonCode;

    /// The connection is accepted.
    pub const ACCEPTED: ReasonCode = ReasonCode(0);
    /// The server does not support the protocol level that was asked for.
    pub const UNACCEPTABLE_PROTOCOL_VERSION: ReasonCode = ReasonCode(1);
    /// The client identifier is not allowed.
    pub const IDENTIFIER_REJECTED: ReasonCode = ReasonCode(2);
    /// The MQTT service is unavailable.
    pub const SERVER_UNAVAILABLE: ReasonCode = ReasonCode(3);
    /// The user name or password is malformed.
    pub const BAD_USER_NAME_OR_PASSWORD: ReasonCode = ReasonCode(4);
    /// The client is not authorized to connect.
    pub const NOT_AUTHORIZED: ReasonCode = ReasonCode(5);

    const NAMES: [&str; 6] = [
        "accepted",
        "unacceptable_protocol_version",
        "identifier_rejected",
        "server_unavailable",
        "bad_user_name_or_password",
        "not_authorized",
    ];

    /// The return code with this `snake_case` name.
    pub fn from_name(name: &str) -> Option<ReasonCode> {
        NAMES
            .iter()
            .zip(0..)
            .find(|(known, _)| **known == name)
            .map(|(_, value)| ReasonCode(value))
    }

    /// Its `snake_case` name; `None` for a value that 3.1.1 reserves.
    pub fn name(code: ReasonCode) -> Option<&'static str> {
        NAMES.get(usize::from(code.0)).copied()
    }
}
