//! Any bytes against the rules of `orders`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| host::fuzzing::run("orders", bytes));
