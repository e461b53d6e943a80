//! Decodes nothing: what libFuzzer and a sanitizer take of each execution, whatever is raced. See `fuzz/race`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    std::hint::black_box(bytes);
});
