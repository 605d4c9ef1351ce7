//! See `fuzz::media::rtp`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::media::rtp(bytes));
