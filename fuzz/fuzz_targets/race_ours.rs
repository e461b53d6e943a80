//! Strict decoding of MQTT 5.0 and nothing else, to be raced against `race_mqttbytes`: see `fuzz/race`.
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
        let packet = codec::decode(frame, Version::V5_0, Direction::ToServer);
        if std::hint::black_box(&packet).is_err() {
            break;
        }
        rest = after;
    }
});
