#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lmz_fuzz::gguf(bytes));
