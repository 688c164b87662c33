//! Any bytes against the rules of `manifest`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| host::fuzzing::run("manifest", bytes));
