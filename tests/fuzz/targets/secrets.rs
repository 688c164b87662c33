//! Any bytes against the rules of `secrets`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| host::fuzzing::run("secrets", bytes));
