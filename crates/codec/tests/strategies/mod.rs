//! Sound drafts of every packet, version and direction: the generator of the fuzzers, driven by proptest. And
//! property lists of any kind.
#![allow(dead_code, reason = "not every test uses each")]

use arbitrary::Unstructured;
use codec::{DataType, Direction, PacketType, PropertyId, PropertyOwner, Version, draft::Draft};
use proptest::{collection::vec, prelude::*, sample::select};

/// A draft that the strict decoder must accept when it travels in the direction beside it.
pub(crate) fn sound_drafts() -> impl Strategy<Value = (Draft, Direction)> {
    let choices = vec(any::<u8>(), 0..600);
    (
        select(&Version::ALL[..]),
        select(&Direction::ALL[..]),
        choices,
    )
        .prop_map(|(version, direction, choices)| {
            let draft = fuzzing::sound(&mut Unstructured::new(&choices), version, direction);
            (draft.expect("any bytes make a draft"), direction)
        })
}

/// Up to 127 bytes of properties: any of them, with values at the edges, sometimes cut.
pub(crate) fn property_lists() -> impl Strategy<Value = Vec<u8>> {
    let of_publish = PropertyId::ALL
        .into_iter()
        .filter(|id| id.is_allowed_in(PropertyOwner::Packet(PacketType::Publish)))
        .collect::<Vec<_>>();
    let id = prop_oneof![select(&PropertyId::ALL[..]), select(of_publish)];
    let property = id.prop_flat_map(|id| {
        property_value(id.data_type())
            .prop_map(move |value| [vec![id.identifier()], value].concat())
    });
    let cut = prop_oneof![3 => Just(0), 1 => 1..4usize];
    (vec(property, 0..4), cut).prop_map(|(properties, cut)| {
        let mut list = properties.concat();
        list.truncate(list.len().saturating_sub(cut).min(127));
        list
    })
}

const TEXTS: &[&[u8]] = &[b"", b"+", b"a/#", b"\0", b"\xFF", b"\xC3\xA4"];
const INTEGERS: &[&[u8]] = &[&[0], &[1], &[0x7F], &[0x80, 1], &[0x80, 0], &[0xFF; 4]];

fn property_value(data_type: DataType) -> BoxedStrategy<Vec<u8>> {
    let text = prop_oneof![
        3 => "[a-z/]{1,6}".prop_map(String::into_bytes),
        1 => select(TEXTS).prop_map(<[u8]>::to_vec),
    ];
    match data_type {
        DataType::Byte => vec(0..3u8, 1).boxed(),
        DataType::TwoByteInteger => integer(2),
        DataType::FourByteInteger => integer(4),
        DataType::VariableByteInteger => select(INTEGERS).prop_map(<[u8]>::to_vec).boxed(),
        DataType::BinaryData | DataType::Utf8String => {
            text.prop_map(|text| behind_length(&text)).boxed()
        }
        DataType::Utf8StringPair => (text.clone(), text)
            .prop_map(|(name, value)| [behind_length(&name), behind_length(&value)].concat())
            .boxed(),
    }
}

/// 0 as often as anything else.
fn integer(width: usize) -> BoxedStrategy<Vec<u8>> {
    prop_oneof![Just(vec![0; width]), vec(any::<u8>(), width)].boxed()
}

fn behind_length(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).expect("short data");
    [&length.to_be_bytes(), data].concat()
}
