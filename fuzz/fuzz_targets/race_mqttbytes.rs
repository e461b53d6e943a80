//! Decoding of MQTT 5.0 by mqttbytes 0.6, in the harness of `race_ours`: see `fuzz/race`.
#![no_main]

use bytes::BytesMut;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut stream = BytesMut::from(bytes);
    while let Ok(packet) = mqttbytes::v5::read(&mut stream, 1 << 28) {
        std::hint::black_box(&packet);
    }
});
