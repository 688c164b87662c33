//! The one thread that writes: it takes what is queued, runs it in one transaction, and answers after the commit.
//!
//! A caller hands in statements and what is to happen with their result once it is durable. Many callers share one commit, and so one wait for
//! the disk; statements that fail undo only themselves. The writer knows nothing of nodes: every kind of row in the
//! database is written through it.

use std::fmt::Display;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};

use super::error::StoreError;
use super::file::DatabaseFile;
use crate::metrics::{Counter, Histogram};

/// How many requests share one transaction.
const BATCH: usize = 1024;
/// How long an answer of [`Writer::probe`] holds.
const PROBE_HOLDS: Duration = Duration::from_secs(1);

/// What undoes the statements of a request that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undo {
    /// A savepoint of the request's own.
    Savepoint,
    /// The statement that fails undoes itself, and there is nothing else.
    Itself,
}

/// The way to the thread that writes.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::UnboundedSender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    probed: AsyncMutex<Option<(Instant, Result<(), StoreError>)>>,
    commits: Arc<Commits>,
}

/// What the thread that writes has done since the start.
#[derive(Debug, Default)]
pub struct Commits {
    /// How long each transaction took, from its begin to the disk's word that it is kept, or to its failure.
    pub times: Histogram,
    /// How many requests they held.
    pub requests: Counter,
    /// How many of them failed as a whole.
    pub failures: Counter,
}

impl Writer {
    pub(super) fn start(file: DatabaseFile) -> Result<Self, StoreError> {
        let path = file.path.clone();
        let (queue, requests) = mpsc::unbounded_channel();
        let commits = Arc::new(Commits::default());
        let own = commits.clone();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write_until_closed(file, requests, &own))
            .map_err(|error| StoreError::Open {
                path,
                cause: error.to_string(),
            })?;
        Ok(Writer {
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
            probed: AsyncMutex::new(None),
            commits,
        })
    }

    pub(super) fn commits(&self) -> &Commits {
        &self.commits
    }

    /// See [`Database::run`](super::Database::run) and [`Database::run_one`](super::Database::run_one).
    pub(super) fn run<T, E, S, P>(
        &self,
        undo: Undo,
        statements: S,
        publish: P,
    ) -> impl Future<Output = Result<T, E>> + Send + use<T, E, S, P>
    where
        T: Send + 'static,
        E: From<StoreError> + Display + Send + 'static,
        S: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        P: FnOnce(&T) + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Request {
            undo,
            statements: Some(statements),
            publish,
            result: None,
            answer,
        };
        // The queue needs no bound: whoever asks waits for the answer, and how many may ask is limited elsewhere.
        if let Some(queue) = &*self.queue.lock() {
            // Not taken: then it is dropped, and the answer with it.
            let _ = queue.send(Box::new(job));
        }
        async move { answered.await.unwrap_or_else(|_| Err(StoreError::Closed.into())) }
    }

    /// See [`Database::writable`](super::Database::writable).
    pub(super) async fn probe(&self) -> Result<(), StoreError> {
        let mut probed = self.probed.lock().await;
        if let Some((_, result)) = probed.as_ref().filter(|(at, _)| at.elapsed() < PROBE_HOLDS) {
            return result.clone();
        }
        let statements = |connection: &Connection| {
            let sql = "INSERT INTO probe (id, count) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET count = count + 1";
            connection.execute(sql, []).map(drop).map_err(StoreError::from)
        };
        let result = self.run(Undo::Itself, statements, |()| {}).await;
        *probed = Some((Instant::now(), result.clone()));
        result
    }

    /// Refuses further requests, and blocks until the queued ones are written and the log is folded into the database.
    pub(super) fn close(&self) {
        drop(self.queue.lock().take());
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes the database has panicked");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

/// One request, whatever its types.
trait Job: Send {
    fn undo(&self) -> Undo;
    /// Runs the statements. Says why if they are to be undone.
    fn run(&mut self, connection: &Connection) -> Result<(), String>;
    /// Publishes and answers.
    fn finish(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Request<T, E, S, P> {
    undo: Undo,
    statements: Option<S>,
    publish: P,
    result: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<T, E, S, P> Job for Request<T, E, S, P>
where
    T: Send,
    E: From<StoreError> + Display + Send,
    S: FnOnce(&Connection) -> Result<T, E> + Send,
    P: FnOnce(&T) + Send,
{
    fn undo(&self) -> Undo {
        self.undo
    }

    fn run(&mut self, connection: &Connection) -> Result<(), String> {
        self.result = self.statements.take().map(|statements| statements(connection));
        match &self.result {
            Some(Err(error)) => Err(error.to_string()),
            _ => Ok(()),
        }
    }

    fn finish(self: Box<Self>, committed: Result<(), StoreError>) {
        // After a failed commit even a refusal does not count: it may rest on what was undone.
        let result = match (committed, self.result) {
            (Err(error), _) => Err(error.into()),
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(StoreError::Closed.into()),
        };
        if let Ok(value) = &result {
            (self.publish)(value);
        }
        // A caller that has gone does not want the answer.
        drop(self.answer.send(result));
    }
}

fn write_until_closed(
    file: DatabaseFile,
    mut requests: mpsc::UnboundedReceiver<Box<dyn Job>>,
    commits: &Commits,
) {
    let mut batch = Vec::new();
    while requests.blocking_recv_many(&mut batch, BATCH) > 0 {
        let begun = Instant::now();
        let committed = file
            .opened
            .are_in_place()
            .and_then(|()| write(&file.connection, &mut batch));
        let committed = committed.map_err(|error| {
            commits.failures.count();
            // A transaction that has failed may be over already.
            if !file.connection.is_autocommit()
                && let Err(rollback) = file.connection.execute_batch("ROLLBACK")
            {
                tracing::error!(%rollback, "a failed transaction could not be rolled back");
            }
            tracing::error!(path = %file.path.display(), %error, requests = batch.len(), "the database could not be written");
            error
        });
        commits.times.observe(begun.elapsed());
        commits.requests.add(u64::try_from(batch.len()).unwrap_or(0));
        for job in batch.drain(..) {
            job.finish(committed.clone());
        }
    }
    file.close();
}

/// Runs a batch in one transaction.
fn write(connection: &Connection, batch: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    for job in batch {
        let savepoint = job.undo() == Undo::Savepoint;
        if savepoint {
            connection.prepare_cached("SAVEPOINT request")?.execute([])?;
        }
        if let Err(cause) = job.run(connection) {
            // Some failures, such as a full disk, end the whole transaction.
            if connection.is_autocommit() {
                return Err(StoreError::Undone { cause: cause.into() });
            }
            if savepoint {
                connection.prepare_cached("ROLLBACK TO request")?.execute([])?;
            }
        }
        if savepoint {
            connection.prepare_cached("RELEASE request")?.execute([])?;
        }
    }
    Ok(connection.execute_batch("COMMIT")?)
}
