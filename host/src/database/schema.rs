//! The tables, and how older ones become the present ones.

use std::path::Path;

use rusqlite::Connection;

use super::error::StoreError;
use super::file::{ANOTHER_PROGRAM, HEAD};

/// Marks a database as one of this host: "bmnd" in ASCII.
const APPLICATION_ID: i64 = 0x626d_6e64;

/// One step per schema version; a step that was released is never changed again.
pub(super) const MIGRATIONS: &[&str] = &[
    // Times are microseconds since 1970, objects are compact JSON, truth is 0 or 1.
    "CREATE TABLE nodes (
        sequence           INTEGER PRIMARY KEY AUTOINCREMENT,
        uuid               TEXT NOT NULL UNIQUE,
        revision           INTEGER NOT NULL,
        created_at         INTEGER NOT NULL,
        updated_at         INTEGER,
        name               TEXT UNIQUE,
        driver             TEXT NOT NULL,
        driver_info        TEXT NOT NULL,
        properties         TEXT NOT NULL,
        extra              TEXT NOT NULL,
        maintenance        INTEGER NOT NULL,
        protected          INTEGER NOT NULL,
        retired            INTEGER NOT NULL,
        automated_clean    INTEGER,
        instance_info      TEXT NOT NULL,
        network_data       TEXT NOT NULL,
        instance_uuid      TEXT UNIQUE,
        chassis_uuid       TEXT,
        resource_class     TEXT,
        owner              TEXT,
        lessee             TEXT,
        description        TEXT,
        maintenance_reason TEXT,
        protected_reason   TEXT,
        retired_reason     TEXT,
        last_error         TEXT
    ) STRICT;
    CREATE TABLE secret_properties (
        driver TEXT NOT NULL,
        name   TEXT NOT NULL,
        PRIMARY KEY (driver, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE probe (id INTEGER PRIMARY KEY CHECK (id = 1), count INTEGER NOT NULL) STRICT;",
    // Found by `sequence` alone: every other look is one into the index in memory.
    "CREATE TABLE calls (
        sequence            INTEGER PRIMARY KEY,
        id                  TEXT NOT NULL,
        host                TEXT NOT NULL,
        driver              TEXT NOT NULL,
        method              TEXT NOT NULL,
        node                TEXT,
        request_id          TEXT NOT NULL,
        started_at          INTEGER NOT NULL,
        cancel_requested_at INTEGER,
        state               TEXT NOT NULL,
        finished_at         INTEGER,
        error               TEXT,
        result              TEXT,
        late_state          TEXT,
        late_finished_at    INTEGER,
        late_error          TEXT,
        late_result         TEXT
    ) STRICT;",
    // Ironic's words for power states.
    "ALTER TABLE nodes ADD COLUMN power_state TEXT;
    ALTER TABLE nodes ADD COLUMN target_power_state TEXT;",
];

/// Whether a database that begins with `head` can be one of a host: it says so, or it says nothing and lists no tables. The places are those of
/// SQLite's file format. What a database has only in its log is not seen here, but by [`migrate`].
pub(super) fn may_be_ours(head: &[u8; HEAD]) -> bool {
    let number = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let (version, application) = (number(60), number(68));
    // The list of tables is one page, a leaf, with no entries.
    let no_tables = head[100] == 13 && head[103..105] == [0, 0];
    i64::from(application) == APPLICATION_ID || (application == 0 && version == 0 && no_tables)
}

/// Brings the database to the newest version, one transaction per step.
pub(super) fn migrate(connection: &Connection, path: &Path, steps: &[&str]) -> Result<(), StoreError> {
    let number = |pragma: &str| -> Result<i64, StoreError> {
        connection
            .pragma_query_value(None, pragma, |row| row.get(0))
            .map_err(|error| StoreError::unreadable(path, &error))
    };
    let (application, found) = (number("application_id")?, number("user_version")?);
    if application != APPLICATION_ID {
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(|error| StoreError::unreadable(path, &error))?;
        if application != 0 || found != 0 || tables != 0 {
            return Err(StoreError::foreign(path, ANOTHER_PROGRAM));
        }
    }
    let expected = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    if found > expected {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            expected,
            found,
        });
    }
    for (version, step) in (1_i64..).zip(steps).filter(|(version, _)| *version > found) {
        let marks = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version};");
        // A connection that is dropped inside a transaction rolls it back.
        connection
            .execute_batch(&format!("BEGIN IMMEDIATE; {step} {marks} COMMIT;"))
            .map_err(|error| StoreError::unreadable(path, &error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(connection: &Connection) -> i64 {
        connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap()
    }

    const STEPS: [&str; 2] = [
        "CREATE TABLE t (a TEXT);",
        "ALTER TABLE t ADD COLUMN b INTEGER NOT NULL DEFAULT 7;",
    ];

    #[test]
    fn an_older_database_keeps_its_rows_and_gets_the_missing_steps() {
        let (connection, path) = (Connection::open_in_memory().unwrap(), Path::new("x.db"));
        migrate(&connection, path, &STEPS[..1]).unwrap();
        connection.execute("INSERT INTO t VALUES ('kept')", []).unwrap();
        migrate(&connection, path, &STEPS).unwrap();
        let row: (String, i64) = connection
            .query_row("SELECT a, b FROM t", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!((row, version(&connection)), (("kept".to_owned(), 7), 2));
        migrate(&connection, path, &STEPS).unwrap();
    }

    #[test]
    fn a_step_that_fails_changes_nothing() {
        let (connection, path) = (Connection::open_in_memory().unwrap(), Path::new("x.db"));
        migrate(&connection, path, &STEPS[..1]).unwrap();
        let broken = ["", "CREATE TABLE u (a TEXT); CREATE TABLE t (a TEXT);"];
        let error = migrate(&connection, path, &broken).unwrap_err();
        assert!(error.to_string().contains("already exists"), "{error}");
        connection.execute_batch("ROLLBACK").unwrap();
        assert_eq!(version(&connection), 1);
        connection
            .query_row("SELECT count(*) FROM u", [], |_| Ok(()))
            .unwrap_err();
    }
}
