//! A gate: what the `slow` driver's calls wait for when a test, not a clock, is to say how long they take.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

/// Closed until [`open`](Gate::open)ed, or dropped.
#[derive(Debug)]
pub struct Gate {
    folder: TempDir,
}

impl Gate {
    /// A closed gate.
    pub fn closed() -> Self {
        Gate {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("open")
    }

    /// The arguments of a call that takes until the gate opens.
    pub fn arguments(&self) -> Value {
        json!({ "until": self.file() })
    }

    /// Lets every call through that waits here, and every later one.
    pub fn open(&self) {
        std::fs::write(self.file(), "").expect("a file in a folder of this test");
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
        // The calls look for the file a moment later, so the folder stays; it lies among the temporary files.
        self.folder.disable_cleanup(true);
    }
}
