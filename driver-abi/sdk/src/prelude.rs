//! Everything that a driver's file usually needs: `use driver_sdk::prelude::*;`.

pub use crate::{driver, Attachment, Call, Completion, Fault, Host, Node, Properties, RawJson, Schema};
pub use serde::{Deserialize, Serialize};
pub use serde_json::{json, Value};
