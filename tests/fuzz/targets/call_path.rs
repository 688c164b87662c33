//! Any bytes against the rules of `call_path`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| host::fuzzing::run("call_path", bytes));
