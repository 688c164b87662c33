//! Any bytes against the rules of `request_stream`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| host::fuzzing::run("request_stream", bytes));
