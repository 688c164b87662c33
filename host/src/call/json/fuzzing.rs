//! What must hold of the check of syntax and depth.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a rule that is broken panics"
)]

use serde::de::IgnoredAny;
use serde_json::Value;

use super::{JsonError, check};

/// A byte that says how deep it may nest, and any bytes as a body.
pub(crate) fn json(bytes: &[u8]) {
    let Some((&limit, body)) = bytes.split_first() else {
        return;
    };
    let limit = u32::from(limit);
    let checked = check(body, limit);
    let sound = std::str::from_utf8(body).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    match &checked {
        Ok(()) => assert!(sound, "serde_json takes it, too"),
        Err(JsonError::Depth { limit: told }) => assert_eq!(*told, limit),
        Err(error) => assert!(!sound, "serde_json does not take it, either: {error}"),
    }
    // Where a value can be made of it, that is as deep as was found.
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        let deep = depth(&value);
        assert_eq!(
            checked.is_ok(),
            deep <= limit,
            "{deep} levels, {limit} may be: {checked:?}"
        );
    }
    // More may be nested as deeply, and less not deeper.
    if checked.is_ok() {
        assert_eq!(check(body, limit + 1), Ok(()));
    }
}

fn depth(value: &Value) -> u32 {
    let inner = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => return 0,
    };
    1 + inner.unwrap_or(0)
}
