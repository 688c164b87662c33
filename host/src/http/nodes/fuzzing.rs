//! What must hold of JSON Patches of nodes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a rule that is broken panics"
)]

use serde_json::{Map, Value, json};

use super::fields::FIELDS;
use super::patch::Patch;
use crate::http::ApiVersion;
use crate::node::fields::MAX_DEPTH;
use crate::node::secret::SecretNames;

/// Any bytes as the body of a PATCH.
pub(crate) fn patch(bytes: &[u8]) {
    let Ok(body) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    let Ok(patch) = Patch::parse(body.clone(), ApiVersion::MAX) else {
        assert!(
            Patch::parse(body, ApiVersion::MIN).is_err(),
            "a later version knows more"
        );
        return;
    };
    let before = document();
    let mut after = before.clone();
    let applied = patch.apply(&mut after, &SecretNames::default());
    let operations = body.as_array().unwrap();
    let expected = expected(&before, operations);
    assert_eq!(
        applied.is_ok(),
        expected.is_some(),
        "as RFC 6902 says: {:?}",
        applied.as_ref().err()
    );
    match applied {
        Ok(()) => {
            assert_eq!(Some(&after), expected.as_ref());
            assert!(after.keys().eq(before.keys()), "every field is there always");
            let deepest = after.values().map(depth).max().unwrap_or(0);
            assert!(deepest <= MAX_DEPTH, "{deepest} levels");
        }
        Err(error) => {
            let mut secrets = vec!["hunter2-of-the-node".to_owned()];
            for operation in operations {
                let named = operation["path"].as_str().unwrap_or_default().split('/');
                let named = named.into_iter().any(|name| SecretNames::default().covers(name));
                texts(&operation["value"], named, &mut secrets);
            }
            // What stands elsewhere too is no secret.
            let once = |text: &&String| memchr::memmem::find_iter(bytes, text.as_bytes()).count() <= 1;
            for secret in secrets.iter().filter(|secret| secret.len() >= 8).filter(once) {
                assert!(
                    !error.text().contains(secret),
                    "{secret:?} is told: {}",
                    error.text()
                );
            }
        }
    }
}

/// A node as patches see it.
fn document() -> Map<String, Value> {
    let fields = FIELDS.iter().filter(|field| field.accepts.is_some());
    let mut document: Map<_, _> = fields.map(|field| (field.name.to_owned(), Value::Null)).collect();
    document["name"] = "n1".into();
    document["driver"] = "fake".into();
    document["driver_info"] = json!({"password": "hunter2-of-the-node", "list": [1, {"a": "b"}, [2]]});
    document["extra"] = json!({"a": {"b": {"c": null}}, "-": 1});
    document
}

/// The same by the library alone, but that a field itself is always there.
fn expected(before: &Map<String, Value>, operations: &[Value]) -> Option<Map<String, Value>> {
    let mut document = Value::Object(before.clone());
    for operation in operations {
        let path = operation["path"].as_str()?;
        if path.matches('/').count() == 1 {
            let value = operation.get("value").cloned();
            document[&path[1..]] = if operation["op"] == "remove" {
                Value::Null
            } else {
                value?
            };
            continue;
        }
        let operation = serde_json::from_value(operation.clone()).ok()?;
        json_patch::patch(&mut document, &[operation]).ok()?;
    }
    match document {
        Value::Object(document) => Some(document),
        _ => None,
    }
}

fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => return 0,
    };
    1 + inner.unwrap_or(0)
}

/// The texts under names of secrets.
fn texts(value: &Value, is_secret: bool, found: &mut Vec<String>) {
    match value {
        Value::String(text) if is_secret => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, is_secret, found)),
        Value::Object(members) => {
            for (key, member) in members {
                texts(member, is_secret || SecretNames::default().covers(key), found);
            }
        }
        _ => {}
    }
}
