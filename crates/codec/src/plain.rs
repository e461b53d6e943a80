//! Plain fields: those whose soundness shows at a glance, without a [`Reader`](crate::reader::Reader).
//!
//! A glance may doubt what is sound, and then the careful reading decides; it never trusts what is not. So
//! the rules with their clauses stand in the careful reading alone, and most packets never get there. The
//! lenient decoder always reads with care, and the tests hold the two against each other.

use crate::{
    DataType, Direction, PacketType, Properties, PropertyId, PropertyOwner, Version, utf8,
};

/// Whether the text is ASCII without U+0000.
#[inline]
pub(crate) fn is_text(text: &[u8]) -> bool {
    utf8::is_plain::<false>(text)
}

/// Whether the Topic Name is ASCII without U+0000 and wildcards. It may be empty.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "the marks of a short topic never leave the registers"
)]
pub(crate) fn is_topic(topic: &[u8]) -> bool {
    utf8::is_plain::<true>(topic)
}

/// Takes Property Length and plain properties off the beginning of `bytes`.
pub(crate) fn property_list(
    bytes: &[u8],
    owner: PropertyOwner,
    direction: Direction,
) -> Option<(Properties<'_>, &[u8])> {
    let (length @ 0..=0x7F, rest) = bytes.split_first()? else {
        return None;
    };
    let (list, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((properties(list, owner, direction)?, rest))
}

/// The properties that `list` holds, if all of them are plain.
pub(crate) fn properties(
    list: &[u8],
    owner: PropertyOwner,
    direction: Direction,
) -> Option<Properties<'_>> {
    const PUBLISH: PropertyOwner = PropertyOwner::Packet(PacketType::Publish);
    const DISCONNECT: PropertyOwner = PropertyOwner::Packet(PacketType::Disconnect);
    /// Those that may stand more than once, in one packet or another.
    const REPEATED: u64 = PropertyId::UserProperty.bit() | PropertyId::SubscriptionIdentifier.bit();
    // What was seen is carried no more, unless it repeats.
    let mut carried = owner.carried();
    let mut present = 0;
    let mut rest = list;
    while let [identifier, after @ ..] = rest {
        let id = PropertyId::from_identifier(u32::from(*identifier))?;
        if carried & id.bit() == 0 {
            return None;
        }
        carried &= !id.bit() | REPEATED;
        rest = match id.data_type() {
            DataType::Byte => match after {
                [0 | 1, after @ ..] => after,
                _ => return None,
            },
            DataType::TwoByteInteger => above_0::<2>(after)?,
            DataType::FourByteInteger if owner == DISCONNECT => return None,
            DataType::FourByteInteger => above_0::<4>(after)?,
            DataType::VariableByteInteger => match after {
                [1..=0x7F, after @ ..] => {
                    let may_stand = if owner == PUBLISH {
                        direction == Direction::ToClient
                    } else {
                        present & id.bit() == 0
                    };
                    if !may_stand {
                        return None;
                    }
                    after
                }
                _ => return None,
            },
            DataType::BinaryData => binary(after)?.1,
            DataType::Utf8String if matches!(id, PropertyId::ResponseTopic) => {
                let (topic, after) = binary(after)?;
                if topic.is_empty() || !is_topic(topic) {
                    return None;
                }
                after
            }
            DataType::Utf8String => text(after)?,
            DataType::Utf8StringPair => text(text(after)?)?,
        };
        present |= id.bit();
    }
    Some(Properties::walked(list, present))
}

/// Whether the properties are plain in the direction that allows more: to a client. Before 5.0 nobody sends them.
#[inline]
pub(crate) fn is_list(list: Properties<'_>, owner: PropertyOwner, version: Version) -> bool {
    list.is_empty()
        || !version.has_properties()
        || properties(list.as_bytes(), owner, Direction::ToClient).is_some()
}

/// What follows an integer of this many bytes that is not 0, which means nothing to some properties.
#[inline]
fn above_0<const WIDTH: usize>(bytes: &[u8]) -> Option<&[u8]> {
    let (integer, rest) = bytes.split_first_chunk::<WIDTH>()?;
    (*integer != [0; WIDTH]).then_some(rest)
}

/// What follows a plain text.
#[inline]
pub(crate) fn text(bytes: &[u8]) -> Option<&[u8]> {
    let (text, rest) = binary(bytes)?;
    is_text(text).then_some(rest)
}

/// Takes a length of two bytes and as much data off the beginning of `bytes`.
#[inline]
pub(crate) fn binary(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}
