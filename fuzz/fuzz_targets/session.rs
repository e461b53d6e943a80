//! What several clients do to the broker's core, judged after each step.
//!
//! Half of the mutations change the script as a script: steps left out, doubled, moved, made anew; and two scripts are
//! joined where their steps meet.
#![no_main]

use fuzzing::session;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| session::holds(bytes));

libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, maximum: usize, seed: u32| {
    if seed & 1 == 0 {
        return libfuzzer_sys::fuzzer_mutate(data, size, maximum);
    }
    let mutated = session::mutated(&data[..size], seed.into());
    write(&mutated, &mut data[..maximum])
});

libfuzzer_sys::fuzz_crossover!(|left: &[u8], right: &[u8], out: &mut [u8], seed: u32| {
    write(&session::joined(left, right, seed.into()), out)
});

/// As much as there is room for; returns how much that is.
fn write(bytes: &[u8], out: &mut [u8]) -> usize {
    let size = bytes.len().min(out.len());
    out[..size].copy_from_slice(&bytes[..size]);
    size
}
