//! The records of calls whose client does not wait for the answer: durable before the driver starts, and kept for a while.
//!
//! Reads come from an index in memory, which holds what is on the disk and nothing else. Only the result of one record, which
//! may be large, is read from the database.

mod fields;
mod index;
mod open;
mod rows;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};
use rusqlite::Connection;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use self::index::Index;
use self::rows::Part;
use super::in_flight::RunningCall;
use crate::config;
use crate::database::{Database, StoreError};
use crate::plugin::loaded::CallState;

pub use self::fields::{Ending, Record, RecordState, time};
pub use self::open::OpenRecord;

/// How often old records are looked for, and how long an ending that could not be written waits for another attempt.
const PAUSE: Duration = Duration::from_secs(1);
/// How many records a reader takes from the index at once, so that it holds up no writer.
const STRIDE: usize = 1000;
/// How many rows are deleted in one transaction.
const DELETED_AT_ONCE: usize = 1000;

/// All records of this host.
#[derive(Debug)]
pub struct RecordStore {
    database: Arc<Database>,
    index: Arc<RwLock<Index>>,
    /// The calls with a record that drivers are busy with.
    live: Mutex<HashMap<Uuid, Live>>,
    next: AtomicI64,
    host: Arc<str>,
    keep: Duration,
    max: usize,
}

/// A call that a driver is busy with.
#[derive(Debug, Clone)]
struct Live {
    sequence: i64,
    state: Arc<CallState>,
}

/// Why a call did not succeed, as a record says it.
#[derive(Debug, Clone, Serialize)]
pub struct RecordedError {
    /// A word for programs.
    pub kind: &'static str,
    /// One line for people.
    pub message: String,
    /// What the driver added for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Box<RawValue>>,
    /// Nobody knows whether the call took effect: what ran it has died.
    #[serde(skip)]
    pub interrupted: bool,
}

/// What was asked for cannot be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelError {
    /// There is no such record.
    Unknown,
    /// The driver is done with the call.
    Over,
}

impl RecordStore {
    /// Reads every record, after marking what a host that died has left as interrupted. Blocks; for the start of the host.
    ///
    /// # Errors
    /// A database that cannot be written or read, or has rows that are no records.
    pub async fn open(
        database: Arc<Database>,
        host: Arc<str>,
        settings: &config::Records,
    ) -> Result<Arc<Self>, StoreError> {
        let at = now();
        database
            .run(move |connection| rows::interrupt_all(connection, at), |()| {})
            .await?;
        let records = database.read(rows::read)?;
        let next = records.last().map_or(1, |record| record.sequence + 1);
        let store = RecordStore {
            database,
            index: Arc::new(RwLock::new(records.into_iter().collect())),
            live: Mutex::default(),
            next: AtomicI64::new(next),
            host,
            keep: Duration::from_secs(u64::from(settings.keep_hours) * 3600),
            max: usize::try_from(settings.max).unwrap_or(usize::MAX),
        };
        store.expire();
        Ok(Arc::new(store))
    }

    /// Keeps the record of a call that is about to begin. When this returns, it is on the disk.
    ///
    /// # Errors
    /// The database cannot be written. There is no record then, and the call must not begin.
    pub async fn begin(self: &Arc<Self>, call: RunningCall) -> Result<OpenRecord, StoreError> {
        let (open, written) = self.insert(call, None);
        written.await?;
        Ok(open)
    }

    /// Keeps the record of a call that goes on after its deadline. It is queued at once, so that nothing that the call does later comes
    /// before it; the future waits for the disk.
    pub fn begin_late(
        self: &Arc<Self>,
        call: RunningCall,
        error: &RecordedError,
    ) -> (
        OpenRecord,
        impl Future<Output = Result<(), StoreError>> + Send + use<>,
    ) {
        self.insert(call, Some(ending(RecordState::TimedOut, Some(error))))
    }

    fn insert(
        self: &Arc<Self>,
        call: RunningCall,
        ending: Option<Ending>,
    ) -> (
        OpenRecord,
        impl Future<Output = Result<(), StoreError>> + Send + use<>,
    ) {
        let RunningCall {
            method, node, state, ..
        } = call;
        let record = Record {
            id: Uuid::now_v7(),
            sequence: self.next.fetch_add(1, Ordering::Relaxed),
            host: self.host.clone(),
            driver: state.driver.clone(),
            method,
            node,
            request_id: state.request_id,
            started_at: now() - micros(state.started.elapsed()),
            cancel_requested_at: None,
            ending,
            late_outcome: None,
        };
        let (id, sequence) = (record.id, record.sequence);
        let open = OpenRecord {
            records: self.clone(),
            id,
            sequence,
        };
        if record.settled_at().is_none() {
            self.live.lock().insert(id, Live { sequence, state });
        }
        let index = Arc::clone(&self.index);
        let statements = move |connection: &Connection| {
            rows::insert(connection, &record)?;
            Ok(record)
        };
        let written = self.database.run_one(statements, move |record: &Record| {
            index.write().put(record.clone());
        });
        (open, async move { written.await.map(drop) })
    }

