//! The limit of async calls: an axum server that makes a row durable before its 202, and does nothing else.
//!
//! One thread commits what has queued up in one transaction, with the host's settings of SQLite: WAL, synchronous FULL. Each
//! call is one INSERT, for which its 202 waits, and one UPDATE, for which nobody does.

#![forbid(unsafe_code)]

use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::any;
use bench::routed;
use bytes::Bytes;
use jiff::Timestamp;
use rusqlite::{Connection, params};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// As in the host: how much may be queued, and how much shares one transaction.
const QUEUE: usize = 4096;
const BATCH: usize = 1024;

const TABLE: &str = "CREATE TABLE calls (
    id BLOB PRIMARY KEY, host TEXT NOT NULL, node BLOB, driver TEXT NOT NULL, method TEXT NOT NULL,
    request_id TEXT NOT NULL, state INTEGER NOT NULL, created_at INTEGER NOT NULL, finished_at INTEGER, result BLOB
) STRICT, WITHOUT ROWID";
const BEGIN: &str = "INSERT INTO calls (id, host, node, driver, method, request_id, state, created_at)
    VALUES (?1, 'bench', NULL, 'bench', 'ignore', ?2, 0, ?3)";
const END: &str = "UPDATE calls SET state = 1, finished_at = ?2, result = ?3 WHERE id = ?1";

enum Row {
    Begin {
        id: Uuid,
        request_id: String,
        durable: oneshot::Sender<()>,
    },
    End {
        id: Uuid,
    },
}

fn main() -> std::io::Result<()> {
    bench::run(async |bare| {
        let file = bare.database.ok_or(std::io::ErrorKind::InvalidInput)?;
        let connection = open(&file).map_err(std::io::Error::other)?;
        let (queue, rows) = mpsc::channel(QUEUE);
        std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || write(&connection, rows))?;
        let router = Router::new()
            .route(routed::DRIVER_METHOD, any(call))
            .with_state(queue);
        routed::serve(router).await
    })
}

async fn call(State(queue): State<mpsc::Sender<Row>>, body: Bytes) -> Response {
    if !bench::is_fine(&body) {
        return routed::refused();
    }
    let (id, (durable, answered)) = (Uuid::now_v7(), oneshot::channel());
    let request_id = format!("req-{}", Uuid::new_v4().hyphenated());
    let begin = Row::Begin {
        id,
        request_id,
        durable,
    };
    if queue.send(begin).await.is_err() || answered.await.is_err() {
        return routed::refused();
    }
    tokio::spawn(async move { queue.send(Row::End { id }).await });
    routed::accepted()
}

fn open(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.execute_batch(TABLE)?;
    Ok(connection)
}

/// A transaction that fails ends the thread, and with it every later call: the run shows it as errors.
fn write(connection: &Connection, mut rows: mpsc::Receiver<Row>) -> rusqlite::Result<()> {
    let mut batch = Vec::new();
    while rows.blocking_recv_many(&mut batch, BATCH) > 0 {
        let now = Timestamp::now().as_microsecond();
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut begun = Vec::new();
        for row in batch.drain(..) {
            match row {
                Row::Begin {
                    id,
                    request_id,
                    durable,
                } => {
                    let mut insert = connection.prepare_cached(BEGIN)?;
                    insert.execute(params![id.as_bytes(), request_id, now])?;
                    begun.push(durable);
                }
                Row::End { id } => {
                    let mut update = connection.prepare_cached(END)?;
                    update.execute(params![id.as_bytes(), now, b"null"])?;
                }
            }
        }
        connection.execute_batch("COMMIT")?;
        for durable in begun {
            // A client that has gone does not want its answer.
            let _ = durable.send(());
        }
    }
    Ok(())
}
