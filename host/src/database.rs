//! The one database of this host: its file, its tables, and the thread that writes it.
//!
//! What the rows mean is known where they belong: nodes in [`crate::node::store`]. Every kind of row is changed through one
//! thread ([`Database::run`]), so that whatever comes at the same time shares one wait for the disk.

mod error;
mod file;
mod schema;
mod writer;

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;

use self::file::{DatabaseFile, OpenedFiles};
use self::writer::{Undo, Writer};

pub use self::error::StoreError;
pub use self::writer::Commits;

/// An open database, locked to this process.
///
/// Dropping it without [`close`](Database::close) loses nothing that was answered.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
    opened: Arc<OpenedFiles>,
    writer: Writer,
}

impl Database {
    /// Opens the database at `path`, or creates it, and starts its thread. Blocks; for the start of the host.
    ///
    /// # Errors
    /// Whatever keeps this host from owning a readable and writable database of its version: one line each, with what to do.
    pub fn open(path: &Path, host_name: &str) -> Result<Self, StoreError> {
        let file = DatabaseFile::open(path, host_name)?;
        Ok(Database {
            path: path.to_owned(),
            opened: file.opened.clone(),
            writer: Writer::start(file)?,
        })
    }

    /// Reads, on a connection that cannot write, what was committed before. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// Those of `read`, and a database that cannot be opened a second time, or is not the one any more that was opened first.
    pub fn read<T>(
        &self,
        read: impl FnOnce(&Connection, &Path) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.opened.are_in_place()?;
        let connection =
            file::reader(&self.path).map_err(|error| StoreError::unreadable(&self.path, &error))?;
        read(&connection, &self.path)
    }

    /// Queues `statements` at once, to run inside a transaction, and `publish` with their result when that is on the disk; both on the
    /// writing thread, in the order of all requests. The future waits for that; dropping it changes nothing.
    ///
    /// `statements` must not begin or end transactions. What they return as an error undoes them alone.
    ///
    /// # Errors
    /// Those of `statements`; [`StoreError::Write`] if the transaction failed, and [`StoreError::Closed`].
    pub fn run<T, E, S, P>(
        &self,
        statements: S,
        publish: P,
    ) -> impl Future<Output = Result<T, E>> + Send + use<T, E, S, P>
    where
        T: Send + 'static,
        E: From<StoreError> + Display + Send + 'static,
        S: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        P: FnOnce(&T) + Send + 'static,
    {
        self.writer.run(Undo::Savepoint, statements, publish)
    }

    /// As [`run`](Self::run), for statements of which at most one changes rows: SQLite undoes a statement that fails, so nothing else has to.
    /// Calls are recorded this way, because what `run` does for the others costs them a tenth of their time.
    ///
    /// # Errors
    /// As of `run`. What was changed before an error stays.
    pub fn run_one<T, E, S, P>(
        &self,
        statement: S,
        publish: P,
    ) -> impl Future<Output = Result<T, E>> + Send + use<T, E, S, P>
    where
        T: Send + 'static,
        E: From<StoreError> + Display + Send + 'static,
        S: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        P: FnOnce(&T) + Send + 'static,
    {
        self.writer.run(Undo::Itself, statement, publish)
    }

    /// Whether a change could be kept just now: makes one, at most once a second.
    ///
    /// # Errors
    /// Why not.
    pub async fn writable(&self) -> Result<(), StoreError> {
        self.writer.probe().await
    }

    /// What was written since the start, and how long that took.
    pub fn commits(&self) -> &Commits {
        self.writer.commits()
    }

    /// Writes what is queued, folds the log into the database and lets another host have it. Blocks until that is done. Later
    /// changes are refused.
    pub fn close(&self) {
        self.writer.close();
    }
}

#[cfg(test)]
mod tests;
