//! Any bytes against the rules of `reports`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| host::fuzzing::run("reports", bytes));
