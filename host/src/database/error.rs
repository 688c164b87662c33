//! What can go wrong between this host and its database.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;

/// The database cannot be used. One line each: where, what was expected, what was found, what to do.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The folder or a file in it cannot be written or created.
    #[error("cannot open the database {}: {cause}; the host needs a folder that it may write to", path.display())]
    Open {
        /// The database.
        path: PathBuf,
        /// The system's words.
        cause: String,
    },
    /// Another process has it.
    #[error("the database {} is in use by {owner}; stop that host, or give this one a database.path of its own", path.display())]
    InUse {
        /// The database.
        path: PathBuf,
        /// What the other host wrote about itself.
        owner: String,
    },
    /// Some other file.
    #[error("{} is not a database of this host: expected an empty file or a database that a host has written, found {found}; move it away, or set another database.path", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is there.
        found: String,
    },
    /// Written by a newer host.
    #[error(
        "the database {} has schema version {found}, this host knows versions up to {expected}; \
         start the newer host again, or restore the copy from before the upgrade", path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// The newest version that this host knows.
        expected: i64,
        /// The version of the file.
        found: i64,
    },
    /// Its content does not make sense.
    #[error("the database {} is damaged: {cause}; restore a copy, or move it away to begin with none", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What was found.
        cause: String,
    },
    /// A change could not be made durable; it was not made.
    #[error("the database cannot be written: {cause}")]
    Write {
        /// SQLite's words.
        cause: Arc<str>,
    },
    /// The database, or its log, is no longer the file that was opened. Nothing is written until it is again.
    #[error(
        "the database cannot be used: {} was removed or replaced while the host had it open ({found}); \
         put the same file back, or restart the host to go on with what is there now", path.display()
    )]
    Moved {
        /// The database or its log.
        path: PathBuf,
        /// What is there now.
        found: Arc<str>,
    },
    /// The change shared a transaction with one that failed so badly that SQLite undid all of it, as on a full disk.
    #[error("{cause}; the whole transaction was undone")]
    Undone {
        /// What failed.
        cause: Arc<str>,
    },
    /// The store was closed, because the host is shutting down.
    #[error("the store is closed: the host is shutting down")]
    Closed,
}

impl StoreError {
    /// What an error that SQLite had with the database at `path` means for an operator.
    pub fn unreadable(path: &Path, error: &rusqlite::Error) -> Self {
        let cause = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => StoreError::foreign(path, "something else"),
            Some(
                ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::DiskFull
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::SystemIoFailure
                | ErrorCode::FileLockingProtocolFailed,
            ) => StoreError::Open {
                path: path.to_owned(),
                cause,
            },
            _ => StoreError::damaged(path, cause),
        }
    }

    /// Its content does not make sense.
    pub fn damaged(path: &Path, cause: impl Into<String>) -> Self {
        StoreError::Damaged {
            path: path.to_owned(),
            cause: cause.into(),
        }
    }

    pub(super) fn foreign(path: &Path, found: impl Into<String>) -> Self {
        StoreError::Foreign {
            path: path.to_owned(),
            found: found.into(),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        StoreError::Write {
            cause: error.to_string().into(),
        }
    }
}
