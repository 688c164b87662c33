//! The answers of standard calls: a driver may be any, so what it says is read here before it is believed.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::CallError;
use crate::node::power::PowerState;
use crate::plugin::loaded::Reply;
use crate::plugin::manifest::StandardCall;

/// What a node boots from, as its driver answers it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize)]
pub struct BootDevice {
    /// Ironic's word for it; nothing if it is unknown.
    pub boot_device: Option<String>,
    /// Whether it stays so after the next boot; nothing if that is unknown.
    pub persistent: Option<bool>,
}

/// Reads the answer of [`StandardCall::GetPower`]: nothing if the device does not know.
///
/// # Errors
/// [`CallError::UnknownAnswer`]
pub fn power_state(reply: &Reply) -> Result<Option<PowerState>, CallError> {
    let expected = "\"power on\", \"power off\", \"error\" or null";
    let unknown = || unknown_answer(StandardCall::GetPower, expected, reply);
    match serde_json::from_slice::<Option<String>>(&reply.body) {
        Ok(None) => Ok(None),
        Ok(Some(word)) => PowerState::of_word(&word).map(Some).ok_or_else(unknown),
        Err(_) => Err(unknown()),
    }
}

/// Reads the answer of [`StandardCall::GetBootDevice`].
///
/// # Errors
/// [`CallError::UnknownAnswer`]
pub fn boot_device(reply: &Reply) -> Result<BootDevice, CallError> {
    let expected = "{\"boot_device\": a string or null, \"persistent\": true, false or null}";
    // An array of two would be taken for the object.
    let object = reply.body.trim_ascii_start().starts_with(b"{");
    serde_json::from_slice(&reply.body)
        .ok()
        .filter(|_| object)
        .ok_or_else(|| unknown_answer(StandardCall::GetBootDevice, expected, reply))
}

fn unknown_answer(call: StandardCall, expected: &'static str, reply: &Reply) -> CallError {
    // Only its kind: what a driver answers by mistake may be anything, secrets included.
    let found = match serde_json::from_slice::<&RawValue>(&reply.body).map(RawValue::get) {
        Ok(text) if text.starts_with('{') => "an object",
        Ok(text) if text.starts_with('[') => "an array",
        Ok(text) if text.starts_with('"') => "another string",
        Ok("null") => "null",
        Ok("true" | "false") => "a boolean",
        Ok(_) => "a number",
        Err(_) => "no JSON",
    };
    CallError::UnknownAnswer {
        method: call.name(),
        expected,
        found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(json: &'static str) -> Reply {
        Reply {
            body: json.into(),
            content_type: None,
        }
    }

    #[test]
    fn power_states_are_ironic_s_words_or_nothing() {
        assert_eq!(power_state(&reply("\"power on\"")).unwrap(), Some(PowerState::On));
        assert_eq!(power_state(&reply("null")).unwrap(), None);
        for (json, found) in [
            ("\"rebooting\"", "another string"),
            ("true", "a boolean"),
            ("[\"power on\"]", "an array"),
            ("1", "a number"),
        ] {
            let text = power_state(&reply(json)).unwrap_err().to_string();
            assert!(
                text.starts_with("the driver's answer to power:get cannot be used: expected \"power on\", "),
                "{text}"
            );
            assert!(text.ends_with(&format!("found {found}")), "{text}");
        }
    }

    #[test]
    fn a_boot_device_may_be_unknown_in_whole_or_in_part() {
        let read = |json| boot_device(&reply(json)).unwrap();
        let device = read(r#"{"boot_device": "pxe", "persistent": false, "later": 1}"#);
        assert_eq!(
            (device.boot_device.as_deref(), device.persistent),
            (Some("pxe"), Some(false))
        );
        assert_eq!(
            read("{}"),
            BootDevice {
                boot_device: None,
                persistent: None
            }
        );
        for json in [r#"["pxe", true]"#, "null", r#"{"boot_device": 1}"#] {
            let text = boot_device(&reply(json)).unwrap_err().to_string();
            assert!(text.contains("management:get_boot_device"), "{text}");
        }
    }
}
