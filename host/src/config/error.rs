//! What can be wrong with the configuration, one line each.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::environment::Overrides;
use crate::node::secret::{MASK, SecretNames};
use crate::plugin::printable;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot read the configuration: {source}; name another file with --config", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{}:{line}:{column}: not TOML: {reason}", file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What the parser expected.
        reason: String,
    },
    /// A key is unknown, has the wrong type or a value out of range.
    #[error("{origin}: {key}{}: {reason}", .value.as_deref().map(|value| format!(" = {value}")).unwrap_or_default())]
    Value {
        /// The file, or the variable that set the key.
        origin: String,
        /// The key, with its section.
        key: String,
        /// What was found, as TOML.
        value: Option<String>,
        /// What was expected.
        reason: String,
    },
    /// A variable does not name a key.
    #[error("environment variable {}: {reason}", printable(name))]
    Variable {
        /// The variable.
        name: String,
        /// Why it names none.
        reason: &'static str,
    },
    /// Several of them; one line each.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Several(Vec<ConfigError>),
}

impl ConfigError {
    /// Wraps a syntax error, with the place where it is.
    pub(super) fn syntax(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let before = text.get(..at).unwrap_or(text);
        ConfigError::Syntax {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.rsplit('\n').next().unwrap_or("").chars().count() + 1,
            reason: printable(error.message()),
        }
    }

    /// Wraps an unknown key or a wrong type, with the key and the value that was found.
    pub(super) fn value(
        file: &Path,
        table: &Table,
        overrides: &Overrides,
        error: &serde_path_to_error::Error<toml::de::Error>,
    ) -> Self {
        let key = error.path().to_string();
        let name = key.rsplit('.').next().unwrap_or(&key);
        let found = lookup(table, &key).filter(|value| !value.is_table());
        let found = found.map(|value| match SecretNames::default().covers(name) {
            // A driver's secret that stands in the wrong section.
            true => MASK.to_owned(),
            false => quoted(value),
        });
        let reason = plain(&printable(error.inner().message()));
        ConfigError::Value {
            origin: origin(file, overrides, &key),
            value: found,
            key: printable(&key),
            reason,
        }
    }
}

/// Where the value of `key` came from, for a message.
pub(super) fn origin(file: &Path, overrides: &Overrides, key: &str) -> String {
    match overrides.variable(key) {
        Some(name) => format!("environment variable {}", printable(name)),
        None => file.display().to_string(),
    }
}

fn lookup<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    let mut parts = key.split('.');
    let mut at = table.get(parts.next()?)?;
    for part in parts {
        at = at.as_table()?.get(part)?;
    }
    Some(at)
}

/// The parser's words, where they speak of this program's types, in words of the file.
fn plain(reason: &str) -> String {
    const WORDS: [(&str, &str); 8] = [
        ("expected u32", "expected a whole number from 0 on"),
        ("expected u64", "expected a whole number from 0 on"),
        ("expected a boolean", "expected true or false"),
        (
            "expected a sequence",
            "expected a list of texts, such as [\"fake\", \"ipmi\"]",
        ),
        ("expected path string", "expected a path, in quotes"),
        ("expected a string", "expected text, in quotes"),
        ("expected a map", "expected a section of keys"),
        (
            "invalid socket address syntax",
            "expected an IP address and a port, such as \"127.0.0.1:6385\"",
        ),
    ];
    let reason = WORDS.iter().fold(reason.to_owned(), |text, (theirs, ours)| {
        text.replace(theirs, ours)
    });
    match reason.find("expected struct ") {
        Some(at) => format!("{}expected a section of keys", &reason[..at]),
        None => reason,
    }
}

/// A value on one line.
fn quoted(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        other => printable(&other.to_string()),
    }
}
