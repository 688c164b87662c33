//! The tables, and how older ones become the present ones.

use std::path::Path;

use rusqlite::Connection;

use super::error::StoreError;
use super::file::fault;

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
];

/// Brings the database to the newest version, one transaction per step.
pub(super) fn migrate(connection: &Connection, path: &Path, steps: &[&str]) -> Result<(), StoreError> {
    let number = |pragma: &str| -> Result<i64, StoreError> {
        connection
            .pragma_query_value(None, pragma, |row| row.get(0))
            .map_err(|error| fault(path, &error))
    };
    let foreign = |found: String| StoreError::Foreign {
        path: path.to_owned(),
        expected: "an empty file or a database that a host has written",
        found,
    };
    let (application, found) = (number("application_id")?, number("user_version")?);
    if application != APPLICATION_ID {
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(|error| fault(path, &error))?;
        if application != 0 || found != 0 || tables != 0 {
            return Err(foreign(format!(
                "the SQLite database of another program, with {tables} tables and indexes"
            )));
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
            .map_err(|error| fault(path, &error))?;
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
