//! See `fuzz::media::rtcp`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::media::rtcp(bytes));
