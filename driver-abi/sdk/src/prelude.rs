//! Everything that a driver's file usually needs: `use driver_sdk::prelude::*;`.

pub use crate::{driver, Attachment, Call, Completion, Fault, Host, Node, Properties, RawJson, Schema};
pub use crate::{BootDevice, BootDeviceChange, BootDeviceName, PowerChange, PowerState, PowerTarget};
pub use serde::{Deserialize, Serialize};
pub use serde_json::{json, Value};
