//! A machine of the `moody` driver, from its device's side.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use suite::{HostProcess, MOODY, eventually};
use tempfile::TempDir;

use super::SOON;

pub(super) fn host() -> HostProcess {
    HostProcess::builder().driver(MOODY).start()
}

/// A node and its device.
pub(super) struct Machine {
    folder: TempDir,
}

impl Machine {
    /// Creates the node `name` with a device whose power is off.
    pub(super) fn new(host: &HostProcess, name: &str, mood: &str) -> Machine {
        let machine = Machine {
            folder: tempfile::tempdir().unwrap(),
        };
        machine.answers("power", "\"power off\"");
        let info = json!({ "device": machine.folder.path(), "mood": mood });
        let node = json!({"driver": "moody", "name": name, "driver_info": info});
        host.post("/v1/nodes", node).expect(201);
        machine
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Has the device answer this from now on.
    pub(super) fn answers(&self, what: &str, answer: &str) {
        let new = self.file("next");
        fs::write(&new, answer).unwrap();
        fs::rename(new, self.file(what)).unwrap();
    }

    /// What the device answers now.
    pub(super) fn says(&self, what: &str) -> String {
        fs::read_to_string(self.file(what)).unwrap_or_default()
    }

    /// Every call that has reached the driver, in order.
    pub(super) fn seen(&self) -> Vec<String> {
        self.says("seen").lines().map(str::to_owned).collect()
    }

    /// Waits until the driver has begun with a change.
    pub(super) fn until_told(&self) {
        eventually("the driver has begun with the change", SOON, || {
            let told = self.seen().iter().any(|line| line.starts_with("PUT power:set"));
            told.then_some(())
        });
    }

    /// Lets what waits go on.
    pub(super) fn open(&self) {
        fs::write(self.file("open"), "").unwrap();
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Whoever waits for the file looks a moment later, so the folder stays; it lies among the temporary files.
        self.folder.disable_cleanup(true);
        drop(fs::write(self.file("open"), ""));
    }
}
