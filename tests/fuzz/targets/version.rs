//! Any bytes against the rules of `version`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| host::fuzzing::run("version", bytes));
