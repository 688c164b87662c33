//! The driver that writes down every call that it was given, seen from a test.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{HostBuilder, WITNESS};

/// What the `witness` driver has written down.
#[derive(Debug)]
pub struct Witness {
    folder: TempDir,
}

impl Witness {
    /// One that has seen nothing yet.
    pub fn new() -> Self {
        Witness {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    /// Where it is written.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("calls")
    }

    /// Adds the driver to a host.
    pub fn watch(&self, host: HostBuilder) -> HostBuilder {
        host.driver(WITNESS)
            .set("drivers.witness.config.file", self.path())
    }

    /// [`file`](Self::file) as a text.
    pub fn path(&self) -> String {
        self.file().to_str().expect("UTF-8").to_owned()
    }

    /// The arguments of a call that takes no time.
    pub fn arguments(token: &str) -> Value {
        json!({ "token": token })
    }

    /// The tokens of all calls that were begun, in that order.
    pub fn tokens(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.file()).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

impl Default for Witness {
    fn default() -> Self {
        Witness::new()
    }
}
