//! JSON that is passed on and never read.

use std::fmt;

/// JSON in UTF-8, as arguments or as an answer that the driver does not look into: it is not read and not written, only moved.
///
/// As arguments it is the body as the client wrote it, spaces included, copied once; the host has checked its syntax. As an answer it is
/// sent as it is, after the host has checked it: what is not JSON fails the call.
///
/// ```
/// use driver_sdk::{json, serde_json, RawJson, Value};
///
/// let answer = RawJson::from(r#"{"from": "a device"}"#.to_owned());
/// assert_eq!(serde_json::from_slice::<Value>(answer.as_bytes())?, json!({"from": "a device"}));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RawJson(Vec<u8>);

impl RawJson {
    /// The JSON.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The JSON, without a copy.
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

/// Takes the bytes unseen.
impl From<Vec<u8>> for RawJson {
    fn from(json: Vec<u8>) -> Self {
        RawJson(json)
    }
}

/// Takes the text unseen.
impl From<String> for RawJson {
    fn from(json: String) -> Self {
        RawJson(json.into_bytes())
    }
}

/// Shows its length: it may hold secrets.
impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawJson({} bytes)", self.0.len())
    }
}
