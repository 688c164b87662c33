//! Which values of a node are never shown.
//!
//! The value of a key, at any depth, is replaced by [`MASK`] when the key's name says that it is a secret, or when the manifest of any driver
//! that was ever enabled marks a property of that name as secret. The second rule holds for every node, whatever its
//! driver is now: a node that changed its driver keeps what its old driver was told.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod spoken;

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::{Map, Value};

use super::text::{string_end, value_end};

pub use self::spoken::NodeSecrets;

/// What is shown in place of a secret.
pub const MASK: &str = "******";

/// A key is secret when it contains one of these, ignoring case and the separators `_`, `-`, `.` and space:
/// `snmp_auth_key`, `authKey` and `auth-key` are one.
const PARTS: [&str; 19] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "credential",
    "community",
    "privatekey",
    "authkey",
    "privkey",
    "kgkey",
    "accesskey",
    "apikey",
    "sessionkey",
    "encryptionkey",
    "sshkey",
    "sharedkey",
    "configdrive",
];

/// A key is secret when one of these is a whole word of it: `ipmi_pass`, but not `bypass`.
const WORDS: [&str; 4] = ["pass", "pwd", "psk", "pin"];

/// The names of secret properties that manifests declare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretNames {
    declared: BTreeSet<String>,
}

impl SecretNames {
    /// The names as JSON, for a worker process.
    pub(crate) fn as_json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.declared).unwrap_or_else(|_| b"[]".to_vec())
    }

    /// What [`as_json`](Self::as_json) has made.
    ///
    /// # Errors
    /// It is something else.
    pub(crate) fn from_json(json: &[u8]) -> serde_json::Result<Self> {
        let declared = serde_json::from_slice(json)?;
        Ok(SecretNames { declared })
    }

    /// Adds names.
    pub(super) fn extend<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        self.declared.extend(names.into_iter().map(str::to_owned));
    }

    /// Whether a manifest has declared `name` secret.
    pub(super) fn declares(&self, name: &str) -> bool {
        self.declared.contains(name)
    }

    /// Whether the value of `key` is never shown.
    pub fn covers(&self, key: &str) -> bool {
        self.declares(key) || names_a_secret(key)
    }

    /// Appends the JSON `text` to `out`, with every secret masked. A secret that is `null` stays `null`.
    ///
    /// `text` is compact JSON as serde_json writes it, which is how a node keeps it.
    pub fn mask_into(&self, text: &[u8], out: &mut Vec<u8>) {
        let mut copied = 0;
        for secret in self.secrets_in(text) {
            out.extend_from_slice(&text[copied..secret.start]);
            out.extend_from_slice(b"\"******\"");
            copied = secret.end;
        }
        out.extend_from_slice(&text[copied..]);
    }

    /// A value with every secret in it masked; nothing if it is none that can be written and read again.
    pub fn masked(&self, value: &Value) -> Option<Value> {
        let mut out = Vec::new();
        self.mask_into(value.to_string().as_bytes(), &mut out);
        serde_json::from_slice(&out).ok()
    }

    /// Where the values of secrets stand in `text`, outermost only.
    fn secrets_in(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < text.len() {
            if text[at] != b'"' {
                at += 1;
                continue;
            }
            let end = string_end(text, at);
            let string = &text[at..end];
            at = end;
            // A string that a colon follows is a key.
            if text.get(end) == Some(&b':') {
                at += 1;
                if self.covers_written(string) && !text[at..].starts_with(b"null") {
                    let value = at..value_end(text, at);
                    at = value.end;
                    found.push(value);
                }
            }
        }
        found
    }

    /// Whether the value of a key is never shown; `key` is a string of JSON. One without escapes stands in the text as it is.
    fn covers_written(&self, key: &[u8]) -> bool {
        if memchr::memchr(b'\\', key).is_some() {
            return serde_json::from_slice::<String>(key).is_ok_and(|key| self.covers(&key));
        }
        std::str::from_utf8(&key[1..key.len() - 1]).is_ok_and(|key| self.covers(key))
    }

    /// Puts the secrets of `before` back where `after` has [`MASK`] for them: a client that sends back what it was shown does not
    /// change a secret.
    ///
    /// # Errors
    /// The path of a masked secret that `before` does not have, or has as null: it cannot be meant.
    pub fn restore(&self, before: &Map<String, Value>, after: &mut Map<String, Value>) -> Result<(), String> {
        for (key, value) in after {
            if self.covers(key) {
                if value == MASK {
                    // A secret that is null is shown as null.
                    match before.get(key).filter(|secret| !secret.is_null()) {
                        Some(secret) => *value = secret.clone(),
                        None => return Err(key.clone()),
                    }
                }
                continue;
            }
            self.restore_value(before.get(key).unwrap_or(&Value::Null), value)
                .map_err(|path| format!("{key}/{path}"))?;
        }
        Ok(())
    }

    fn restore_value(&self, before: &Value, after: &mut Value) -> Result<(), String> {
        match after {
            Value::Object(after) => self.restore(before.as_object().unwrap_or(&Map::new()), after),
            // Items have no names: one that is not as it was shown may be another one, and must not get its secrets.
            Value::Array(items) => {
                let before = before.as_array().map(Vec::as_slice).unwrap_or_default();
                items
                    .iter_mut()
                    .enumerate()
                    .try_for_each(|(index, item)| match before.get(index) {
                        Some(shown) if self.masked(shown).as_ref() == Some(item) => {
                            *item = shown.clone();
                            Ok(())
                        }
                        _ => self
                            .restore_value(&Value::Null, item)
                            .map_err(|path| format!("{index}/{path}")),
                    })
            }
            _ => Ok(()),
        }
    }
}

