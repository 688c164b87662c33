//! The id of a request: in its reply's headers, in every log line of it, in locks and in records.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use uuid::Uuid;

/// What every id begins with, in OpenStack's services.
const PREFIX: &[u8; 4] = b"req-";
/// Its length as text.
pub const LENGTH: usize = 40;

/// `req-` and a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(Uuid);

impl RequestId {
    /// A new one.
    pub fn random() -> Self {
        RequestId(Uuid::new_v4())
    }

    /// The id with these bytes; see [`bytes`](Self::bytes).
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        RequestId(Uuid::from_bytes(bytes))
    }

    /// What tells it from all others.
    pub fn bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }

    /// Its text, in ASCII.
    pub fn text(self) -> [u8; LENGTH] {
        let mut text = [0; LENGTH];
        let (prefix, uuid) = text.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX);
        self.0.hyphenated().encode_lower(uuid);
        text
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "req-{}", self.0.hyphenated())
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text that is no id of a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected req- and a UUID, found {0:?}")]
pub struct NotARequestId(String);

impl FromStr for RequestId {
    type Err = NotARequestId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uuid = text
            .strip_prefix("req-")
            .and_then(|uuid| Uuid::parse_str(uuid).ok());
        uuid.map(RequestId).ok_or_else(|| NotARequestId(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_text_is_read_back_and_nothing_else_is() {
        let id = RequestId::random();
        assert_eq!(id.to_string().as_bytes(), id.text());
        assert_eq!(id.to_string().parse(), Ok(id));
        let error = "req-1".parse::<RequestId>().unwrap_err();
        assert_eq!(error.to_string(), "expected req- and a UUID, found \"req-1\"");
    }
}
