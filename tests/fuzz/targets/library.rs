//! Any bytes against the rules of `library`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| host::fuzzing::run("library", bytes));
