//! What is wrong with `enabled_drivers`, one line each: file, expected, found, what to do.

use std::path::{Path, PathBuf};

/// Why a start is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// Nothing is enabled.
    #[error(
        "enabled_drivers is empty: expected at least one driver{}",
        hint(" (plugin_dir has ", available, ")")
    )]
    NoDriversEnabled {
        /// Some names that would do.
        available: Vec<String>,
    },
    /// No file has the name.
    #[error(
        "driver '{name}' is enabled but missing: expected a driver of this name in '{}', found none in {files} .so file{}; \
         put its file there or take it out of enabled_drivers{}",
        plugin_dir.display(), if *files == 1 { "" } else { "s" }, hint("; did you mean ", similar, "?")
    )]
    Missing {
        /// The name in `enabled_drivers`.
        name: String,
        /// Where it was looked for.
        plugin_dir: PathBuf,
        /// How many `.so` files are there.
        files: usize,
        /// Names that look like it.
        similar: Vec<String>,
    },
    /// The file with the name cannot be a driver here.
    #[error("driver '{name}' is enabled but '{}' is refused ({code}): {reason}; {remedy}", file.display())]
    Refused {
        /// The name in `enabled_drivers`.
        name: String,
        /// The file that claims it, or is called like it.
        file: PathBuf,
        /// The verdict's code.
        code: &'static str,
        /// The verdict's sentence.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// Several files have the name, so none is loaded.
    #[error(
        "driver '{name}' is enabled but ambiguous: expected one file, found {}; leave one of them in plugin_dir",
        quoted(files.iter().map(PathBuf::as_path))
    )]
    Duplicate {
        /// The name in `enabled_drivers`.
        name: String,
        /// All of them.
        files: Vec<PathBuf>,
    },
}

impl SelectError {
    pub(super) fn no_drivers_enabled(mut available: Vec<String>) -> Self {
        available.sort_unstable();
        available.truncate(10);
        SelectError::NoDriversEnabled { available }
    }
}

/// What does not forbid a start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectWarning {
    /// A name stands in the list more than once.
    #[error("enabled_drivers names '{name}' more than once; it is loaded once")]
    Repeated {
        /// The name.
        name: String,
    },
}

fn hint(before: &str, names: &[String], after: &str) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!("{before}{}{after}", names.join(", "))
    }
}

/// The files, or the first few of them and how many more there are.
pub(super) fn quoted<'a>(files: impl Iterator<Item = &'a Path>) -> String {
    let mut files = files.peekable();
    let mut text: Vec<_> = files
        .by_ref()
        .take(QUOTED_FILES)
        .map(|file| format!("'{}'", file.display()))
        .collect();
    if files.peek().is_some() {
        text.push(format!("{} more", files.count()));
    }
    text.join(" and ")
}

/// One line has room for so many paths.
const QUOTED_FILES: usize = 3;
