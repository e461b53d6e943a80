//! What holds for every sound packet, and for any bytes at all.

mod strategies;

use codec::{
    Direction, Frame, MAXIMUM_PACKET_SIZE, Properties, PropertyId, Split, Version, decode,
    decode_connect, decode_connect_leniently, decode_leniently,
    draft::{Draft, Record, Value},
    encode, encode_as_is, split,
};
use proptest::{collection::vec, prelude::*, sample::select};
use strategies::sound_drafts;

fn frame(bytes: &[u8]) -> Frame<'_> {
    Frame::new(bytes).expect("exactly one frame")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_sound_draft_is_decoded_strictly_and_comes_back((draft, direction) in sound_drafts()) {
        let version = draft.version();
        let bytes = draft.encode().unwrap();
        let packet = decode(frame(&bytes), version, direction);
        prop_assert!(packet.is_ok(), "{draft}\n{}", packet.unwrap_err());
        let read = Draft::from_packet(&packet.unwrap(), version);
        for (spec, value) in draft.fields().iter() {
            prop_assert!(read.get(spec.name).is_some_and(|read| holds(read, value)), "{}
{draft}
{read}", spec.name);
        }
        let again = read.encode().unwrap();
        prop_assert_eq!(decode(frame(&again), version, direction), packet);
    }

    #[test]
    fn encoding_what_was_decoded_gives_the_packet_again((draft, direction) in sound_drafts()) {
        let version = draft.version();
        let bytes = draft.encode().unwrap();
        let packet = decode(frame(&bytes), version, direction).unwrap();
        let mut out = b"before".to_vec();
        encode(&packet, version, &mut out).unwrap();
        let again = out.strip_prefix(b"before").unwrap();
        prop_assert!(again.len() <= bytes.len());
        prop_assert_eq!(decode(frame(again), version, direction).unwrap(), packet);
        let mut as_is = Vec::new();
        encode_as_is(&packet, version, &mut as_is).unwrap();
        prop_assert_eq!(again, as_is);
    }

    #[test]
    fn what_is_read_strictly_has_no_violations((draft, direction) in sound_drafts()) {
        let bytes = draft.encode().unwrap();
        let strict = decode(frame(&bytes), draft.version(), direction).unwrap();
        let mut violations = Vec::new();
        let lenient = decode_leniently(frame(&bytes), draft.version(), direction, &mut violations);
        prop_assert_eq!(lenient, Some(strict));
        prop_assert_eq!(violations, vec![]);
    }

    #[test]
    fn no_prefix_of_a_packet_is_anything_but_incomplete((draft, direction) in sound_drafts()) {
        let bytes = draft.encode().unwrap();
        for end in 0..bytes.len() {
            match split(&bytes[..end], draft.version(), direction, MAXIMUM_PACKET_SIZE) {
                Ok(Split::Incomplete { size }) => prop_assert!(size.is_none_or(|size| size == bytes.len())),
                other => prop_assert!(false, "{end}: {other:?}"),
            }
        }
    }

    #[test]
    fn packets_come_out_of_a_stream_however_it_is_cut(
        drafts in vec(sound_drafts(), 1..5),
        cuts in vec(1..40usize, 1..40),
    ) {
        let stream = drafts.iter().flat_map(|(draft, _)| draft.encode().unwrap()).collect::<Vec<_>>();
        let mut received = Vec::new();
        let mut packets = Vec::new();
        let mut rest = &stream[..];
        let mut cuts = cuts.into_iter().cycle();
        while !rest.is_empty() {
            let (segment, after) = rest.split_at(cuts.next().unwrap().min(rest.len()));
            rest = after;
            received.extend_from_slice(segment);
            while let Ok(Split::Complete { frame, rest }) =
                split(&received, Version::V5_0, Direction::ToServer, MAXIMUM_PACKET_SIZE)
            {
                packets.push(frame.as_bytes().to_vec());
                received = rest.to_vec();
            }
        }
        prop_assert!(received.is_empty());
        let whole = drafts.iter().map(|(draft, _)| draft.encode().unwrap()).collect::<Vec<_>>();
        prop_assert_eq!(packets, whole);
    }

    #[test]
    fn strict_and_lenient_agree_on_any_body(
        first in any::<u8>(),
        body in vec(any::<u8>(), 0..60),
        version in select(&Version::ALL[..]),
        direction in select(&Direction::ALL[..]),
    ) {
        let mut bytes = vec![first, u8::try_from(body.len()).unwrap()];
        bytes.extend(body);
        agree(&bytes, version, direction)?;
    }

    #[test]
    fn strict_and_lenient_agree_on_damaged_packets(
        (draft, direction) in sound_drafts(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = draft.encode().unwrap();
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            if place != 1 {
                bytes[place] = byte;
            }
        }
        if Frame::new(&bytes).is_some() {
            agree(&bytes, draft.version(), direction)?;
        }
    }

    #[test]
    fn a_walk_through_any_properties_ends(bytes in vec(any::<u8>(), 0..60)) {
        let properties = Properties::new(&bytes);
        let walked = properties.iter().count();
        prop_assert!(walked * 2 <= bytes.len());
        for id in PropertyId::ALL {
            let found = properties.iter().any(|property| property.id == id);
            prop_assert_eq!(properties.contains(id), found);
            prop_assert_eq!(properties.get(id).is_some(), found);
        }
        prop_assert!(properties.user_properties().count() <= walked);
        let _ = (properties.topic_alias(), properties.content_type(), properties.maximum_qos());
    }

    #[test]
    fn no_bytes_are_too_strange_for_the_framer(bytes in vec(any::<u8>(), 0..12), limit in 0..400usize) {
        match split(&bytes, Version::V5_0, Direction::ToServer, limit) {
            Ok(Split::Complete { frame, rest }) => {
                prop_assert_eq!([frame.as_bytes(), rest].concat(), &bytes[..]);
                prop_assert!(frame.as_bytes().len() <= limit);
            }
            Ok(Split::Incomplete { size }) => prop_assert!(size.is_none_or(|size| size > bytes.len() && size <= limit)),
            Err(violation) => prop_assert!(violation.offset < bytes.len()),
        }
    }
}

