//! What must hold of the configuration.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a rule that is broken panics"
)]

use std::path::Path;

use super::{Config, ConfigError};
use crate::fuzzing::is_readable;

/// The file, and behind each NUL a variable of the environment.
pub(crate) fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.split('\0');
    let file = parts.next().unwrap_or_default();
    let variables = parts.filter_map(|part| part.split_once('='));
    let variables = variables.map(|(name, value)| (format!("HOST__{name}"), value.to_owned()));
    let base = Path::new("/etc/host");
    match Config::parse(file, &base.join("plugins.toml"), base, variables) {
        Ok(config) => {
            assert!(config.calls.max > 0 && config.workers.max > 0 && config.limits.max_json_depth > 0);
            assert!(config.plugin_dir.is_absolute() && config.database.path.is_absolute());
            assert!(config.listen.ip().is_loopback() || config.allow_unauthenticated);
        }
        Err(ConfigError::Several(errors)) => {
            assert!(errors.len() > 1);
            for error in errors {
                is_readable(&error.to_string(), usize::MAX);
            }
        }
        Err(error) => is_readable(&error.to_string(), usize::MAX),
    }
}
