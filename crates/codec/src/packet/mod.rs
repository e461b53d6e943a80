//! [`Packet`] and the packets themselves, one file each: true to the wire, borrowed from it.
//!
//! A field can hold what the specification forbids; the strict decoder is the gate that lets only
//! sound packets through. So the same types serve strict and lenient reading.

use crate::PacketType;

mod acknowledgement;
mod auth;
mod connack;
mod connect;
mod disconnect;
mod listing;
mod pingreq;
mod pingresp;
mod puback;
mod pubcomp;
mod publish;
mod pubrec;
mod pubrel;
mod suback;
mod subscribe;
mod subscription;
mod unsuback;
mod unsubscribe;
mod will;

pub use auth::Auth;
pub use connack::Connack;
pub use connect::Connect;
pub use disconnect::Disconnect;
pub use pingreq::Pingreq;
pub use pingresp::Pingresp;
pub use puback::Puback;
pub use pubcomp::Pubcomp;
pub use publish::Publish;
pub use pubrec::Pubrec;
pub use pubrel::Pubrel;
pub use suback::{ReasonCodes, Suback};
pub use subscribe::Subscribe;
pub use subscription::{
    RetainHandling, Subscription, SubscriptionOptions, Subscriptions, SubscriptionsBuf,
};
pub use unsuback::Unsuback;
pub use unsubscribe::{TopicFilters, TopicFiltersBuf, Unsubscribe};
pub use will::Will;

/// A Control Packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant holds the packet of its name")]
pub enum Packet<'a> {
    Connect(Connect<'a>),
    Connack(Connack<'a>),
    Publish(Publish<'a>),
    Puback(Puback<'a>),
    Pubrec(Pubrec<'a>),
    Pubrel(Pubrel<'a>),
    Pubcomp(Pubcomp<'a>),
    Subscribe(Subscribe<'a>),
    Suback(Suback<'a>),
    Unsubscribe(Unsubscribe<'a>),
    Unsuback(Unsuback<'a>),
    Pingreq(Pingreq),
    Pingresp(Pingresp),
    Disconnect(Disconnect<'a>),
    Auth(Auth<'a>),
}

impl Packet<'_> {
    /// Its type.
    pub const fn packet_type(&self) -> PacketType {
        match self {
            Self::Connect(_) => PacketType::Connect,
            Self::Connack(_) => PacketType::Connack,
            Self::Publish(_) => PacketType::Publish,
            Self::Puback(_) => PacketType::Puback,
            Self::Pubrec(_) => PacketType::Pubrec,
            Self::Pubrel(_) => PacketType::Pubrel,
            Self::Pubcomp(_) => PacketType::Pubcomp,
            Self::Subscribe(_) => PacketType::Subscribe,
            Self::Suback(_) => PacketType::Suback,
            Self::Unsubscribe(_) => PacketType::Unsubscribe,
            Self::Unsuback(_) => PacketType::Unsuback,
            Self::Pingreq(_) => PacketType::Pingreq,
            Self::Pingresp(_) => PacketType::Pingresp,
            Self::Disconnect(_) => PacketType::Disconnect,
            Self::Auth(_) => PacketType::Auth,
        }
    }
}

macro_rules! from_packet {
    ($($packet:ident $(<$lifetime:lifetime>)?),*) => {
        $(impl<'a> From<$packet $(<$lifetime>)?> for Packet<'a> {
            fn from(packet: $packet $(<$lifetime>)?) -> Self {
                Self::$packet(packet)
            }
        })*
    };
}

from_packet!(
    Connect<'a>,
    Connack<'a>,
    Publish<'a>,
    Puback<'a>,
    Pubrec<'a>,
    Pubrel<'a>,
    Pubcomp<'a>,
    Subscribe<'a>,
    Suback<'a>,
    Unsubscribe<'a>,
    Unsuback<'a>,
    Pingreq,
    Pingresp,
    Disconnect<'a>,
    Auth<'a>
);
