//! Sound drafts of every packet, version and direction: the generator of the fuzzers, driven by proptest.

use arbitrary::Unstructured;
use codec::{Direction, Version, draft::Draft};
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
