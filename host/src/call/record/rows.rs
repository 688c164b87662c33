//! Records as rows: the SQL, and nothing else.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::fields::{Ending, Record, RecordState};
use crate::database::StoreError;
use crate::request_id::NotARequestId;

/// Adds a record, running or ended.
pub(super) fn insert(connection: &Connection, record: &Record) -> Result<(), StoreError> {
    let sql = "INSERT INTO calls (sequence, id, host, driver, method, node, request_id, started_at, state, finished_at, error)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    connection.prepare_cached(sql)?.execute(params![
        record.sequence,
        text(&record.id),
        record.host,
        record.driver,
        record.method,
        record.node.as_ref().map(text),
        record.request_id.to_string(),
        record.started_at,
        record.state().word(),
        record.ending.as_ref().map(|ending| ending.at),
        record.ending.as_ref().and_then(|ending| ending.error.as_deref()),
    ])?;
    Ok(())
}

/// Which part of a record an ending has become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// How the call has ended.
    Ending,
    /// What became of it after its deadline.
    LateOutcome,
    /// None: it has ended otherwise.
    Nothing,
}

/// Ends a record that is running, or adds the late outcome to one that has timed out.
pub(super) fn end(
    connection: &Connection,
    sequence: i64,
    ending: &Ending,
    result: Option<&[u8]>,
) -> Result<Part, StoreError> {
    let running = "UPDATE calls SET state = ?2, finished_at = ?3, error = ?4, result = ?5
                   WHERE sequence = ?1 AND state = 'running'";
    let timed_out =
        "UPDATE calls SET late_state = ?2, late_finished_at = ?3, late_error = ?4, late_result = ?5
                     WHERE sequence = ?1 AND state = 'timed_out' AND late_state IS NULL";
    let changes = |sql| {
        let result = result.map(|text| ToSqlOutput::Borrowed(ValueRef::Text(text)));
        let values = params![sequence, ending.state.word(), ending.at, ending.error, result];
        connection.prepare_cached(sql)?.execute(values)
    };
    if changes(running)? == 1 {
        return Ok(Part::Ending);
    }
    if ending.state != RecordState::TimedOut && changes(timed_out)? == 1 {
        return Ok(Part::LateOutcome);
    }
    Ok(Part::Nothing)
}

/// Notes that a client asked the call to stop.
pub(super) fn cancel(connection: &Connection, sequence: i64, at: i64) -> Result<(), StoreError> {
    let sql = "UPDATE calls SET cancel_requested_at = ?2 WHERE sequence = ?1";
    connection.prepare_cached(sql)?.execute(params![sequence, at])?;
    Ok(())
}

/// Marks what a host that died has left: nobody knows what became of it.
pub(super) fn interrupt_all(connection: &Connection, at: i64) -> Result<(), StoreError> {
    let late = "UPDATE calls SET late_state = 'interrupted', late_finished_at = ?1
                WHERE state = 'timed_out' AND late_state IS NULL";
    connection.execute(late, [at])?;
    let running = "UPDATE calls SET state = 'interrupted', finished_at = ?1 WHERE state = 'running'";
    connection.execute(running, [at])?;
    Ok(())
}

/// Deletes rows; `sequences` is sorted. Neighbours are deleted together.
pub(super) fn delete(connection: &Connection, sequences: &[i64]) -> Result<(), StoreError> {
    let mut delete = connection.prepare_cached("DELETE FROM calls WHERE sequence BETWEEN ?1 AND ?2")?;
    for run in sequences.chunk_by(|a, b| a + 1 == *b) {
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            delete.execute([first, last])?;
        }
    }
    Ok(())
}

/// What a record's method answered, in time and late: JSON.
pub(super) fn results(
    connection: &Connection,
    path: &Path,
    record: &Record,
) -> Result<(Option<String>, Option<String>), StoreError> {
    let sql = "SELECT result, late_result FROM calls WHERE sequence = ?1";
    let row = connection.query_row(sql, [record.sequence], |row| Ok((row.get(0)?, row.get(1)?)));
    row.map_err(|error| match error {
        rusqlite::Error::QueryReturnedNoRows => {
            StoreError::damaged(path, format!("call {} is not in it any more", record.id))
        }
        error => StoreError::unreadable(path, &error),
    })
}

/// Reads every record.
pub(super) fn read(connection: &Connection, path: &Path) -> Result<Vec<Record>, StoreError> {
    let sql = "SELECT sequence, id, host, driver, method, node, request_id, started_at, cancel_requested_at,
                      state, finished_at, error, late_state, late_finished_at, late_error
               FROM calls ORDER BY sequence";
    let failed = |error: rusqlite::Error| StoreError::unreadable(path, &error);
    let mut names = Names::default();
    let mut select = connection.prepare(sql).map_err(failed)?;
    let mut rows = select.query([]).map_err(failed)?;
    let mut records = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let record = read_one(row, &mut names).map_err(|cause| {
            let sequence: i64 = row.get(0).unwrap_or_default();
            StoreError::damaged(path, format!("call {sequence}: {cause}"))
        })?;
        records.push(record);
    }
    Ok(records)
}

/// A row that does not make a record.
#[derive(Debug, thiserror::Error)]
enum RowFault {
    #[error(transparent)]
    Column(#[from] rusqlite::Error),
    #[error("{0:?} is not a uuid")]
    Uuid(String),
    #[error("request_id: {0}")]
    RequestId(#[from] NotARequestId),
    #[error("{0:?} is not a state")]
    State(String),
}

/// Names that many rows share.
#[derive(Default)]
struct Names(HashSet<Arc<str>>);

impl Names {
    fn shared(&mut self, name: String) -> Arc<str> {
        if let Some(known) = self.0.get(&*name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        self.0.insert(Arc::clone(&name));
        name
    }
}

fn read_one(row: &Row<'_>, names: &mut Names) -> Result<Record, RowFault> {
    let node: Option<String> = row.get(5)?;
    Ok(Record {
        sequence: row.get(0)?,
        id: uuid(row.get(1)?)?,
        host: names.shared(row.get(2)?),
        driver: names.shared(row.get(3)?),
        method: names.shared(row.get(4)?),
        node: node.map(uuid).transpose()?,
        request_id: row.get::<_, String>(6)?.parse()?,
        started_at: row.get(7)?,
        cancel_requested_at: row.get(8)?,
        ending: ending(row.get(9)?, row.get(10)?, row.get(11)?)?,
        late_outcome: match row.get(12)? {
            Some(state) => ending(state, row.get(13)?, row.get(14)?)?,
            None => None,
        },
    })
}

fn ending(state: String, at: Option<i64>, error: Option<Box<str>>) -> Result<Option<Ending>, RowFault> {
    let state = RecordState::of(&state).ok_or(RowFault::State(state))?;
    Ok((state != RecordState::Running).then(|| Ending {
        state,
        at: at.unwrap_or_default(),
        error,
    }))
}

fn uuid(text: String) -> Result<Uuid, RowFault> {
    Uuid::parse_str(&text).map_err(|_| RowFault::Uuid(text))
}

fn text(uuid: &Uuid) -> String {
    uuid.hyphenated().to_string()
}
