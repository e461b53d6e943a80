//! What must hold for any bytes: the bodies of the fuzz targets, so that their corpora replay in plain tests.
//!
//! Each function panics where its invariant does not hold; that is how libFuzzer and tests hear of it.

use arbitrary::Unstructured;
use codec::draft::Draft;
use codec::{Direction, Frame, MAXIMUM_PACKET_SIZE, Packet, Split, Version, Violation};

/// The framer takes a stream apart without losing or inventing a byte, and calls no whole packet incomplete.
///
/// # Panics
/// When it does not.
pub fn framer(bytes: &[u8]) {
    let split = |rest| {
        codec::split(
            rest,
            Version::V5_0,
            Direction::ToServer,
            MAXIMUM_PACKET_SIZE,
        )
    };
    let mut rest = bytes;
    let mut taken = 0;
    while let Ok(Split::Complete { frame, rest: after }) = split(rest) {
        assert_eq!(frame.as_bytes().len() + after.len(), rest.len());
        assert_eq!(
            frame.header_length() + frame.body().len(),
            frame.as_bytes().len()
        );
        taken += frame.as_bytes().len();
        rest = after;
    }
    assert_eq!(taken + rest.len(), bytes.len());
    if let Ok(Split::Incomplete { size: Some(size) }) = split(rest) {
        assert!(size > rest.len());
    }
}

/// Strict and lenient reading of any bytes agree, and what is accepted is written back as something that means the same.
///
/// The first byte chooses version and direction, the others are the packet.
///
/// # Panics
/// When they do not.
pub fn decode(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else {
        return;
    };
    let version = Version::ALL[usize::from(choice >> 1) % Version::ALL.len()];
    let direction = Direction::ALL[usize::from(choice & 1)];
    let Some(frame) = Frame::new(bytes) else {
        return;
    };
    if let Ok(packet) = read_both_ways(frame, version, direction) {
        let meaning = Draft::from_packet(&packet, version);
        let again = meaning.encode().expect("what was read can be written");
        let frame = Frame::new(&again).expect("what is written is one packet");
        match codec::decode(frame, version, direction) {
            Ok(again) => assert_eq!(Draft::from_packet(&again, version), meaning),
            Err(violation) => panic!("{meaning:?} is written as {again:02x?}: {violation}"),
        }
    }
}

/// Strict and lenient reading agree about packets that lie, too. The bytes choose among the lies of [`malformed`](crate::malformed).
///
/// # Panics
/// When they do not.
pub fn malformed(bytes: &[u8]) {
    let mut u = Unstructured::new(bytes);
    let (Ok(&version), Ok(&direction)) = (u.choose(&Version::ALL), u.choose(&Direction::ALL))
    else {
        return;
    };
    let Ok(draft) = crate::malformed(&mut u, version, direction) else {
        return;
    };
    // Two lies can contradict each other so far that nothing can be written.
    let Ok(bytes) = draft.encode() else { return };
    if let Some(frame) = Frame::new(&bytes) {
        let _ = read_both_ways(frame, version, direction);
    }
}

fn read_both_ways(
    frame: Frame<'_>,
    version: Version,
    direction: Direction,
) -> Result<Packet<'_>, Violation> {
    let mut violations = Vec::new();
    let lenient = codec::decode_leniently(frame, version, direction, &mut violations);
    let strict = codec::decode(frame, version, direction);
    match &strict {
        Ok(packet) => {
            assert!(violations.is_empty(), "accepted, and yet: {violations:?}");
            assert_eq!(lenient.as_ref(), Some(packet));
        }
        Err(violation) => {
            assert!(
                violations.contains(violation),
                "{violation} is not in {violations:?}"
            );
            assert!(violation.offset <= frame.as_bytes().len());
        }
    }
    strict
}
