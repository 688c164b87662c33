//! Any bytes against the rules of `standard_reply`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| host::fuzzing::run("standard_reply", bytes));
