//! One call and its answer, as plain data.

use abi_stable::std_types::{ROption, RSlice, RStr, RString, RVec};
use abi_stable::StableAbi;

/// One call as the driver gets it: borrowed from the host, which keeps it until the function returns.
///
/// Closed for ever; what later versions know about a call is asked from its [`Context`](crate::Context).
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The method's name, as the manifest has it.
    pub method: RStr<'a>,
    /// The HTTP verb in capitals; one of those that the manifest lists for the method.
    pub http_method: RStr<'a>,
    /// The arguments: one JSON value in UTF-8, already checked for syntax and depth. `{}` when the client sent none.
    pub body: RSlice<'a, u8>,
    /// For a method of a node: `{uuid, name, driver, driver_info, properties, extra}` as JSON in UTF-8.
    /// Nothing for a method of the driver itself.
    pub node: ROption<RSlice<'a, u8>>,
}

/// What a call answers. Owned by the host from then on, and freed by it through the driver's own allocator.
///
/// Closed for ever.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// One JSON value in UTF-8; for a method with `attach`, any bytes.
    pub body: RVec<u8>,
    /// The media type of an `attach` reply. Empty everywhere else.
    pub content_type: RString,
}
