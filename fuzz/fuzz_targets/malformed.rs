//! Packets that lie, as scenarios and fuzzers write them: reading them agrees with itself.
#![no_main]

use arbitrary::Unstructured;
use codec::{Direction, Frame, Version, decode, decode_leniently};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut u = Unstructured::new(bytes);
    let Ok(version) = u.choose(&Version::ALL).copied() else { return };
    let direction = if u.arbitrary().unwrap_or(false) { Direction::ToServer } else { Direction::ToClient };
    let Ok(draft) = fuzzing::malformed(&mut u, version, direction) else { return };
    let Ok(bytes) = draft.encode() else { return };
    let Some(frame) = Frame::new(&bytes) else { return };
    let mut violations = Vec::new();
    decode_leniently(frame, version, direction, &mut violations);
    match decode(frame, version, direction) {
        Ok(_) => assert!(violations.is_empty(), "{violations:?}"),
        Err(violation) => assert!(violations.contains(&violation)),
    }
});
