#![doc = include_str!("../README.md")]

#[doc(hidden)]
pub use abi_stable;

mod call;
mod export;
mod fault;
mod module;
mod note;
mod objects;

pub use call::{Call, Reply};
pub use export::ROOT_SYMBOL;
pub use fault::{kind, Fault};
pub use module::{DriverModule, DriverModuleRef};
pub use note::{padded, Note, MANIFEST_FORMAT, MANIFEST_MAX_BYTES, NOTE_OWNER, NOTE_SECTION, NOTE_TYPE};
pub use objects::{
    CallContext, CallContext_TO, Completion, CompletionObject, Completion_TO, Context, Driver, DriverObject,
    Driver_TO, Host, HostObject, Host_TO,
};

/// The types of `abi_stable` in which this boundary is spelled, so that nobody needs a second copy of it.
pub mod types {
    pub use abi_stable::rvec;
    pub use abi_stable::sabi_trait::TD_Opaque;
    pub use abi_stable::std_types::{RArc, RBox, RErr, ROk, ROption, RResult, RSlice, RStr, RString, RVec};
}

/// The version of this boundary, as it stands in the manifest's `abi` key.
pub const ABI_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Levels of a log line, as numbers so that the set can grow: a host treats an unknown one as [`log_level::INFO`].
pub mod log_level {
    /// The call or the driver failed.
    pub const ERROR: u8 = 1;
    /// Something an operator should look at.
    pub const WARN: u8 = 2;
    /// Something an operator may want to know.
    pub const INFO: u8 = 3;
    /// For the driver's author.
    pub const DEBUG: u8 = 4;
    /// For the driver's author, in bulk.
    pub const TRACE: u8 = 5;
}
