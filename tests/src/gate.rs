//! A gate: what the `slow` driver's calls wait for when a test, not a clock, is to say how long they take.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::eventually;

/// How long calls may take to come to a gate. Generous: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

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

    /// The file that calls wait for, for drivers that are told in another way than by arguments.
    pub fn path(&self) -> String {
        self.file().to_str().expect("a path in UTF-8").to_owned()
    }

    /// How many calls have come to it so far: the driver has begun with each of them.
    pub fn reached(&self) -> usize {
        std::fs::read(self.file().with_extension("reached")).map_or(0, |marks| marks.len())
    }

    /// Waits until `calls` have come to it.
    pub fn wait_for(&self, calls: usize) {
        eventually(&format!("{calls} calls are at the gate"), PATIENCE, || {
            (self.reached() >= calls).then_some(())
        });
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
