//! What `host list-available` and `host inspect` say about a folder of foreign files, without running any of them.

use std::path::{Path, PathBuf};

use serde_json::Value;
use suite::{CommandOutput, Library, host_command};

mod damaged;
mod inspect;
mod output;
mod verdicts;

const PLAIN: Library = Library::of_fixtures("plain", "plain-driver");

/// A `plugin_dir` of a test's own.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, name: &str, library: Library) -> PathBuf {
        let file = self.path().join(name);
        std::fs::copy(library.path(), &file).unwrap();
        file
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path().join(name), bytes).unwrap();
    }

    fn list(&self, arguments: &[&str]) -> CommandOutput {
        let dir = self.path().to_str().unwrap();
        host_command(&[&["list-available", "--plugin-dir", dir], arguments].concat()).succeeded()
    }

    fn inspect(&self, arguments: &[&str]) -> CommandOutput {
        let dir = self.path().to_str().unwrap();
        host_command(&[&["inspect", "--plugin-dir", dir], arguments].concat())
    }

    /// The verdict of one file.
    fn verdict(&self, name: &str) -> Value {
        let list = self.list(&["--all", "--json"]).json();
        let is_it = |verdict: &&Value| verdict["file"].as_str().unwrap().ends_with(&format!("/{name}"));
        list.as_array()
            .unwrap()
            .iter()
            .find(is_it)
            .unwrap_or_else(|| panic!("no {name} in {list}"))
            .clone()
    }
}

/// The library's bytes with one text of the manifest replaced by another of the same length.
pub(crate) fn edited(library: Library, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = std::fs::read(library.path()).unwrap();
    let at = bytes
        .windows(from.len())
        .position(|window| window == from.as_bytes())
        .expect("the text to replace");
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    bytes
}
