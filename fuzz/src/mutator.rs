//! What libFuzzer asks to change an input: half the time packets are changed, half the time bytes.

/// Gives a target about packets the mutator that understands them.
macro_rules! of_packets {
    () => {
        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, maximum: usize, seed: u32| {
            crate::mutator::mutate(data, size, maximum, seed)
        });
        libfuzzer_sys::fuzz_crossover!(|left: &[u8], right: &[u8], out: &mut [u8], seed: u32| {
            crate::mutator::join(left, right, out, seed)
        });
    };
}

pub(crate) use of_packets;

pub(crate) fn mutate(data: &mut [u8], size: usize, maximum: usize, seed: u32) -> usize {
    // libFuzzer's own mutations use the dictionary and what comparisons have shown.
    if seed & 1 == 0 {
        return libfuzzer_sys::fuzzer_mutate(data, size, maximum);
    }
    let changed = fuzzing::mutate::mutate(&data[..size], u64::from(seed), maximum.min(data.len()));
    data[..changed.len()].copy_from_slice(&changed);
    changed.len()
}

pub(crate) fn join(left: &[u8], right: &[u8], out: &mut [u8], seed: u32) -> usize {
    let joined = fuzzing::mutate::splice(left, right, u64::from(seed), out.len());
    out[..joined.len()].copy_from_slice(&joined);
    joined.len()
}
