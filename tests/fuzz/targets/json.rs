//! Any bytes against the rules of `json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| host::fuzzing::run("json", bytes));
