//! The database's file: who may open it, and that it is ours.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustix::fs::{FlockOperation, flock};

use super::error::StoreError;
use super::schema;

/// How every SQLite database begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// An open database of this host, locked to this process.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    /// Locked as long as it is open. Dropped last.
    _lock: File,
}

impl DatabaseFile {
    pub(super) fn open(path: &Path, host_name: &str) -> Result<Self, StoreError> {
        let file = create(path)?;
        let lock = lock(path, host_name)?;
        inspect(path, file)?;
        let connection = connect(path).map_err(|error| fault(path, &error))?;
        schema::migrate(&connection, path, schema::MIGRATIONS)?;
        Ok(DatabaseFile {
            connection,
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Folds the log into the database.
    pub(super) fn close(self) {
        let folded = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = folded.and_then(|()| self.connection.close().map_err(|(_, error)| error)) {
            // Nothing is lost: the next start reads the log.
            tracing::warn!(path = %self.path.display(), %error, "the database's log could not be folded in");
        }
    }
}

/// Locks `PATH.lock` and writes into it who we are. Not the database itself: SQLite uses other locks of that file, which the system
/// drops when anybody in this process closes it.
fn lock(path: &Path, host_name: &str) -> Result<File, StoreError> {
    let refused = |error: io::Error| refused(path, &error);
    // However the database is reached, its lock is one.
    let mut name = path.canonicalize().map_err(refused)?.into_os_string();
    name.push(".lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(PathBuf::from(name))
        .map_err(refused)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut owner = String::new();
            if file.read_to_string(&mut owner).is_err() || owner.trim().is_empty() {
                owner = "another process".to_owned();
            }
            return Err(StoreError::InUse {
                path: path.to_owned(),
                owner: owner.trim().to_owned(),
            });
        }
        Err(error) => return Err(refused(error.into())),
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "host {host_name:?}, process {}", std::process::id()))
        .map_err(refused)?;
    Ok(file)
}

/// Opens the file, or creates it; nobody else may read it, because it holds the passwords of every device.
fn create(path: &Path) -> Result<File, StoreError> {
    let open = || {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            file.set_permissions(Permissions::from_mode(0o600))?;
        }
        Ok(file)
    };
    open().map_err(|error| refused(path, &error))
}

/// Looks whether the file is empty or a database.
fn inspect(path: &Path, file: File) -> Result<(), StoreError> {
    let mut start = Vec::new();
    file.take(MAGIC.len() as u64)
        .read_to_end(&mut start)
        .map_err(|error| refused(path, &error))?;
    if start.is_empty() || start == MAGIC {
        return Ok(());
    }
    Err(StoreError::Foreign {
        path: path.to_owned(),
        expected: "an SQLite database",
        found: format!("a file that begins with \"{}\"", start.escape_ascii()),
    })
}

fn refused(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Open {
        path: path.to_owned(),
        cause: error.to_string(),
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    // An operator who looks into the database with a tool must not fail our writes.
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(connection)
}

/// Says what an error means for an operator.
pub(super) fn fault(path: &Path, error: &rusqlite::Error) -> StoreError {
    let (path, cause) = (path.to_owned(), error.to_string());
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StoreError::Foreign {
            path,
            expected: "an SQLite database",
            found: "something else".to_owned(),
        },
        Some(
            ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::DiskFull
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::SystemIoFailure
            | ErrorCode::FileLockingProtocolFailed,
        ) => StoreError::Open { path, cause },
        _ => StoreError::Damaged { path, cause },
    }
}
