//! Everything that crosses. Append only: see "What may change" in the crate's front page.

#![allow(
    clippy::missing_safety_doc,
    reason = "the functions that abi_stable's macros generate carry no docs"
)]
#![allow(
    missing_docs,
    reason = "abi_stable's macros generate public items; every item written here has its docs"
)]
#![allow(
    non_local_definitions,
    non_camel_case_types,
    reason = "abi_stable's sabi_trait generates them"
)]
#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    reason = "abi_stable's macros generate them"
)]

use abi_stable::library::RootModule;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RArc, RBox, ROption, RResult, RSlice, RStr, RString, RVec};
use abi_stable::{package_version_strings, sabi_trait, StableAbi};

use crate::Fault;

/// A driver, owned by the host. Dropped by the host after [`Driver::shut_down`], or never.
pub type DriverObject = Driver_TO<'static, RBox<()>>;
/// The host's side of one call, shared between host and driver.
pub type Context = CallContext_TO<'static, RArc<()>>;
/// The right to answer one deferred call, owned by the driver.
pub type CompletionObject = Completion_TO<'static, RBox<()>>;
/// The host as a driver sees it outside calls, owned by the driver.
pub type HostObject = Host_TO<'static, RBox<()>>;

/// The one thing that a driver's library exports, under [`ROOT_SYMBOL`](crate::ROOT_SYMBOL).
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = DriverModuleRef)))]
#[sabi(missing_field(option))]
pub struct DriverModule {
    /// Creates the driver from its configuration.
    ///
    /// `config` is a JSON object in UTF-8: the table `[drivers.NAME.config]` of the operator's file, `{}` without one.
    /// It is borrowed for the length of the function. The driver owns `host` and drops it when it likes.
    ///
    /// # Errors
    /// A fault stops the start of the host; its message is shown to the operator as one line.
    ///
    /// # Thread-safety
    /// Called once per load, on a thread of the host, before anything else.
    #[sabi(last_prefix_field)]
    pub create: extern "C" fn(config: RSlice<'_, u8>, host: HostObject) -> RResult<DriverObject, Fault>,
}

impl RootModule for DriverModuleRef {
    abi_stable::declare_root_module_statics! {DriverModuleRef}
    const BASE_NAME: &'static str = "driver";
    const NAME: &'static str = "driver";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

/// One call as the driver gets it: borrowed from the host, which keeps it until the function returns.
///
/// Closed for ever; what later versions know about a call is asked from its [`Context`].
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

/// What a driver implements.
///
/// # Thread-safety
/// Every function may be called from any thread of the host, from many at once, also for the same node:
/// what must not run together has to be declared with an exclusive lock. A blocking function may take as
/// long as the call's deadline allows; [`start`](Driver::start) and the two validations should not wait for a device.
///
/// # Panics
/// Must not leave a function: an uncaught one ends the host's process. `driver-sdk` catches all of them.
#[sabi_trait]
pub trait Driver: Send + Sync {
    /// Checks the node's `driver_info` and `properties` before a call, and when a client asks for validation.
    /// `node` is as in [`Call::node`]. No effect on the device.
    fn validate_node(&self, node: RSlice<'_, u8>, context: &Context) -> RResult<(), Fault>;

    /// Checks the arguments of a call before it is begun, also for calls that are answered before they run.
    /// No effect on the device.
    fn validate_call(&self, call: Call<'_>, context: &Context) -> RResult<(), Fault>;

    /// Runs a blocking method and answers it. Called after both validations.
    fn call(&self, call: Call<'_>, context: &Context) -> RResult<Reply, Fault>;

    /// Starts a deferred method and returns at once. The driver keeps what it needs of `call` by copying it.
    /// The answer goes through `completion`, from any thread, before or after this function returns.
    fn start(&self, call: Call<'_>, context: Context, completion: CompletionObject);

    /// Asks the driver to end: no call is running and none will follow. Called at most once, before the drop.
    #[sabi(last_prefix_field)]
    fn shut_down(&self);
}

/// The host's side of one call.
///
/// # Thread-safety
/// Every function may be called from any thread, and returns at once.
#[sabi_trait]
pub trait CallContext: Send + Sync {
    /// Milliseconds until the call's deadline, 0 when it has passed.
    fn remaining_ms(&self) -> u64;

    /// Whether nobody waits for the answer any more: the deadline has passed, the client asked to cancel, or the host is
    /// shutting down. A driver that can stop its work safely should.
    fn cancelled(&self) -> bool;

    /// Writes one line to the host's log, with the call's request id. `level` is one of [`log_level`](crate::log_level).
    #[sabi(last_prefix_field)]
    fn log(&self, level: u8, message: RStr<'_>);
}

/// The right to answer one deferred call.
///
/// Dropping it unanswered fails the call.
///
/// # Thread-safety
/// May be used and dropped on any thread; returns at once.
#[sabi_trait]
pub trait Completion: Send + Sync {
    /// Answers the call. Only the first answer counts; a second is logged and dropped.
    #[sabi(last_prefix_field)]
    fn complete(&self, result: RResult<Reply, Fault>);
}

/// The host as a driver sees it outside calls.
///
/// # Thread-safety
/// May be used and dropped on any thread; returns at once.
#[sabi_trait]
pub trait Host: Send + Sync {
    /// Writes one line to the host's log, with the driver's name. `level` is one of [`log_level`](crate::log_level).
    #[sabi(last_prefix_field)]
    fn log(&self, level: u8, message: RStr<'_>);
}
