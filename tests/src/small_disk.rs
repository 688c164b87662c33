//! A disk of its own, small enough to be filled. Mounting it takes root, or sudo.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A mounted disk of one mebibyte. Dropping it takes it away.
#[derive(Debug)]
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// An empty one.
    pub fn new() -> Self {
        let disk = SmallDisk {
            folder: tempfile::tempdir().expect("a folder"),
        };
        disk.run(&["mount", "-t", "tmpfs", "-o", "size=1m,mode=0777", "tmpfs"]);
        disk
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    /// Takes all the room that is left.
    pub fn fill(&self) {
        let mut filler = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.filler())
            .expect("a file");
        for piece in [4096, 1] {
            while filler.write_all(&vec![0; piece]).is_ok() {}
        }
    }

    /// Gives the room back.
    pub fn free(&self) {
        File::create(self.filler()).expect("the file is emptied");
    }

    /// Makes it read-only, or writable again. The system refuses that while a file is open for writing.
    pub fn set_read_only(&self, read_only: bool) {
        let mode = if read_only { "remount,ro" } else { "remount,rw" };
        self.run(&["mount", "-o", mode]);
    }

    fn run(&self, words: &[&str]) {
        let mut words = words.to_vec();
        if !rustix::process::geteuid().is_root() {
            words.insert(0, "sudo");
        }
        let output = Command::new(words[0])
            .args(&words[1..])
            .arg(self.path())
            .output()
            .expect("a program");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {errors}");
    }
}

impl Default for SmallDisk {
    fn default() -> Self {
        SmallDisk::new()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: after a panic a host may still have files open there.
        let unmounted =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.run(&["umount", "-l"])));
        assert!(unmounted.is_ok() || std::thread::panicking());
    }
}
