//! What several clients do to the broker's core, judged after each step.
//!
//! Half of the mutations change the script as a script: steps left out, doubled, moved, made anew.
#![no_main]

use fuzzing::session;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| session::holds(bytes));

libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed & 1 == 0 {
        return libfuzzer_sys::fuzzer_mutate(data, size, max_size);
    }
    let mutated = session::mutated(&data[..size], seed.into());
    let size = mutated.len().min(max_size).min(data.len());
    data[..size].copy_from_slice(&mutated[..size]);
    size
});
