//! The database's file: who may open it, and that it is ours.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, flock};

use super::error::StoreError;
use super::schema;

/// How every SQLite database begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// As much of a database as says whose it is: its header of 100 bytes, and where its list of tables begins.
pub(super) const HEAD: usize = 105;
/// What is found where [`schema`] has never been.
pub(super) const ANOTHER_PROGRAM: &str = "the SQLite database of another program";

/// How long a connection waits for another: an operator who looks into the database with a tool must not fail our writes.
const PATIENCE: Duration = Duration::from_secs(5);

/// An open database of this host, locked to this process.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    pub(super) opened: Arc<OpenedFiles>,
    /// Locked as long as it is open. Dropped last.
    _lock: File,
}

/// The database and its log by name, each with the file that SQLite has open under it.
#[derive(Debug)]
pub(super) struct OpenedFiles([(PathBuf, Identity); 2]);

/// Device and inode.
type Identity = (u64, u64);

impl DatabaseFile {
    pub(super) fn open(path: &Path, host_name: &str) -> Result<Self, StoreError> {
        // Until it is known to be ours, nothing is done to the file, and nothing put beside it.
        inspect(path, &create(path)?)?;
        let lock = lock(path, host_name)?;
        // Before the lock was ours, it may have become another file.
        let file = create(path)?;
        inspect(path, &file)?;
        make_private(path, &file)?;
        // SQLite's own locks of it would go with this one.
        drop(file);
        let connection = connect(path).map_err(|error| StoreError::unreadable(path, &error))?;
        schema::migrate(&connection, path, schema::MIGRATIONS)?;
        // It has been read, so SQLite has opened its log too.
        let log = beside(path, "-wal").map_err(|error| refused(path, &error))?;
        let opened = |name: PathBuf| match identity(&name) {
            Ok(identity) => Ok((name, identity)),
            Err(error) => Err(refused(&name, &error)),
        };
        Ok(DatabaseFile {
            connection,
            path: path.to_owned(),
            opened: Arc::new(OpenedFiles([opened(path.to_owned())?, opened(log)?])),
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

impl OpenedFiles {
    /// Whether they are still in place: then what is written now will be found by the next start, and who opens the database anew reads what was
    /// written. SQLite goes on writing into files that nobody can open any more.
    pub(super) fn are_in_place(&self) -> Result<(), StoreError> {
        for (name, opened) in &self.0 {
            let found = match identity(name) {
                Ok(found) if found == *opened => continue,
                Ok(_) => "another file is there".to_owned(),
                Err(error) => error.to_string(),
            };
            return Err(StoreError::Moved {
                path: name.clone(),
                found: found.into(),
            });
        }
        Ok(())
    }
}

/// Locks `PATH.lock` and writes into it who we are. Not the database itself: SQLite uses other locks of that file, which the system
/// drops when anybody in this process closes it.
fn lock(path: &Path, host_name: &str) -> Result<File, StoreError> {
    let refused = |error: io::Error| refused(path, &error);
    let name = beside(path, ".lock").map_err(refused)?;
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(name)
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

/// What stands beside the database: however it is reached, that is one file.
fn beside(path: &Path, ending: &str) -> io::Result<PathBuf> {
    let mut name = path.canonicalize()?.into_os_string();
    name.push(ending);
    Ok(name.into())
}

fn identity(name: &Path) -> io::Result<Identity> {
    name.metadata().map(|file| (file.dev(), file.ino()))
}

/// Opens the file, or creates it. One that is there stays as it is.
fn create(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|error| refused(path, &error))
}

/// Nobody else may read the database, because it holds the passwords of every device.
fn make_private(path: &Path, file: &File) -> Result<(), StoreError> {
    let make_private = || {
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            file.set_permissions(Permissions::from_mode(0o600))?;
        }
        Ok(())
    };
    make_private().map_err(|error| refused(path, &error))
}

/// Looks whether the file is empty or a database of a host. It is only read: SQLite would put files beside it.
fn inspect(path: &Path, file: &File) -> Result<(), StoreError> {
    let metadata = file.metadata().map_err(|error| refused(path, &error))?;
    if !metadata.is_file() {
        return Err(StoreError::foreign(path, "a device or a pipe"));
    }
    let mut head = Vec::with_capacity(HEAD);
    file.take(HEAD as u64)
        .read_to_end(&mut head)
        .map_err(|error| refused(path, &error))?;
    if head.is_empty() {
        return Ok(());
    }
    let start = &head[..head.len().min(MAGIC.len())];
    if start != MAGIC {
        let found = format!("a file that begins with \"{}\"", start.escape_ascii());
        return Err(StoreError::foreign(path, found));
    }
    match <&[u8; HEAD]>::try_from(&*head) {
        Ok(head) if schema::may_be_ours(head) => Ok(()),
        Ok(_) => Err(StoreError::foreign(path, ANOTHER_PROGRAM)),
        Err(_) => {
            let found = format!("the first {} bytes of an SQLite database", head.len());
            Err(StoreError::foreign(path, found))
        }
    }
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
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(connection)
}

/// Another connection, which cannot write.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}
