//! What SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK have in common: a Packet Identifier, properties, and
//! a list up to the end of the packet.

use alloc::vec::Vec;

use super::acknowledgement::read_packet_id;
use crate::{
    EncodeError, Found, PacketType, Properties, PropertyOwner, Version, gate::Gate, plain,
    property, reader::Reader, rule::Rule, write,
};

/// The fields of any of them, the list as it stands on the wire.
pub(super) struct Listing<'a> {
    pub(super) packet_id: u16,
    pub(super) properties: Properties<'a>,
    pub(super) list: &'a [u8],
}

/// Reads one of them, and its list item by item. `empty` is the rule against a list without any.
#[inline]
pub(super) fn read<'a, G: Gate>(
    reader: &mut Reader<'a, G>,
    packet_type: PacketType,
    packet_id: Rule,
    empty: Option<&Empty>,
    mut item: impl FnMut(&mut Reader<'a, G>) -> Result<(), G::Stop>,
) -> Result<Listing<'a>, G::Stop> {
    let packet_id = read_packet_id(reader, packet_id)?;
    let properties = property::read(reader, PropertyOwner::Packet(packet_type))?;
    let start = reader.offset();
    if let Some(empty) = empty
        && reader.is_at_end()
    {
        reader.protocol_error(
            empty.rule,
            start,
            empty.field,
            empty.expected,
            Found::Nothing,
        )?;
    }
    while !reader.is_at_end() {
        item(reader)?;
    }
    Ok(Listing {
        packet_id,
        properties,
        list: reader.since(start),
    })
}

/// What is told of an empty list.
pub(super) struct Empty {
    pub(super) rule: Rule,
    pub(super) field: &'static str,
    pub(super) expected: &'static str,
}

impl<'a> Listing<'a> {
    /// With a Packet Identifier and nothing else.
    pub(super) const fn identified_by(packet_id: u16) -> Self {
        Self {
            packet_id,
            properties: Properties::EMPTY,
            list: &[],
        }
    }

    /// Whether it is sound at a glance, given what follows each plain item, and that there is one.
    #[inline]
    pub(super) fn is_plain(
        &self,
        packet_type: PacketType,
        version: Version,
        item: impl Fn(&'a [u8]) -> Option<&'a [u8]>,
    ) -> bool {
        let mut rest = self.list;
        while !rest.is_empty() {
            match item(rest) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        self.packet_id != 0
            && !self.list.is_empty()
            && plain::is_list(self.properties, PropertyOwner::Packet(packet_type), version)
    }

    pub(super) fn length(&self, version: Version) -> Result<usize, EncodeError> {
        Ok(2 + write::properties_length(self.properties, version)? + self.list.len())
    }

    pub(super) fn write(&self, version: Version, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.packet_id.to_be_bytes());
        write::properties(self.properties, version, out);
        out.extend_from_slice(self.list);
    }
}
