//! libFuzzer's way into `perkgate_tests::fuzz`, target `headers`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| perkgate_tests::fuzz::fuzz("headers", data));
