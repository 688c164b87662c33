//! Any bytes against the rules of `request_head`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| host::fuzzing::run("request_head", bytes));
