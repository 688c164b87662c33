//! What went wrong, as plain data, and the kinds of it.

use abi_stable::std_types::{RString, RVec};
use abi_stable::StableAbi;

/// What went wrong, as plain data.
///
/// `message` is one line for the client, in lower case or in the words of the interface that it stands for;
/// it must hold no secrets, because it is sent, logged and stored.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// One of [`kind`], or a number that this version does not know: then it is treated as [`kind::INTERNAL`].
    pub kind: u32,
    /// For the client.
    pub message: RString,
    /// JSON for programs, UTF-8; empty if there is none.
    pub details: RVec<u8>,
}

impl Fault {
    /// A fault without details.
    pub fn new(kind: u32, message: impl Into<RString>) -> Self {
        Fault {
            kind,
            message: message.into(),
            details: RVec::new(),
        }
    }
}

/// The kinds of fault. A number never changes its meaning; new kinds get new numbers.
///
/// The comment behind each is the HTTP status that a client sees.
pub mod kind {
    /// The driver's own failure (500).
    pub const INTERNAL: u32 = 0;
    /// A parameter or a property of the node has a value that cannot be used (400).
    pub const INVALID_PARAMETER: u32 = 1;
    /// A parameter or a property of the node is missing (400).
    pub const MISSING_PARAMETER: u32 = 2;
    /// The request is sound but does not fit the state of the device (400, because a client repeats a 409).
    pub const CONFLICT: u32 = 3;
    /// What the request names does not exist on the device (404).
    pub const NOT_FOUND: u32 = 4;
    /// The device cannot be reached, or refuses to talk (502).
    pub const UNAVAILABLE: u32 = 5;
    /// The device did not answer in time (504).
    pub const TIMEOUT: u32 = 6;
    /// The driver's code panicked (500). Set by the guard around the driver, not by drivers.
    pub const PANICKED: u32 = 7;
    /// The driver does not implement what was asked (500).
    pub const UNSUPPORTED: u32 = 8;
}
