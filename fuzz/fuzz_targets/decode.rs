//! Any bytes: strict acceptance means that lenient reading finds nothing, and that encoding gives the bytes back or shorter ones.
#![no_main]

use codec::draft::Draft;
use codec::{Direction, Frame, Version, decode, decode_leniently};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, bool, &[u8])| {
    let (version, to_server, bytes) = input;
    let version = Version::ALL[usize::from(version) % Version::ALL.len()];
    let direction = if to_server { Direction::ToServer } else { Direction::ToClient };
    let Some(frame) = Frame::new(bytes) else { return };
    let mut violations = Vec::new();
    let lenient = decode_leniently(frame, version, direction, &mut violations);
    match decode(frame, version, direction) {
        Ok(packet) => {
            assert!(violations.is_empty(), "{violations:?}");
            assert_eq!(lenient.as_ref(), Some(&packet));
            let again = Draft::from_packet(&packet, version)
                .encode()
                .expect("what was read can be written");
            let frame = Frame::new(&again).expect("one packet");
            let packet_again = decode(frame, version, direction).expect("what is written is sound");
            assert_eq!(Draft::from_packet(&packet_again, version), Draft::from_packet(&packet, version));
        }
        Err(violation) => {
            assert!(violations.contains(&violation), "{violation} is not in {violations:?}");
            assert!(violation.offset <= bytes.len());
        }
    }
});
