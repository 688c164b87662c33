//! How many files the tests' own process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises this process's limit of open files to `files` at least.
///
/// # Panics
/// When the system does not allow it.
pub fn allow_open_files(files: u64) {
    let now = getrlimit(Resource::Nofile);
    if now.current.is_none_or(|soft| soft >= files) {
        return;
    }
    let raised = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(files),
            maximum: now.maximum,
        },
    );
    raised.unwrap_or_else(|error| {
        panic!(
            "the test needs {files} open files, the hard limit is {:?}: {error}",
            now.maximum
        )
    });
}
