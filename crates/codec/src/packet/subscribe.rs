//! SUBSCRIBE: a client asks for messages (section 3.8).

use alloc::vec::Vec;
use core::fmt;

use crate::{
    EncodeError, Found, PacketType, Properties, PropertyOwner, QoS, Text, Version, gate::Gate,
    property, reader::Reader, rule::rule, rule::rule_of_5_0, text_rules, write,
};

use super::acknowledgement::read_packet_id;

/// SUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// Packet Identifier.
    pub packet_id: u16,
    /// Properties; none before 5.0.
    pub properties: Properties<'a>,
    /// The Topic Filters with their options.
    pub filters: Subscriptions<'a>,
}

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
            let (length, after) = rest.split_first_chunk()?;
            let (filter, after) =
                after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
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

impl<'a> Subscribe<'a> {
    pub(crate) fn read<G: Gate>(reader: &mut Reader<'a, G>) -> Result<Self, G::Stop> {
        let version = reader.version;
        let packet_id_rule = rule!(
            version,
            "v3.1/V31-2.4-1",
            "v3.1.1/MQTT-2.3.1-1",
            "v5.0/MQTT-2.2.1-3"
        );
        let packet_id = read_packet_id(reader, packet_id_rule)?;
        let properties = property::read(reader, PropertyOwner::Packet(PacketType::Subscribe))?;
        let start = reader.offset();
        if reader.is_at_end() && version != Version::V3_1 {
            let rule = rule!(
                version, "v3.1/V31-3.8-1", "v3.1.1/MQTT-3.8.3-3", "v5.0/MQTT-3.8.3-2",
                also "v3.1/V31-3.8-1", "v3.1.1/MQTT-3.8.3-3", "v5.0/U50-3.8.3-1"
            );
            reader.protocol_error(rule, start, "filters", "at least one", Found::Nothing)?;
        }
        while !reader.is_at_end() {
            reader.text("filters.filter", text_rules::subscribe_filter)?;
            let offset = reader.offset();
            let options = SubscriptionOptions(reader.byte("filters.qos")?);
            judge_options(reader, options, offset)?;
        }
        Ok(Self {
            packet_id,
            properties,
            filters: Subscriptions::new(reader.since(start)),
        })
    }

    pub(crate) fn length(&self, version: Version) -> Result<usize, EncodeError> {
        Ok(2 + write::properties_length(self.properties, version)? + self.filters.as_bytes().len())
    }

    pub(crate) fn write(&self, version: Version, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.packet_id.to_be_bytes());
        write::properties(self.properties, version, out);
        out.extend_from_slice(self.filters.as_bytes());
    }
}

/// 3.1 has six unused bits, 3.1.1 six reserved ones, 5.0 two.
fn judge_options<G: Gate>(
    reader: &mut Reader<'_, G>,
    options: SubscriptionOptions,
    offset: usize,
) -> Result<(), G::Stop> {
    let version = reader.version;
    if version == Version::V5_0 {
        return judge_options_of_5_0(reader, options, offset);
    }
    let rule = rule!(
        version,
        "v3.1/V31-3.8-2",
        "v3.1.1/MQTT-3.8.3-4",
        "v5.0/MQTT-3.8.3-5"
    );
    if version == Version::V3_1_1 && options.0 & !0b11 != 0 {
        let found = Found::Byte(options.0);
        reader.malformed(rule, offset, "filters.reserved", "six bits of 0", found)?;
    }
    if !options.qos().is_valid() {
        reader.malformed(rule, offset, "filters.qos", "0, 1 or 2", Found::Number(3))?;
    }
    Ok(())
}

fn judge_options_of_5_0<G: Gate>(
    reader: &mut Reader<'_, G>,
    options: SubscriptionOptions,
    offset: usize,
) -> Result<(), G::Stop> {
    if options.reserved() != 0 {
        let rule = rule_of_5_0!("v5.0/MQTT-3.8.3-5");
        let found = Found::Byte(options.0);
        reader.malformed(rule, offset, "filters.reserved", "two bits of 0", found)?;
    }
    if !options.qos().is_valid() {
        let rule = rule_of_5_0!("v5.0/U50-3.8.3.1-1");
        reader.protocol_error(rule, offset, "filters.qos", "0, 1 or 2", Found::Number(3))?;
    }
    if options.handling_of_retained().is_none() {
        let rule = rule_of_5_0!("v5.0/U50-3.8.3.1-2");
        reader.protocol_error(
            rule,
            offset,
            "filters.retain_handling",
            "0, 1 or 2",
            Found::Number(3),
        )?;
    }
    Ok(())
}
