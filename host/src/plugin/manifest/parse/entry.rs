//! One place in a manifest: its path, for people, and its value.

use serde_json::{Map, Value};

use super::super::ManifestError;
use crate::plugin::printable;

/// What an error quotes of a value.
const QUOTED_CHARS: usize = 60;

/// A value that may be absent, and where it is.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    at: String,
    value: Option<&'a Value>,
}

type Read<T> = Result<T, ManifestError>;

impl<'a> Entry<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Entry {
            at: String::new(),
            value: Some(value),
        }
    }

    pub(super) fn key(&self, key: &str) -> Entry<'a> {
        let at = if self.at.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.at)
        };
        let value = self
            .value
            .and_then(|value| value.get(key))
            .filter(|value| !value.is_null());
        Entry { at, value }
    }

    /// The elements of an array; none when it is absent.
    pub(super) fn items(&self) -> Read<Vec<Entry<'a>>> {
        let entry = |(i, value)| Entry {
            at: format!("{}[{i}]", self.at),
            value: Some(value),
        };
        match self.value {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items.iter().enumerate().map(entry).collect()),
            Some(_) => Err(self.wrong("an array")),
        }
    }

    pub(super) fn value(&self) -> Option<&'a Value> {
        self.value
    }

    pub(super) fn object(&self) -> Read<&'a Map<String, Value>> {
        self.value
            .and_then(Value::as_object)
            .ok_or_else(|| self.wrong("an object"))
    }

    pub(super) fn text(&self) -> Read<&'a str> {
        self.value
            .and_then(Value::as_str)
            .ok_or_else(|| self.wrong("a string"))
    }

    pub(super) fn number(&self) -> Read<u64> {
        self.value
            .and_then(Value::as_u64)
            .ok_or_else(|| self.wrong("a whole number"))
    }

    pub(super) fn flag_or(&self, default: bool) -> Read<bool> {
        match self.value {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.wrong("true or false")),
        }
    }

    pub(super) fn text_or(&self, default: &'a str) -> Read<&'a str> {
        if self.value.is_none() {
            Ok(default)
        } else {
            self.text()
        }
    }

    pub(super) fn optional<T>(&self, read: impl FnOnce(&Self) -> Read<T>) -> Read<Option<T>> {
        if self.value.is_none() {
            Ok(None)
        } else {
            read(self).map(Some)
        }
    }

    pub(super) fn wrong(&self, expected: &str) -> ManifestError {
        let at = if self.at.is_empty() {
            "its top level"
        } else {
            &self.at
        };
        broken(printable(at), expected, self.quoted())
    }

    pub(super) fn newer(&self, known: &str) -> ManifestError {
        let at = printable(&self.at);
        ManifestError::NeedsNewerHost {
            at,
            found: self.quoted(),
            known: known.to_owned(),
        }
    }

    fn quoted(&self) -> String {
        let Some(value) = self.value else {
            return "nothing".to_owned();
        };
        let text = printable(&value.to_string());
        match text.char_indices().nth(QUOTED_CHARS) {
            Some((end, _)) => format!("{}...", &text[..end]),
            None => text,
        }
    }
}

pub(super) fn broken(at: String, expected: &str, found: String) -> ManifestError {
    ManifestError::BrokenManifest {
        at,
        expected: expected.to_owned(),
        found,
    }
}
