//! Any bytes against the rules of `schema`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| host::fuzzing::run("schema", bytes));
