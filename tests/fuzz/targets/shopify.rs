//! libFuzzer's way into `perkgate_tests::fuzz`, target `shopify`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| perkgate_tests::fuzz::fuzz("shopify", data));
