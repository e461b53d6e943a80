//! UNSUBSCRIBE: a client wants no more messages (section 3.10).

use alloc::vec::Vec;
use core::fmt;

use crate::{Properties, Text};

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
            let (length, after) = rest.split_first_chunk()?;
            let (filter, after) =
                after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
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
        crate::write::binary(filter.into().as_bytes(), &mut self.bytes);
        self
    }

    /// The list as packets hold it.
    pub fn as_filters(&self) -> TopicFilters<'_> {
        TopicFilters::new(&self.bytes)
    }
}
