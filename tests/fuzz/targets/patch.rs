//! Any bytes against the rules of `patch`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| host::fuzzing::run("patch", bytes));
