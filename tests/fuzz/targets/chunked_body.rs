//! Any bytes against the rules of `chunked_body`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| host::fuzzing::run("chunked_body", bytes));
