//! The framer takes a stream apart without losing or inventing a byte, and never calls a whole packet incomplete.
#![no_main]

use codec::{Direction, Split, Version, split};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    let mut taken = 0;
    while let Ok(Split::Complete { frame, rest: after }) =
        split(rest, Version::V5_0, Direction::ToServer, codec::MAXIMUM_PACKET_SIZE)
    {
        assert_eq!(frame.as_bytes().len() + after.len(), rest.len());
        assert_eq!(frame.header_length() + frame.body().len(), frame.as_bytes().len());
        taken += frame.as_bytes().len();
        rest = after;
    }
    assert_eq!(taken + rest.len(), bytes.len());
    if let Ok(Split::Incomplete { size: Some(size) }) =
        split(rest, Version::V5_0, Direction::ToServer, codec::MAXIMUM_PACKET_SIZE)
    {
        assert!(size > rest.len());
    }
});
