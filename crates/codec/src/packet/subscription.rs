//! What a SUBSCRIBE asks for: Topic Filters with their Subscription Options (section 3.8.3).

use alloc::vec::Vec;
use core::fmt;

use crate::{QoS, Text, Version, plain, write};

/// A Topic Filter with its Subscription Options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription<'a> {
    /// Topic Filter. Whether its wildcards stand where they may is for the session logic to ask:
    /// see [`TopicFilter`](crate::TopicFilter).
    pub filter: Text<'a>,
    /// The options; Requested QoS before 5.0.
    pub options: SubscriptionOptions,
}

/// The options byte of a subscription (section 3.8.3.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SubscriptionOptions(pub u8);

impl SubscriptionOptions {
    /// No option but the maximum QoS, which is the Requested QoS before 5.0.
    pub const fn with_qos(qos: QoS) -> Self {
        Self(qos.value())
    }

    /// Sets No Local.
    #[must_use]
    pub const fn no_local(self, on: bool) -> Self {
        self.with_bit(0b100, on)
    }

    /// Sets Retain As Published.
    #[must_use]
    pub const fn retain_as_published(self, on: bool) -> Self {
        self.with_bit(0b1000, on)
    }

    /// Sets Retain Handling.
    #[must_use]
    pub const fn retain_handling(self, handling: RetainHandling) -> Self {
        Self(self.0 & !0b11_0000 | handling.bits() << 4)
    }

    const fn with_bit(self, bit: u8, on: bool) -> Self {
        Self(if on { self.0 | bit } else { self.0 & !bit })
    }

    /// The maximum QoS at which the server may send; Requested QoS before 5.0.
    pub const fn qos(self) -> QoS {
        QoS::from_bits(self.0)
    }

    /// Whether the client's own messages are not sent back to it.
    pub const fn is_no_local(self) -> bool {
        self.0 & 0b100 != 0
    }

    /// Whether forwarded messages keep the RETAIN flag with which they were published.
    pub const fn is_retain_as_published(self) -> bool {
        self.0 & 0b1000 != 0
    }

    /// When retained messages are sent; `None` for the forbidden value 3.
    pub const fn handling_of_retained(self) -> Option<RetainHandling> {
        match self.0 >> 4 & 0b11 {
            0 => Some(RetainHandling::SendAtSubscribe),
            1 => Some(RetainHandling::SendIfNew),
            2 => Some(RetainHandling::DoNotSend),
            _ => None,
        }
    }

    /// Whether `version` allows every one of its bits.
    #[inline]
    pub(super) const fn is_sound(self, version: Version) -> bool {
        match version {
            Version::V3_1 => self.qos().is_valid(),
            Version::V3_1_1 => self.0 < 3,
            Version::V5_0 => {
                self.reserved() == 0
                    && self.qos().is_valid()
                    && self.handling_of_retained().is_some()
            }
        }
    }

    /// The two reserved bits of 5.0, as a number from 0 to 3.
    pub const fn reserved(self) -> u8 {
        self.0 >> 6
    }
}

impl fmt::Debug for SubscriptionOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubscriptionOptions(0b{:08b})", self.0)
    }
}

/// When retained messages are sent because of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RetainHandling {
    /// 0: whenever the client subscribes.
    #[default]
    SendAtSubscribe,
    /// 1: only if the subscription did not exist.
    SendIfNew,
    /// 2: never.
    DoNotSend,
}

impl RetainHandling {
    /// 0, 1 or 2.
    pub const fn bits(self) -> u8 {
        match self {
            Self::SendAtSubscribe => 0,
            Self::SendIfNew => 1,
            Self::DoNotSend => 2,
        }
    }
}

/// The Payload of SUBSCRIBE, walked where it stands.
///
/// A walk through an unsound one ends where it cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Subscriptions<'a>(&'a [u8]);

impl<'a> Subscriptions<'a> {
    /// The subscriptions that `bytes` hold.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes as they stand on the wire.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Walks them in their order.
    pub fn iter(self) -> impl Iterator<Item = Subscription<'a>> + Clone + 'a {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let (filter, after) = plain::binary(rest)?;
            let (options, after) = after.split_first()?;
            rest = after;
            Some(Subscription {
                filter: Text::new(filter),
                options: SubscriptionOptions(*options),
            })
        })
    }
}

impl fmt::Debug for Subscriptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The Payload of a SUBSCRIBE to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubscriptionsBuf {
    bytes: Vec<u8>,
}

impl SubscriptionsBuf {
    /// No subscriptions yet.
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Adds a subscription. A filter beyond 65,535 bytes, which no length field can tell, is cut there.
    pub fn push<'t>(
        &mut self,
        filter: impl Into<Text<'t>>,
        options: SubscriptionOptions,
    ) -> &mut Self {
        write::binary(filter.into().as_bytes(), &mut self.bytes);
        self.bytes.push(options.0);
        self
    }

    /// The list as packets hold it.
    pub fn as_subscriptions(&self) -> Subscriptions<'_> {
        Subscriptions::new(&self.bytes)
    }
}
