//! What decoders and encoders promise each other.

use arbitrary::Unstructured;
use codec::annotate::{Reading, annotate};
use codec::draft::Draft;
use codec::raw::{Form, Raw};
use codec::{Direction, Frame, Packet, Version, Violation};

use crate::mutate::packets;

/// Calls `check` with each packet of an input.
fn each_packet(bytes: &[u8], check: impl Fn(Frame<'_>, Version, Direction)) {
    let (version, direction, packets) = packets(bytes);
    for frame in packets.filter_map(Frame::new) {
        check(frame, version, direction);
    }
}

/// Strict decoding in one version takes any bytes, and what it refuses it can account for.
///
/// # Panics
/// When it does not.
pub fn strict(version: Version, bytes: &[u8]) {
    each_packet(bytes, |frame, _, direction| {
        match codec::decode(frame, version, direction) {
            Ok(packet) => assert_eq!(Some(packet.packet_type()), frame.packet_type()),
            Err(violation) => accounted_for(&violation, frame),
        }
        if let Err(violation) = codec::decode_connect(frame) {
            accounted_for(&violation, frame);
        }
    });
}

fn accounted_for(violation: &Violation, frame: Frame<'_>) {
    assert!(violation.offset <= frame.as_bytes().len(), "{violation}");
    assert!(violation.reason_code.is_error(), "{violation}");
    assert!(!violation.clause.name().is_empty());
    assert!(!violation.expected.is_empty() && !violation.field.is_empty());
}

/// Lenient decoding reads what there is of any bytes, tells no more violations than bytes could hold, and people can be
/// shown all of it.
///
/// # Panics
/// When it does not.
pub fn lenient(bytes: &[u8]) {
    each_packet(bytes, |frame, version, direction| {
        let mut violations = Vec::new();
        let read = codec::decode_leniently(frame, version, direction, &mut violations);
        for violation in &violations {
            accounted_for(violation, frame);
        }
        // No byte breaks more than a handful of rules, and each violation needs one, or the end of the packet.
        assert!(violations.len() <= 4 * frame.as_bytes().len() + 8);
        assert_eq!(read.is_none(), violations.iter().any(|one| one.field == "packet_type" && one.expected == "one that the version has"));
        if let Some(packet) = read {
            let draft = Draft::from_packet(&packet, version);
            let _ = (draft.to_string(), draft.encode());
        }
        let _ = codec::decode_connect_leniently(frame, &mut violations);
        let dump = annotate(frame, version, direction, Reading::Lenient);
        assert!(!dump.to_string().is_empty());
    });
}

/// What strict decoding accepts, lenient decoding reads the same and has nothing to say about; what it refuses, lenient
/// decoding tells first.
///
/// # Panics
/// When they do not agree.
pub fn strict_within_lenient(bytes: &[u8]) {
    each_packet(bytes, |frame, version, direction| {
        let _ = read_both_ways(frame, version, direction);
    });
}

/// Packets that are accepted are written again to the same meaning; any frame is kept byte for byte.
///
/// # Panics
/// When they are not.
pub fn round_trip(bytes: &[u8]) {
    each_packet(bytes, |frame, version, direction| {
        let raw = Raw::read(frame, version);
        assert_eq!(raw.to_bytes(), frame.as_bytes());
        let Ok(packet) = codec::decode(frame, version, direction) else {
            return;
        };
        assert!(
            raw.fields
                .iter()
                .all(|field| field.form != Form::Unreadable)
        );
        let mut written = Vec::new();
        codec::encode(&packet, version, &mut written).expect("what was read can be written");
        assert!(written.len() <= frame.as_bytes().len(), "the shortest form");
        let again = Frame::new(&written).expect("what is written is one packet");
        assert_eq!(codec::decode(again, version, direction), Ok(packet));
        let meaning = Draft::from_packet(&packet, version);
        let drafted = meaning.encode().expect("what was read can be drafted");
        let again = Frame::new(&drafted).expect("what is drafted is one packet");
        match codec::decode(again, version, direction) {
            Ok(again) => assert_eq!(Draft::from_packet(&again, version), meaning),
            Err(violation) => panic!("{meaning:?} is written as {drafted:02x?}: {violation}"),
        }
    });
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
            assert_eq!(violations.first(), Some(violation), "{violations:?}");
            assert!(violation.offset <= frame.as_bytes().len());
        }
    }
    strict
}