fn names_a_secret(key: &str) -> bool {
    let separator = |c: char| matches!(c, '_' | '-' | '.' | ' ');
    let folded: String = key
        .chars()
        .filter(|c| !separator(*c))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    PARTS.iter().any(|part| folded.contains(part))
        || key
            .split(separator)
            .any(|word| WORDS.iter().any(|secret| word.eq_ignore_ascii_case(secret)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn masked(names: &SecretNames, value: &Value) -> Value {
        names.masked(value).unwrap()
    }

    #[test]
    fn keys_that_name_a_secret_are_recognised_in_every_spelling() {
        let names = SecretNames::default();
        for key in [
            "ipmi_password",
            "redfish_password",
            "PASSWORD",
            "my_secret",
            "authToken",
            "snmp_community",
            "snmp_auth_key",
            "snmp_priv_key",
            "ipmi_hex_kg_key",
            "private-key",
            "privateKey",
            "ssh.key",
            "ipmi_pass",
            "bmc-pwd",
            "api_key",
        ] {
            assert!(names.covers(key), "{key}");
        }
        for key in [
            "ipmi_address",
            "bypass",
            "key",
            "public_key",
            "username",
            "pinned",
            "compass",
            "passthru",
        ] {
            assert!(!names.covers(key), "{key}");
        }
    }

    #[test]
    fn secrets_are_masked_at_any_depth_and_nothing_else_changes() {
        let value = json!({
            "a": "password", "ipmi_password": "x\"}, y\\", "deep": [{"token": {"a": [1, "]"]}}, {"secret": 5, "b": null}],
            "password": null, "u": "ä\n\"quoted\": 1", "credentials": [], "last": {"api_key": true}
        });
        assert_eq!(
            masked(&SecretNames::default(), &value),
            json!({
                "a": "password", "ipmi_password": MASK, "deep": [{"token": MASK}, {"secret": MASK, "b": null}],
                "password": null, "u": "ä\n\"quoted\": 1", "credentials": MASK, "last": {"api_key": MASK}
            })
        );
    }

    #[test]
    fn what_a_manifest_declares_secret_is_masked_too() {
        let mut names = SecretNames::default();
        assert_eq!(
            masked(&names, &json!({"oem_door": "4711"})),
            json!({"oem_door": "4711"})
        );
        names.extend(["oem_door"]);
        assert_eq!(
            masked(&names, &json!({"oem_door": "4711"})),
            json!({"oem_door": MASK})
        );
    }

    #[test]
    fn a_mask_that_is_sent_back_keeps_the_secret() {
        let before = json!({"password": "p", "list": [{"token": "t"}], "address": "1"});
        let mut after = json!({"password": MASK, "list": [{"token": MASK}], "address": "2", "note": MASK});
        let names = SecretNames::default();
        names
            .restore(before.as_object().unwrap(), after.as_object_mut().unwrap())
            .unwrap();
        assert_eq!(
            after,
            json!({"password": "p", "list": [{"token": "t"}], "address": "2", "note": MASK})
        );
    }

    #[test]
    fn an_item_of_a_list_that_moved_does_not_get_the_secret_of_another() {
        let before = json!({"bmcs": [{"n": 1, "token": "a"}, {"n": 2, "token": "b"}]});
        let mut after = json!({"bmcs": [{"n": 2, "token": MASK}]});
        let names = SecretNames::default();
        let fault = names
            .restore(before.as_object().unwrap(), after.as_object_mut().unwrap())
            .unwrap_err();
        assert_eq!(fault, "bmcs/0/token");
    }

    #[test]
    fn a_mask_for_a_secret_that_is_null_is_refused_because_null_is_shown_as_it_is() {
        let before = json!({"password": null, "list": [{"token": null}]});
        for (after, path) in [
            (json!({"password": MASK}), "password"),
            (json!({"list": [{"token": MASK}]}), "list/0/token"),
        ] {
            let mut after = after.as_object().unwrap().clone();
            let fault = SecretNames::default()
                .restore(before.as_object().unwrap(), &mut after)
                .unwrap_err();
            assert_eq!(fault, path);
        }
    }

    #[test]
    fn a_mask_for_a_secret_that_was_never_set_is_refused_with_its_path() {
        let mut after = json!({"list": [{}, {"password": MASK}]});
        let fault = SecretNames::default()
            .restore(&Map::new(), after.as_object_mut().unwrap())
            .unwrap_err();
        assert_eq!(fault, "list/1/password");
    }
}
