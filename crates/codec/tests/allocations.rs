//! Strict decoding allocates nothing, whatever it reads; it borrows, and what it borrows it does not look at twice.
#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod rows;

use std::alloc::System;

use codec::{Direction, Frame, Packet, Split, Version, decode, decode_leniently, encode, split};
use rows::rows;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What is allocated in all threads: this file has one test, so that nothing else runs beside it.
fn allocated(run: impl FnOnce()) -> (usize, usize) {
    let region = Region::new(ALLOCATOR);
    run();
    let change = region.change();
    (
        change.allocations + change.reallocations,
        change.bytes_allocated,
    )
}

#[test]
fn nothing_is_allocated_that_did_not_come() {
    for row in rows() {
        let strict = allocated(|| {
            let Ok(Split::Complete { frame, .. }) =
                split(&row.bytes, row.version, row.direction, 1 << 20)
            else {
                panic!("{}: a row is a frame", row.place)
            };
            let _ = decode(frame, row.version, row.direction);
        });
        assert_eq!(strict, (0, 0), "{}", row.place);
    }
    a_large_payload_stays_where_it_is();
    a_claim_costs_nothing();
}

fn a_large_payload_stays_where_it_is() {
    let mut bytes = b"\x30\x84\x80\x04\x00\x01t\x00".to_vec();
    bytes.resize(bytes.len() + 65_536, b'x');
    let frame = Frame::new(&bytes).unwrap();
    let Packet::Publish(publish) = decode(frame, Version::V5_0, Direction::ToServer).unwrap()
    else {
        panic!("a PUBLISH");
    };
    assert_eq!(publish.payload.len(), 65_536);
    assert_eq!(publish.payload.as_ptr_range().end, bytes.as_ptr_range().end);
    let mut out = Vec::with_capacity(1 << 17);
    let encoded = allocated(|| encode(&publish.into(), Version::V5_0, &mut out).unwrap());
    assert_eq!(encoded, (0, 0));
    assert_eq!(out, bytes);
}

/// Lengths of up to 256 MiB are claimed, and 65,535 bytes of text; nobody makes room for them.
fn a_claim_costs_nothing() {
    let framed = allocated(|| {
        let claim = b"\x30\xFF\xFF\xFF\x7F\x00\x01t";
        let whole = split(claim, Version::V5_0, Direction::ToServer, usize::MAX).unwrap();
        assert_eq!(
            whole,
            Split::Incomplete {
                size: Some(268_435_460)
            }
        );
    });
    assert_eq!(framed, (0, 0));
    let mut violations = Vec::with_capacity(8);
    for lie in [
        &b"\x30\x05\x00\x01t\x7F\x00"[..],
        b"\x30\x08\x00\x01t\xFF\xFF\xFF\x7F\x00",
        b"\x30\x02\xFF\xFF",
        b"\x82\x05\x00\x01\x00\xFF\xFF",
        b"\x10\x02\xFF\xFF",
    ] {
        let frame = Frame::new(lie).unwrap();
        violations.clear();
        let lenient = allocated(|| {
            decode_leniently(frame, Version::V5_0, Direction::ToServer, &mut violations);
        });
        assert_eq!(lenient, (0, 0), "{lie:02x?}");
        assert!(!violations.is_empty(), "{lie:02x?}");
    }
}
