//! Where one packet ends and the next begins.

use codec::{Direction, MAXIMUM_PACKET_SIZE, Split, Version, Violation};

use crate::mutate::choice;

/// The framer takes a stream apart without losing or inventing a byte, calls nothing malformed but a Remaining Length
/// without end or beyond the maximum, and lets nobody wait for what is there.
///
/// # Panics
/// When it does not.
pub fn framer(bytes: &[u8]) {
    let Some((first, bytes)) = bytes.split_first() else {
        return;
    };
    let (version, direction) = choice(*first);
    // The other bits choose how large packets may be.
    let maximum = match first >> 3 {
        0 => MAXIMUM_PACKET_SIZE,
        few => usize::from(few) * 8,
    };
    let split = |rest| codec::split(rest, version, direction, maximum);
    let mut rest = bytes;
    let mut taken = 0;
    while let Ok(Split::Complete { frame, rest: after }) = split(rest) {
        let whole = frame.as_bytes();
        assert_eq!([whole, after].concat(), rest);
        assert_eq!(frame.header_length() + frame.body().len(), whole.len());
        assert!((2..=5).contains(&frame.header_length()));
        assert!(whole.len() <= maximum);
        for end in 0..whole.len() {
            let prefix = split(&whole[..end]);
            assert!(matches!(prefix, Ok(Split::Incomplete { .. })), "{prefix:?}");
        }
        taken += whole.len();
        rest = after;
    }
    assert_eq!(taken + rest.len(), bytes.len());
    match split(rest) {
        Ok(Split::Incomplete { size }) => {
            assert!(size.is_none_or(|size| size > rest.len() && size <= maximum));
        }
        Ok(Split::Complete { .. }) => unreachable!("the loop takes every packet"),
        Err(violation) => {
            let endless = rest.len() > 4 && rest[1..5].iter().all(|byte| byte & 0x80 != 0);
            let claimed = remaining_length(rest);
            let too_large = claimed.is_some_and(|(claim, header)| header + claim > maximum);
            assert!(endless || too_large, "{violation}");
            assert_eq!(violation.offset, 1);
        }
    }
}

/// What the Remaining Length claims, and the length of the fixed header: told naively.
fn remaining_length(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for place in 0..4 {
        let byte = *bytes.get(1 + place)?;
        value += usize::from(byte & 0x7F) * 128_usize.pow(u32::try_from(place).ok()?);
        if byte & 0x80 == 0 {
            return Some((value, 2 + place));
        }
    }
    None
}

/// Packets come out of a stream the same however it is cut. The first bytes say where.
///
/// # Panics
/// When they do not.
pub fn segments(bytes: &[u8]) {
    let cuts = bytes.iter().take(8).map(|cut| usize::from(*cut % 32) + 1);
    let stream = bytes;
    let whole = read(stream, |stream| vec![stream]);
    let cut = read(stream, |mut stream| {
        let mut segments = Vec::new();
        for size in cuts.clone().cycle() {
            if stream.is_empty() {
                break;
            }
            let (segment, rest) = stream.split_at(size.min(stream.len()));
            segments.push(segment);
            stream = rest;
        }
        segments
    });
    assert_eq!(whole, cut);
}

/// The packets of a stream that arrives in segments, what is left of it, and what was wrong with that.
fn read<'a>(
    stream: &'a [u8],
    segments: impl Fn(&'a [u8]) -> Vec<&'a [u8]>,
) -> (Vec<Vec<u8>>, Vec<u8>, Option<Violation>) {
    let mut received = Vec::new();
    let mut packets = Vec::new();
    let mut violation = None;
    for segment in segments(stream) {
        received.extend_from_slice(segment);
        while violation.is_none() {
            match codec::split(&received, Version::V5_0, Direction::ToServer, 4096) {
                Ok(Split::Complete { frame, rest }) => {
                    packets.push(frame.as_bytes().to_vec());
                    received = rest.to_vec();
                }
                Ok(Split::Incomplete { .. }) => break,
                Err(found) => violation = Some(found),
            }
        }
    }
    (packets, received, violation)
}
