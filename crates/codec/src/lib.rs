//! MQTT 3.1, 3.1.1 and 5.0 Control Packets: strict and lenient decoding, correct and malformed encoding.
#![no_std]

extern crate alloc;

mod decode;
pub mod draft;
mod encode;
mod frame;
mod gate;
mod packet;
mod packet_type;
mod property;
mod qos;
mod reader;
mod reason_code;
mod rule;
mod text;
mod text_rules;
mod topic;
mod utf8;
mod variable_byte;
mod version;
mod violation;
mod write;

pub use decode::{decode, decode_connect, decode_connect_leniently, decode_leniently};
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
pub use text::Text;
pub use topic::{InvalidTopicFilter, TopicFilter};
pub use version::{Direction, UnknownVersion, Version};
pub use violation::{Found, Violation, ViolationKind};
