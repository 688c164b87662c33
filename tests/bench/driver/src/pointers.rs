//! The same work behind plain function pointers: what a call costs without a boundary that checks anything.

use driver_abi::types::{RSlice, RVec};

/// Does nothing.
#[no_mangle]
pub extern "C" fn bench_empty() {}

/// Answers with a copy of `body`.
#[no_mangle]
pub extern "C" fn bench_echo(body: RSlice<'_, u8>) -> RVec<u8> {
    body.to_vec().into()
}
