//! libFuzzer's way into `perkgate_tests::fuzz`, target `generic`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| perkgate_tests::fuzz::fuzz("generic", data));
