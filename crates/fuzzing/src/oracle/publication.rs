//! A message that somebody published, as far as its deliveries are judged by it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use codec::{Properties, PropertyId};

use super::Tick;
use super::text::Span;

/// A message that somebody published.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Publication {
    pub(super) topic: Span,
    pub(super) payload: Span,
    pub(super) qos: u8,
    pub(super) retain: bool,
    /// What reaches subscribers unchanged besides.
    pub(super) properties: u64,
    pub(super) expiry: Option<u32>,
    /// The link that it was published on.
    pub(super) publisher: u32,
    /// The Client Identifier of its publisher.
    pub(super) client_id: Span,
    /// When it was sent, or its Will fell due at the earliest.
    pub(super) sent: Tick,
    /// When it was surely dealt with.
    pub(super) handled: Tick,
    /// When a QoS 2 message was released.
    pub(super) released: Tick,
    /// The target must deal with it: it is sound, and nothing before it makes it doubtful.
    pub(super) sure: bool,
    /// The target has answered that it does not take it.
    pub(super) refused: bool,
    pub(super) will: bool,
    /// When a Will falls due.
    pub(super) due: Duration,
    /// The client of the Will was back in time.
    pub(super) recalled: bool,
}

/// What subscribers get unchanged, in one number. The order matters for User Properties only.
pub(super) fn forwarded(properties: Properties<'_>) -> u64 {
    if properties.is_empty() {
        return 0;
    }
    let mut ordered = DefaultHasher::new();
    let (mut sum, mut any, mut pairs) = (0_u64, false, false);
    for property in properties {
        match property.id {
            PropertyId::UserProperty => {
                if let codec::PropertyValue::Utf8StringPair(name, value) = property.value {
                    (name.as_bytes(), value.as_bytes()).hash(&mut ordered);
                    pairs = true;
                }
            }
            PropertyId::PayloadFormatIndicator
            | PropertyId::ContentType
            | PropertyId::ResponseTopic
            | PropertyId::CorrelationData => {
                let mut hasher = DefaultHasher::new();
                property.id.identifier().hash(&mut hasher);
                match property.value {
                    codec::PropertyValue::Byte(byte) => byte.hash(&mut hasher),
                    codec::PropertyValue::Utf8String(text) => text.as_bytes().hash(&mut hasher),
                    codec::PropertyValue::BinaryData(data) => data.hash(&mut hasher),
                    _ => {}
                }
                sum = sum.wrapping_add(hasher.finish());
                any = true;
            }
            _ => {}
        }
    }
    match (any, pairs) {
        (false, false) => 0,
        (true, false) => sum,
        (_, true) => sum.wrapping_add(ordered.finish()),
    }
}
