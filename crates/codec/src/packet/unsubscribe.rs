//! UNSUBSCRIBE: a client wants no more messages (section 3.10).

use alloc::vec::Vec;
use core::fmt;

use super::listing::{self, Empty, Listing};
use crate::{
    EncodeError, PacketType, Properties, Text, Version, gate::Gate, plain, reader::Reader,
    rule::rule, text_rules, write,
};

/// UNSUBSCRIBE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsubscribe<'a> {
    /// Packet Identifier.
    pub packet_id: u16,
    /// Properties; none before 5.0.
    pub properties: Properties<'a>,
    /// The Topic Filters.
    pub filters: TopicFilters<'a>,
}

impl<'a> Unsubscribe<'a> {
    pub(crate) fn read<G: Gate>(reader: &mut Reader<'a, G>) -> Result<Self, G::Stop> {
        let version = reader.version;
        let packet_id = rule!(
            version,
            "v3.1/V31-2.4-1",
            "v3.1.1/MQTT-2.3.1-1",
            "v5.0/MQTT-2.2.1-3"
        );
        let empty = Empty {
            rule: rule!(
                version, "v3.1/V31-3.10-1", "v3.1.1/MQTT-3.10.3-2", "v5.0/MQTT-3.10.3-2",
                also "v3.1/V31-3.10-1", "v3.1.1/MQTT-3.10.3-2", "v5.0/U50-3.10.3-1"
            ),
            field: "filters",
            expected: "at least one",
        };
        let empty = (version != Version::V3_1).then_some(&empty);
        let Listing {
            packet_id,
            properties,
            list,
        } = listing::read(
            reader,
            PacketType::Unsubscribe,
            packet_id,
            empty,
            |reader| {
                reader.text("filters", text_rules::unsubscribe_filter)?;
                Ok(())
            },
        )?;
        Ok(Self {
            packet_id,
            properties,
            filters: TopicFilters::new(list),
        })
    }

    /// Whether it is sound at a glance.
    pub(crate) fn is_plain(&self, version: Version) -> bool {
        self.fields()
            .is_plain(PacketType::Unsubscribe, version, plain::text)
    }

    pub(crate) fn length(&self, version: Version) -> Result<usize, EncodeError> {
        self.fields().length(version)
    }

    pub(crate) fn write(&self, version: Version, out: &mut Vec<u8>) {
        self.fields().write(version, out);
    }

    const fn fields(&self) -> Listing<'a> {
        Listing {
            packet_id: self.packet_id,
            properties: self.properties,
            list: self.filters.as_bytes(),
        }
    }
}

/// The Payload of UNSUBSCRIBE, walked where it stands.
///
/// A walk through an unsound one ends where it cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct TopicFilters<'a>(&'a [u8]);

impl<'a> TopicFilters<'a> {
    /// The filters that `bytes` hold.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes as they stand on the wire.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Walks them in their order.
    pub fn iter(self) -> impl Iterator<Item = Text<'a>> + Clone + 'a {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let (filter, after) = plain::binary(rest)?;
            rest = after;
            Some(Text::new(filter))
        })
    }
}

impl fmt::Debug for TopicFilters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The Payload of an UNSUBSCRIBE to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TopicFiltersBuf {
    bytes: Vec<u8>,
}

impl TopicFiltersBuf {
    /// No filters yet.
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Adds a filter. One beyond 65,535 bytes, which no length field can tell, is cut there.
    pub fn push<'t>(&mut self, filter: impl Into<Text<'t>>) -> &mut Self {
        write::binary(filter.into().as_bytes(), &mut self.bytes);
        self
    }

    /// The list as packets hold it.
    pub fn as_filters(&self) -> TopicFilters<'_> {
        TopicFilters::new(&self.bytes)
    }
}
