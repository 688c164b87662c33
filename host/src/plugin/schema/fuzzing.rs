//! What must hold of schemas and of the checks that are made with them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a rule that is broken panics"
)]

use serde_json::Value;

use super::{Budget, Distinct, Schema};
use crate::fuzzing::is_readable;

/// A line with a schema, and a body.
pub(crate) fn schema(bytes: &[u8]) {
    let line = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(bytes.len());
    let (line, body) = (&bytes[..line], bytes.get(line + 1..).unwrap_or_default());
    let Ok(json) = serde_json::from_slice::<Value>(line) else {
        return;
    };
    let Ok(schema) = Schema::new(json, &mut Budget::default()) else {
        return;
    };
    // It can stand in a larger document.
    schema.placed_at("#/components/schemas/x");
    let checked = schema.check(body, &|key| key == "secret");
    let read = serde_json::from_slice::<Distinct>(body).ok();
    let fits = read
        .as_ref()
        .is_some_and(|Distinct(body)| schema.validator.is_valid(body));
    assert_eq!(checked.is_ok(), fits, "{checked:?}");
    let Err(misfit) = checked else { return };
    let text = misfit.to_string();
    is_readable(&text, 20_000);
    if let Some(Distinct(body)) = read {
        let mut secrets = Vec::new();
        texts(&body, false, &mut secrets);
        for secret in secrets.iter().filter(|secret| secret.len() >= 8) {
            // What stands elsewhere too is no secret.
            if memchr::memmem::find_iter(bytes, secret.as_bytes()).count() == 1 {
                assert!(!text.contains(secret), "{secret:?} is told: {text}");
            }
        }
    }
}

/// The texts under the key `secret`.
fn texts(value: &Value, is_secret: bool, found: &mut Vec<String>) {
    match value {
        Value::String(text) if is_secret => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, is_secret, found)),
        Value::Object(members) => {
            for (key, member) in members {
                texts(member, is_secret || key == "secret", found);
            }
        }
        _ => {}
    }
}