/// Whether `read` says all that was written; what was left to its default stands in it too.
fn holds(read: &Value, written: &Value) -> bool {
    let all = |read: &Record, written: &Record| {
        written
            .iter()
            .all(|(spec, value)| read.get(spec.name).is_some_and(|read| holds(read, value)))
    };
    match (read, written) {
        (Value::Binary(read), Value::Text(written)) => read == written,
        (Value::Record(read), Value::Record(written)) => all(read, written),
        (Value::Filters(read), Value::Filters(written)) => {
            read.len() == written.len()
                && read
                    .iter()
                    .zip(written)
                    .all(|(read, written)| all(read, written))
        }
        _ => read == written,
    }
}

/// The strict decoder fails exactly where the lenient one has something to say, with its first word.
fn agree(bytes: &[u8], version: Version, direction: Direction) -> Result<(), TestCaseError> {
    let mut violations = Vec::new();
    let lenient = decode_leniently(frame(bytes), version, direction, &mut violations);
    match decode(frame(bytes), version, direction) {
        Ok(packet) => {
            prop_assert_eq!(lenient, Some(packet));
            prop_assert_eq!(&violations, &vec![]);
            let mut out = Vec::new();
            prop_assert_eq!(encode(&packet, version, &mut out), Ok(()));
            let again = Draft::from_packet(&packet, version)
                .encode()
                .expect("it was a packet");
            prop_assert!(decode(frame(&again), version, direction).is_ok());
        }
        Err(violation) => {
            prop_assert_eq!(violations.first(), Some(&violation));
            prop_assert!(violation.offset <= bytes.len());
            let _ = violation.to_string();
        }
    }
    if let Some(packet) = lenient {
        let draft = Draft::from_packet(&packet, version);
        let _ = (draft.to_string(), draft.encode());
    }
    let mut violations = Vec::new();
    let lenient = decode_connect_leniently(frame(bytes), &mut violations);
    match decode_connect(frame(bytes)) {
        Ok(connect) => prop_assert_eq!(lenient, Some(connect)),
        Err(_) => prop_assert!(!violations.is_empty()),
    }
    Ok(())
}
