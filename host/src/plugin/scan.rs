//! Step 1 of flow one: which files could be drivers. Opens none of them.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::manifest::{self, ReadFile};

/// An entry of `plugin_dir` whose name ends in `.so`. Nothing else is known of it: it may be a folder, a link to
/// nowhere or a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    path: PathBuf,
}

impl FoundFile {
    /// A file that was named by a person rather than found by [`scan`].
    pub fn named(path: impl Into<PathBuf>) -> Self {
        FoundFile { path: path.into() }
    }

    /// Where it is: `plugin_dir`, as it was given, and the file's name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next step: see [`manifest::read`].
    pub fn read(self) -> ReadFile {
        manifest::read(self)
    }
}

/// Why `plugin_dir` cannot be listed.
#[derive(Debug, thiserror::Error)]
#[error("plugin_dir '{}' cannot be listed: {source}; expected a folder with driver files that this user may read", dir.display())]
pub struct ScanError {
    /// The folder.
    pub dir: PathBuf,
    /// What the system answered.
    pub source: io::Error,
}

/// The `.so` entries of `plugin_dir`, sorted by name. Folders in it are not entered.
///
/// # Errors
/// When the folder is missing, is no folder, or may not be read.
pub fn scan(plugin_dir: &Path) -> Result<Vec<FoundFile>, ScanError> {
    let failed = |source| ScanError {
        dir: plugin_dir.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in plugin_dir.read_dir().map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension() == Some(OsStr::new("so")) {
            files.push(FoundFile { path });
        }
    }
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_ending_in_so_are_found_in_the_order_of_their_names() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.so", "a.so", "c.so.1", "c.txt", ".so", "so"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        std::fs::create_dir(dir.path().join("folder.so")).unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("link.so")).unwrap();
        let names: Vec<_> = scan(dir.path())
            .unwrap()
            .iter()
            .map(|file| file.path().file_name().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["a.so", "b.so", "folder.so", "link.so"]);
    }

    #[test]
    fn a_missing_folder_is_one_line_with_its_path() {
        let error = scan(Path::new("/nowhere/drivers")).unwrap_err().to_string();
        assert!(error.contains("plugin_dir '/nowhere/drivers'"), "{error}");
        assert!(error.contains("No such file or directory"), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }

    #[test]
    fn a_file_in_place_of_the_folder_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = scan(file.path()).unwrap_err().to_string();
        assert!(error.contains("expected a folder"), "{error}");
    }
}
