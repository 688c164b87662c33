//! All targets in one program: `FUZZ_TARGET` says which. The suite builds this one, because linking one for each takes long.
#![no_main]

use std::sync::LazyLock;

static TARGET: LazyLock<String> =
    LazyLock::new(|| std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET is the name of a target"));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| host::fuzzing::run(&TARGET, bytes));
