//! Packets that lie.

use arbitrary::{Result, Unstructured};
use codec::draft::{Draft, Malformation};
use codec::{Direction, Version};

use crate::sound;

/// A sound packet with one to three lies about the wire.
///
/// A lie can happen to tell the truth (a Remaining Length that fits), so the packet need not be malformed.
///
/// # Errors
/// As [`sound`].
pub fn malformed(
    u: &mut Unstructured<'_>,
    version: Version,
    direction: Direction,
) -> Result<Draft> {
    let mut draft = sound(u, version, direction)?;
    for _ in 0..u.int_in_range(1..=3)? {
        let lie = lie(u, &draft)?;
        draft.malform(lie);
    }
    Ok(draft)
}

/// One lie, about a field that the draft has or about its lengths and borders.
pub(crate) fn lie(u: &mut Unstructured<'_>, draft: &Draft) -> Result<Malformation> {
    let names: Vec<&'static str> = draft.fields().iter().map(|(spec, _)| spec.name).collect();
    let field = |u: &mut Unstructured<'_>| u.choose(&names).copied();
    // The lies about single fields come last, for packets that have fields.
    let last = if names.is_empty() { 9 } else { 14 };
    Ok(match u.int_in_range(0..=last)? {
        0 => Malformation::Flags(u.int_in_range(0..=15)?),
        1 => Malformation::PacketType(u.int_in_range(0..=15)?),
        2 => Malformation::Length(length(u)?),
        3 => Malformation::LengthWidth(u.int_in_range(1..=5)?),
        4 => Malformation::Cut(u.int_in_range(-40..=40)?),
        5 => Malformation::Short(u.int_in_range(-40..=40)?),
        6 => Malformation::Extra(u.arbitrary()?),
        7 => Malformation::Property(u.arbitrary()?),
        8 => Malformation::PropertyLength(length(u)?),
        9 => Malformation::PropertyLengthWidth(u.int_in_range(1..=5)?),
        10 => Malformation::Twice(field(u)?),
        11 => Malformation::Without(field(u)?),
        12 => Malformation::Swap(field(u)?, field(u)?),
        13 => {
            let mut order = names.clone();
            order.push("properties");
            for last in (1..order.len()).rev() {
                order.swap(last, u.int_in_range(0..=last)?);
            }
            order.truncate(u.int_in_range(2..=4)?);
            Malformation::Order(order)
        }
        _ => Malformation::FieldLength(field(u)?, u.arbitrary()?),
    })
}

/// A length: small, at the borders of the variable byte integer, or anything.
fn length(u: &mut Unstructured<'_>) -> Result<u32> {
    const BORDERS: [u32; 8] = [
        0,
        127,
        128,
        16_383,
        16_384,
        2_097_151,
        2_097_152,
        268_435_455,
    ];
    Ok(match u.int_in_range(0..=2)? {
        0 => u.int_in_range(0..=64)?,
        1 => *u.choose(&BORDERS)?,
        _ => u.arbitrary()?,
    })
}
