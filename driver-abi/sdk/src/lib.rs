#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(panic = "abort")]
compile_error!(
    "driver-sdk: a panic of a driver must not end the host's process: remove `panic = \"abort\"` from the profile"
);

mod answer;
mod arguments;
mod bench;
mod call;
mod completion;
mod declared;
mod fault;
mod guard;
mod host;
mod keyed;
mod manifest;
mod node;
mod object;
pub mod prelude;
mod properties;
mod raw_json;
mod runtime;
mod schema;
mod standard;

pub use answer::{Answer, Attachment};
pub use arguments::Arguments;
pub use bench::{BenchCall, LogLine, Started, TestBench};
pub use call::Call;
pub use completion::Completion;
pub use declared::Driver;
pub use driver_sdk_macros::{driver, Properties, Schema};
pub use fault::{Fault, FaultKind};
pub use host::{Host, Level};
pub use node::Node;
pub use properties::Properties;
pub use raw_json::RawJson;
pub use schema::Schema;
pub use serde;
pub use serde_json::{self, json, Value};
pub use standard::{BootDevice, BootDeviceChange, BootDeviceName, PowerChange, PowerState, PowerTarget};

/// What the attribute's code names. Not for authors: it changes with the attribute.
#[doc(hidden)]
pub mod __private {
    pub use crate::answer::reply;
    pub use crate::arguments::{arguments, configuration, Nothing};
    pub use crate::completion::Pending;
    pub use crate::declared::{node, not_here, Driver, Method};
    pub use crate::manifest::{join, length, text, Part, MANIFEST_HEAD};
    pub use crate::object::create;
    pub use crate::properties::{DriverInfo, Property};
    pub use crate::runtime::Runtime;
    pub use crate::schema::{Form, Probe, WithoutSchema};
    pub use driver_abi::types::{RResult, RSlice};
    pub use driver_abi::{export_driver, DriverObject, Fault as AbiFault, HostObject, Reply};
}
