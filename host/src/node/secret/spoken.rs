//! What a driver says about a call, without the secrets of its node: an author who puts a whole URL into a message must not publish the password
//! in it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::{MASK, SecretNames};

/// Shorter values are left alone: masking every "1" of a text would help nobody.
const SHORTEST: usize = 6;

/// The secrets of one node as they were when its call began. They are looked for only when there is a text to be masked.
#[derive(Clone)]
pub struct NodeSecrets {
    names: Arc<SecretNames>,
    view: Bytes,
}

impl NodeSecrets {
    /// The secrets in `view`, a node as its driver sees it.
    pub fn new(names: Arc<SecretNames>, view: Bytes) -> Self {
        NodeSecrets { names, view }
    }

    /// The names by which they are found.
    pub(crate) fn names(&self) -> &Arc<SecretNames> {
        &self.names
    }

    /// Tells the secrets of different nodes apart, and of one before and after a change, as long as both are kept.
    pub(crate) fn place(&self) -> (usize, usize) {
        (self.view.as_ptr().addr(), self.view.len())
    }

    /// Whether the other ones are those of the same node at the same time.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        self.place() == other.place()
    }

    /// `text` with [`MASK`] for every value of a secret that occurs in it as it is or as JSON writes it, if it has 6 bytes or more.
    /// What the driver has encoded otherwise is not recognised.
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for value in self.values() {
            if text.contains(&value) {
                text = text.replace(&value, MASK).into();
            }
        }
        text
    }

    /// All values, longest first: one may be a part of another.
    fn values(&self) -> Vec<String> {
        let mut values = Vec::new();
        for secret in self.names.secrets_in(&self.view) {
            if let Ok(secret) = serde_json::from_slice(&self.view[secret]) {
                collect(&secret, &mut values);
            }
        }
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values
    }
}

impl fmt::Debug for NodeSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeSecrets")
    }
}

/// The texts and numbers in a secret that are long enough.
fn collect(secret: &Value, values: &mut Vec<String>) {
    match secret {
        Value::Null | Value::Bool(_) => {}
        Value::Array(items) => items.iter().for_each(|item| collect(item, values)),
        Value::Object(members) => members.values().for_each(|member| collect(member, values)),
        Value::Number(number) => values.extend(long_enough(number.to_string())),
        Value::String(text) => {
            let json = secret.to_string();
            let inner = &json[1..json.len() - 1];
            if inner != text {
                values.extend(long_enough(inner.to_owned()));
            }
            values.extend(long_enough(text.clone()));
        }
    }
}

fn long_enough(value: String) -> Option<String> {
    (value.len() >= SHORTEST).then_some(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secrets(view: &Value) -> NodeSecrets {
        let mut names = SecretNames::default();
        names.extend(["oem_door"]);
        NodeSecrets::new(Arc::new(names), Bytes::from(view.to_string()))
    }

    #[test]
    fn the_values_of_secrets_are_masked_wherever_they_stand() {
        let secrets = secrets(&json!({
            "name": "n1",
            "driver_info": {"oem_door": "open-sesame", "password": {"old": "hunter2", "new": ["hunter2-and-more", 12_345_678]}},
            "extra": {"token": "with \"quotes\" and \\", "note": "not secret"}
        }));
        for (text, masked) in [
            (
                "http://root:open-sesame@bmc/ failed",
                "http://root:******@bmc/ failed",
            ),
            ("hunter2-and-more, hunter2", "******, ******"),
            ("12345678", "******"),
            ("it was with \"quotes\" and \\.", "it was ******."),
            (r#"{"t":"with \"quotes\" and \\"}"#, r#"{"t":"******"}"#),
            ("n1 is not secret", "n1 is not secret"),
        ] {
            assert_eq!(secrets.mask(text), masked);
        }
    }

    #[test]
    fn values_that_are_too_short_to_be_told_from_other_text_stay() {
        let secrets = secrets(
            &json!({"driver_info": {"password": "calvi", "pin": 1234, "token": true, "secret": null}}),
        );
        let text = "calvi 1234 true null";
        assert_eq!(secrets.mask(text), text);
    }
}
