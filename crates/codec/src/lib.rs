//! MQTT 3.1, 3.1.1 and 5.0 Control Packets: strict and lenient decoding, correct and malformed encoding.
//!
//! - [`split`] takes one [`Frame`] off a stream. Only here can a packet be incomplete.
//! - [`decode()`] reads a frame strictly: the packet, or the first [`Violation`] with its clause, its byte
//!   offset and the Reason Code that 5.0 prescribes. Nothing is allocated.
//! - [`decode_leniently`] reads as much as can be read and reports every violation.
//! - [`encode()`] writes what is sound, [`encode_as_is`] what it is given, a [`draft::Draft`] what is wrong on purpose.
//! - [`raw`] keeps a frame byte for byte, [`annotate`] shows it to people.
//!
//! ```
//! use codec::{Direction, MAXIMUM_PACKET_SIZE, Packet, Split, Version, decode, split};
//!
//! let stream = b"\x30\x07\x00\x03a/+hi\xC0";
//! let Ok(Split::Complete { frame, rest }) =
//!     split(stream, Version::V3_1_1, Direction::ToServer, MAXIMUM_PACKET_SIZE)
//! else {
//!     panic!("the stream begins with a whole packet");
//! };
//! assert_eq!(rest, b"\xC0");
//! let violation = decode(frame, Version::V3_1_1, Direction::ToServer).unwrap_err();
//! assert_eq!(violation.clause.name(), "v3.1.1/MQTT-3.3.2-2");
//! assert_eq!(
//!     violation.to_string(),
//!     "byte 6: topic must be without wildcards, found a wildcard (Protocol Error, 0x82, v3.1.1/MQTT-3.3.2-2)",
//! );
//! ```
//!
//! # Where the border lies
//!
//! The codec judges what one packet says by itself, knowing its version and direction. What needs
//! another packet, a session or an announced limit is for the session logic:
//!
//! - CONNECT: whether it is the first or a second one, an empty Client Identifier without Clean Start,
//!   who may connect.
//! - CONNACK: Session Present beside an error code, properties that were not asked for.
//! - PUBLISH: whether a Topic Alias is known or within its maximum, Maximum QoS, Retain Available, Receive
//!   Maximum, whether the payload is as its Payload Format Indicator says.
//! - SUBSCRIBE, UNSUBSCRIBE: whether wildcards and `$share` stand where they may ([`TopicFilter`] tells),
//!   No Local on a shared subscription, filters without a character. In 5.0 the answer to these may be a
//!   SUBACK with 0x8F instead of a close.
//! - Acknowledgements: whether their Packet Identifier is in use, and as many codes as filters.
//! - DISCONNECT: a Session Expiry Interval after none in CONNECT. AUTH: the method of CONNECT.
//!
//! # What the standard leaves open
//!
//! What no statement forbids is no violation: control characters and noncharacters in text, a Remaining
//! Length in more bytes than it needs before 5.0, a Payload Format Indicator that is neither 0 nor 1, that
//! or a Message Expiry Interval twice in PUBLISH, AUTH without anything (5.0 section 3.15.2.1 allows what
//! 3.15.2.2.2 forbids), 0x8C in DISCONNECT (table 2-6 lists it, table 3-10 does not). MQTT 3.1 has no
//! rule about unused bits, empty lists of topics, or U+0000 outside of topics.
#![no_std]

extern crate alloc;

pub mod annotate;
mod decode;
pub mod draft;
mod encode;
mod frame;
mod gate;
mod packet;
mod packet_type;
mod plain;
mod property;
mod qos;
pub mod raw;
mod reader;
mod reason_code;
mod rule;
mod sites;
mod text;
mod text_rules;
mod topic;
mod utf8;
mod variable_byte;
mod version;
mod violation;
mod write;

pub use decode::{
    announced_version, decode, decode_connect, decode_connect_leniently, decode_leniently,
};
pub use encode::{EncodeError, encode, encode_as_is};
pub use frame::{Frame, MAXIMUM_PACKET_SIZE, Split, split};
pub use packet::{
    Auth, Connack, Connect, Disconnect, Packet, Pingreq, Pingresp, Puback, Pubcomp, Publish,
    Pubrec, Pubrel, ReasonCodes, RetainHandling, Suback, Subscribe, Subscription,
    SubscriptionOptions, Subscriptions, SubscriptionsBuf, TopicFilters, TopicFiltersBuf, Unsuback,
    Unsubscribe, Will,
};
pub use packet_type::{PacketType, UnknownPacketType};
pub use property::{
    DataType, Properties, PropertiesBuf, Property, PropertyId, PropertyIter, PropertyOwner,
    PropertyValue,
};
pub use qos::QoS;
pub use reason_code::{ReasonCode, connect_return_code};
pub use sites::sites;
pub use text::Text;
pub use topic::{InvalidTopicFilter, TopicFilter};
pub use version::{Direction, UnknownVersion, Version};
pub use violation::{Found, Violation, ViolationKind};