    /// Marks all calls that drivers are busy with as interrupted: those that have a record, and those among the `running` that had none
    /// so far. Queued at once, and written before the database is closed.
    pub fn interrupt(self: &Arc<Self>, running: Vec<RunningCall>) {
        let live: Vec<(Uuid, Live)> = {
            let live = self.live.lock();
            live.iter().map(|(id, live)| (*id, live.clone())).collect()
        };
        let known: HashSet<_> = live.iter().map(|(_, live)| Arc::as_ptr(&live.state)).collect();
        for call in running {
            if !call.is_check && !known.contains(&Arc::as_ptr(&call.state)) {
                drop(self.insert(call, Some(ending(RecordState::Interrupted, None))));
            }
        }
        for (id, Live { sequence, .. }) in live {
            drop(self.queue(id, sequence, ending(RecordState::Interrupted, None), None));
        }
    }

    /// Asks the driver to give up a call. Whether it does is its own business.
    ///
    /// # Errors
    /// There is no such call, or the driver is done with it.
    pub async fn cancel(&self, id: Uuid) -> Result<(), CancelError> {
        let live = self.live.lock().get(&id).cloned();
        let Some(live) = live else {
            let known = self.get(&id).is_some();
            return Err(if known {
                CancelError::Over
            } else {
                CancelError::Unknown
            });
        };
        live.state.cancel();
        let at = now();
        let index = Arc::clone(&self.index);
        let publish = move |(): &()| {
            let mut index = index.write();
            if let Some(record) = index.get(&id) {
                index.put(Record {
                    cancel_requested_at: Some(at),
                    ..Record::clone(&record)
                });
            }
        };
        let sequence = live.sequence;
        let written = self
            .database
            .run_one(move |connection| rows::cancel(connection, sequence, at), publish);
        if let Err(error) = written.await {
            tracing::warn!(call = %id, "the call was asked to stop, but that could not be recorded: {error}");
        }
        Ok(())
    }

    /// The record with this id.
    pub fn get(&self, id: &Uuid) -> Option<Arc<Record>> {
        self.index.read().get(id)
    }

    /// Whether the record's call was reported as stuck, and still is.
    pub fn is_stuck(&self, id: &Uuid) -> bool {
        let live = self.live.lock();
        live.get(id).is_some_and(|live| live.state.is_stuck())
    }

    /// What the method of a record answered, in time and late: JSON. Reads the disk, so it blocks.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn results(&self, record: &Record) -> Result<(Option<String>, Option<String>), StoreError> {
        self.database
            .read(|connection, path| rows::results(connection, path, record))
    }

    /// Up to `count` records, newest first, of which `wanted` is true: of all or of one node, from the newest on or from before another one.
    /// A reader holds up nobody.
    pub fn newest(
        &self,
        node: Option<Uuid>,
        before: Option<Uuid>,
        count: usize,
        wanted: impl Fn(&Record) -> bool,
    ) -> Vec<Arc<Record>> {
        let mut found = Vec::new();
        let mut before = before.unwrap_or(Uuid::max());
        loop {
            let some = self.index.read().before(node, before, STRIDE);
            let Some(last) = some.last() else { return found };
            before = last.id;
            found.extend(some.into_iter().filter(|record| wanted(record)));
            if found.len() >= count {
                found.truncate(count);
                return found;
            }
        }
    }

    /// Forgets old records, for ever.
    pub async fn tend(&self) {
        loop {
            tokio::time::sleep(PAUSE).await;
            self.expire();
            let mut rows = self.index.write().take_expired();
            rows.sort_unstable();
            for some in rows.chunks(DELETED_AT_ONCE) {
                let some = some.to_vec();
                let deleted = self
                    .database
                    .run(move |connection| rows::delete(connection, &some), |()| {});
                if let Err(error) = deleted.await {
                    // They are forgotten all the same, and deleted after the next start.
                    tracing::warn!("old records could not be deleted: {error}");
                }
            }
        }
    }

    fn expire(&self) {
        self.index.write().expire(self.max, now() - micros(self.keep));
    }

    /// Queues the end of a call: as the late outcome, if the deadline has passed before; not at all, if the call has ended otherwise.
    fn queue(
        &self,
        id: Uuid,
        sequence: i64,
        ending: Ending,
        result: Option<Bytes>,
    ) -> impl Future<Output = Result<Part, StoreError>> + Send + use<> {
        let (index, max) = (Arc::clone(&self.index), self.max);
        let at_first = ending.clone();
        let statements =
            move |connection: &Connection| rows::end(connection, sequence, &at_first, result.as_deref());
        self.database.run_one(statements, move |part| {
            let mut index = index.write();
            let Some(record) = index.get(&id) else { return };
            let mut record = Record::clone(&record);
            match part {
                Part::Ending => record.ending = Some(ending),
                Part::LateOutcome => record.late_outcome = Some(ending),
                Part::Nothing => return,
            }
            index.put(record);
            index.expire(max, i64::MIN);
        })
    }
}

fn ending(state: RecordState, error: Option<&RecordedError>) -> Ending {
    Ending {
        state,
        at: now(),
        error: error
            .and_then(|error| serde_json::to_string(error).ok())
            .map(Into::into),
    }
}

fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
