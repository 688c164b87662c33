//! What must hold of the answers of standard calls.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a rule that is broken panics"
)]

use serde_json::Value;

use super::{boot_device, power_state};
use crate::fuzzing::is_readable;
use crate::plugin::loaded::Reply;

/// Any bytes as what a driver answers.
pub(crate) fn standard_reply(bytes: &[u8]) {
    let reply = Reply {
        body: bytes.to_vec().into(),
        content_type: None,
    };
    let value = serde_json::from_slice::<Value>(bytes).ok();
    match power_state(&reply) {
        Ok(None) => assert_eq!(value, Some(Value::Null)),
        Ok(Some(state)) => assert_eq!(value, Some(state.word().into())),
        Err(error) => is_readable(&error.to_string(), 300),
    }
    match boot_device(&reply) {
        Ok(device) => {
            // Numbers that nothing is made of may stand beside.
            let Some(value) = value else { return };
            let text = value.get("boot_device").and_then(Value::as_str);
            assert_eq!(device.boot_device.as_deref(), text);
            assert_eq!(
                device.persistent,
                value.get("persistent").and_then(Value::as_bool)
            );
        }
        Err(error) => is_readable(&error.to_string(), 300),
    }
}
