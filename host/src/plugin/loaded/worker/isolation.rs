//! What the configuration lets a driver's processes be and do.

use std::time::Duration;

/// Whom a worker process runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerUser {
    /// The user's number.
    pub uid: u32,
    /// The number of the user's own group.
    pub gid: u32,
}

/// What a worker process may not exceed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confinement {
    /// Its memory, in bytes.
    pub memory_max_bytes: Option<u64>,
    /// Its open files.
    pub open_files_max: Option<u64>,
    /// Whom it runs as; without it the host's user.
    pub user: Option<WorkerUser>,
}

impl Confinement {
    /// As options of the command `worker`.
    pub(super) fn options(&self) -> impl Iterator<Item = (&'static str, u64)> {
        [
            ("--memory-max-bytes", self.memory_max_bytes),
            ("--open-files-max", self.open_files_max),
        ]
        .into_iter()
        .filter_map(|(option, value)| Some((option, value?)))
    }
}

/// How a driver runs in processes of its own.
#[derive(Debug, Clone)]
pub struct Isolation {
    /// How many processes.
    pub processes: u32,
    /// How many threads of each may be inside the driver.
    pub threads: u32,
    /// What each may not exceed.
    pub confinement: Confinement,
    /// How many deaths within `window` are too many.
    pub max_deaths: u32,
    /// See [`max_deaths`](Self::max_deaths).
    pub window: Duration,
    /// How long the driver may take to be created.
    pub create_timeout: Duration,
    /// How long after its deadline a call may keep its process.
    pub grace: Duration,
    /// The largest reply.
    pub max_reply_bytes: u64,
}
