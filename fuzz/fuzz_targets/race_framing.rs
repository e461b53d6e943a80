//! Where one packet ends and the next begins, and nothing of what is in them: about as little as a decoder can do. What
//! remains between this and `race_mqttbytes` is all that a decoder can win. See `fuzz/race`.
#![no_main]

use codec::{Direction, MAXIMUM_PACKET_SIZE, Split, Version};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    while let Ok(Split::Complete { frame, rest: after }) = codec::split(
        rest,
        Version::V5_0,
        Direction::ToServer,
        MAXIMUM_PACKET_SIZE,
    ) {
        std::hint::black_box(&frame);
        rest = after;
    }
});
