//! What the generators promise: sound packets are accepted and come back as they were, lies never hurt the reader.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use arbitrary::Unstructured;
use codec::draft::Draft;
use codec::{Direction, Frame, Packet, Version, Violation};
use proptest::prelude::*;

fn axes() -> impl Strategy<Value = (Version, Direction)> {
    (
        prop_oneof![
            Just(Version::V3_1),
            Just(Version::V3_1_1),
            Just(Version::V5_0)
        ],
        prop_oneof![Just(Direction::ToServer), Just(Direction::ToClient)],
    )
}

fn decode(
    frame: Frame<'_>,
    version: Version,
    direction: Direction,
) -> Result<Packet<'_>, Violation> {
    codec::decode(frame, version, direction)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_sound_packet_is_accepted_and_comes_back(
        seed in prop::collection::vec(any::<u8>(), 0..400),
        (version, direction) in axes(),
    ) {
        let Ok(draft) = fuzzing::sound(&mut Unstructured::new(&seed), version, direction) else {
            return Ok(());
        };
        let bytes = draft.encode().unwrap();
        let frame = Frame::new(&bytes).expect("an encoded packet is one frame");
        let packet = match decode(frame, version, direction) {
            Ok(packet) => packet,
            Err(violation) => panic!("{draft:?}\nencoded as {bytes:02x?}\nis refused: {violation}"),
        };
        let again = Draft::from_packet(&packet, version).encode().unwrap();
        prop_assert_eq!(again, bytes);
    }

    #[test]
    fn a_lie_never_hurts_the_reader(
        seed in prop::collection::vec(any::<u8>(), 0..400),
        (version, direction) in axes(),
    ) {
        let Ok(draft) = fuzzing::malformed(&mut Unstructured::new(&seed), version, direction) else {
            return Ok(());
        };
        // Two lies can contradict each other so far that nothing can be written.
        let Ok(bytes) = draft.encode() else { return Ok(()) };
        let Some(frame) = Frame::new(&bytes) else { return Ok(()) };
        let strict = decode(frame, version, direction);
        let mut violations = Vec::new();
        let lenient = codec::decode_leniently(frame, version, direction, &mut violations);
        match strict {
            Ok(packet) => {
                prop_assert_eq!(&violations, &[]);
                prop_assert_eq!(lenient, Some(packet));
            }
            Err(violation) => prop_assert!(
                violations.contains(&violation),
                "lenient reading misses {violation}: {violations:?}"
            ),
        }
    }
}
