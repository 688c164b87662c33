//! Raw requests: the arguments and the answers of `send_raw` and `raw`.

use std::fmt;

use driver_sdk::prelude::*;
use serde::de::{Deserializer, Error, Visitor};

use crate::command::RawBytes;
use crate::completion_code::CompletionCode;

/// The arguments of `send_raw` and `raw`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRequest {
    /// Network function, command and data, such as `0x06 0x01`.
    pub(crate) raw_bytes: RawBytes,
}

/// What a BMC answers.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RawReply {
    completion_code: u8,
    /// The completion code for people.
    meaning: String,
    /// The data, in the notation of the request.
    raw_bytes: String,
}

impl RawReply {
    pub(crate) fn done(data: &[u8]) -> Self {
        RawReply {
            completion_code: 0,
            meaning: "done".to_owned(),
            raw_bytes: written(data),
        }
    }

    pub(crate) fn not_done(completion_code: u8) -> Self {
        RawReply {
            completion_code,
            meaning: format!("the BMC {}", CompletionCode::of(completion_code).meaning),
            raw_bytes: String::new(),
        }
    }
}

/// Bytes as ipmitool's users write them.
pub(crate) fn written(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("0x{byte:02x}")).collect();
    bytes.join(" ")
}

impl<'de> Deserialize<'de> for RawBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = RawBytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string of bytes, such as \"0x06 0x01\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<RawBytes, E> {
                RawBytes::parse(text).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_its_bytes_in_the_notation_of_a_request() {
        let reply = driver_sdk::serde_json::to_value(RawReply::done(&[0x20, 0x01])).unwrap();
        assert_eq!(
            reply,
            json!({"completion_code": 0, "meaning": "done", "raw_bytes": "0x20 0x01"})
        );
        RawBytes::parse(reply["raw_bytes"].as_str().unwrap()).unwrap();
        let reply = driver_sdk::serde_json::to_value(RawReply::not_done(0xc1)).unwrap();
        let meaning = "the BMC does not know this command";
        assert_eq!(
            reply,
            json!({"completion_code": 0xc1, "meaning": meaning, "raw_bytes": ""})
        );
    }
}
