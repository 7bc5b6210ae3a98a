#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| xtask::properties::settings(input));
