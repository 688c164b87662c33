//! Any bytes against the rules of `config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| host::fuzzing::run("config", bytes));
