//! The root of a driver's library: the way from the opened file to the driver.

use abi_stable::library::RootModule;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RResult, RSlice};
use abi_stable::{package_version_strings, StableAbi};

use crate::{DriverObject, Fault, HostObject};

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
