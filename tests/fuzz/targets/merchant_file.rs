//! libFuzzer's way into `perkgate_tests::fuzz`, target `merchant_file`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| perkgate_tests::fuzz::fuzz("merchant_file", data));
