//! What must hold of secrets in the JSON that clients send.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a rule that is broken panics"
)]

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{MASK, NodeSecrets, SecretNames};

/// Any bytes as an object that a client sets.
pub(crate) fn secrets(bytes: &[u8]) {
    let Ok(Value::Object(sent)) = serde_json::from_slice(bytes) else {
        return;
    };
    let kept = Value::Object(sent).to_string();
    // A number may lose its last digit on the way.
    let Ok(before) = serde_json::from_str::<Map<String, Value>>(&kept) else {
        panic!("what is kept is JSON: {kept}");
    };
    if serde_json::to_string(&before).unwrap() != kept {
        return;
    }
    let mut names = SecretNames::default();
    names.extend(["oem_door", "oem \"door\"\n"]);
    let mut shown = Vec::new();
    names.mask_into(kept.as_bytes(), &mut shown);
    let mut shown: Map<String, Value> = serde_json::from_slice(&shown).unwrap();
    let mut expected = before.clone();
    mask(&names, &mut expected);
    assert_eq!(
        shown, expected,
        "what is shown has all secrets masked, and nothing else"
    );
    names.restore(&before, &mut shown).unwrap();
    assert_eq!(shown, before, "what was shown and is sent back changes nothing");
    says_no_secret(names, &before, &kept);
}

fn mask(names: &SecretNames, members: &mut Map<String, Value>) {
    for (key, value) in members {
        match value {
            Value::Null => {}
            value if names.covers(key) => *value = MASK.into(),
            value => mask_inside(names, value),
        }
    }
}

fn mask_inside(names: &SecretNames, value: &mut Value) {
    match value {
        Value::Object(members) => mask(names, members),
        Value::Array(items) => items.iter_mut().for_each(|item| mask_inside(names, item)),
        _ => {}
    }
}

/// A driver that tells each secret of its node by name.
fn says_no_secret(names: SecretNames, before: &Map<String, Value>, kept: &str) {
    let mut texts = Vec::new();
    for (key, value) in before {
        if let Value::String(text) = value
            && names.covers(key)
            && text.len() >= 6
            && !text.contains('*')
        {
            texts.push(text);
        }
    }
    let secrets = NodeSecrets::new(Arc::new(names), Bytes::from(kept.to_owned()));
    for text in texts {
        let said = format!("cannot log in with {text}!");
        let masked = secrets.mask(&said);
        assert!(!masked.contains(text), "{text:?} is told: {masked:?}");
    }
}
