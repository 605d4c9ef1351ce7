//! See `fuzz::media::tones`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::media::tones(bytes));
