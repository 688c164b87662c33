//! Any bytes against the rules of `driver_text`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| host::fuzzing::run("driver_text", bytes));
