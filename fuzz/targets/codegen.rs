//! See `fuzz::codegen`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::codegen(bytes));
