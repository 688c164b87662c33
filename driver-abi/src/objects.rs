//! The objects that cross: what a driver implements, and what the host implements for it.
//! Append only: see "What may change" in the crate's front page.

// abi_stable's `sabi_trait` writes its impls into a constant beside each trait; nothing else in this file defines impls.
#![allow(non_local_definitions)]

use abi_stable::sabi_trait;
use abi_stable::std_types::{RArc, RBox, RResult, RSlice, RStr};

use crate::{Call, Fault, Reply};

/// A driver, owned by the host. Dropped by the host after [`Driver::shut_down`], or never.
pub type DriverObject = Driver_TO<'static, RBox<()>>;
/// The host's side of one call, shared between host and driver.
pub type Context = CallContext_TO<'static, RArc<()>>;
/// The right to answer one deferred call, owned by the driver.
pub type CompletionObject = Completion_TO<'static, RBox<()>>;
/// The host as a driver sees it outside calls, owned by the driver.
pub type HostObject = Host_TO<'static, RBox<()>>;

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
