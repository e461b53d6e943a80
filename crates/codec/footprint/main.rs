//! Firmware that reads packets from a buffer and writes them to another, as its features say.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;
use core::{
    alloc::{GlobalAlloc, Layout},
    cell::Cell,
    hint::black_box,
};

use codec::{Direction, MAXIMUM_PACKET_SIZE, Split, Version};

/// Hands out a kilobyte and takes nothing back: the least that an allocator can be.
struct Arena {
    memory: Cell<[u64; 128]>,
    used: Cell<usize>,
}

// SAFETY: there is one thread.
unsafe impl Sync for Arena {}

// SAFETY: no two allocations overlap, and all begin at a multiple of eight bytes, which is the largest alignment asked for.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self.used.get();
        let end = start + layout.size().next_multiple_of(8);
        if end > size_of_val(&self.memory) || layout.align() > 8 {
            return core::ptr::null_mut();
        }
        self.used.set(end);
        self.memory.as_ptr().cast::<u8>().wrapping_add(start)
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ARENA: Arena = Arena {
    memory: Cell::new([0; 128]),
    used: Cell::new(0),
};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    let mut out = Vec::new();
    loop {
        handle(black_box(&[0xC0, 0]), &mut out);
        black_box(&out);
    }
}

fn handle(stream: &[u8], out: &mut Vec<u8>) {
    let version = black_box(Version::V5_0);
    let direction = black_box(Direction::ToClient);
    if cfg!(not(any(feature = "strict", feature = "lenient"))) {
        out.extend_from_slice(stream);
        return;
    }
    let Ok(Split::Complete { frame, .. }) =
        codec::split(stream, version, direction, MAXIMUM_PACKET_SIZE)
    else {
        return;
    };
    if cfg!(feature = "lenient") {
        let mut violations = Vec::new();
        black_box(codec::decode_leniently(
            frame,
            version,
            direction,
            &mut violations,
        ));
        black_box(&violations);
    }
    if cfg!(feature = "strict") {
        match black_box(codec::decode(frame, version, direction)) {
            Ok(packet) if cfg!(feature = "encode") => {
                black_box(codec::encode(&packet, version, out).is_ok());
            }
            Err(violation) if cfg!(feature = "explain") => {
                black_box(alloc::format!("{violation}"));
            }
            _ => {}
        }
    }
}
