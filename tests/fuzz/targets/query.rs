//! Any bytes against the rules of `query`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| host::fuzzing::run("query", bytes));
