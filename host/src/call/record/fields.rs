//! One record, as it is kept in memory.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::request_id::RequestId;

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordState {
    /// The driver is busy with it.
    Running,
    /// The driver has answered.
    Succeeded,
    /// The driver has refused or failed, or its answer cannot be used.
    Failed,
    /// The deadline has passed. What the driver says later is the late outcome.
    TimedOut,
    /// The host, or the process that the driver ran in, ended while the driver was busy: nobody knows whether the call took effect. It is not made again.
    Interrupted,
}

impl RecordState {
    /// Every state.
    pub const ALL: [RecordState; 5] = [
        RecordState::Running,
        RecordState::Succeeded,
        RecordState::Failed,
        RecordState::TimedOut,
        RecordState::Interrupted,
    ];

    /// The word for it, in the database and for clients.
    pub fn word(self) -> &'static str {
        match self {
            RecordState::Running => "running",
            RecordState::Succeeded => "succeeded",
            RecordState::Failed => "failed",
            RecordState::TimedOut => "timed_out",
            RecordState::Interrupted => "interrupted",
        }
    }

    /// The state that a word stands for.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// How a call has ended. Its result is not here: it may be large, and stays in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Anything but running.
    pub state: RecordState,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// Why it did not succeed, as JSON: `{"kind", "message", "details"}`.
    pub error: Option<Box<str>>,
}

/// A call that clients may ask about: every async one, and a sync one that passed its deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// A UUIDv7, so that the order of ids is that of the calls' beginnings.
    pub id: Uuid,
    /// Its row.
    pub sequence: i64,
    /// The host that made the call.
    pub host: Arc<str>,
    /// The driver.
    pub driver: Arc<str>,
    /// The method.
    pub method: Arc<str>,
    /// The node, for a node's method.
    pub node: Option<Uuid>,
    /// The request that brought the call, `req-<uuid>`.
    pub request_id: RequestId,
    /// When it began, in microseconds since 1970.
    pub started_at: i64,
    /// When a client asked it to stop.
    pub cancel_requested_at: Option<i64>,
    /// How it has ended for the client; nothing while it runs.
    pub ending: Option<Ending>,
    /// What became of it after its deadline.
    pub late_outcome: Option<Ending>,
}

impl Record {
    /// How far the call has come.
    pub fn state(&self) -> RecordState {
        self.ending
            .as_ref()
            .map_or(RecordState::Running, |ending| ending.state)
    }

    /// When nothing about it can change any more: the driver is done with it. Until then it is always kept.
    pub fn settled_at(&self) -> Option<i64> {
        match (&self.ending, &self.late_outcome) {
            (_, Some(late)) => Some(late.at),
            (Some(ending), None) if ending.state != RecordState::TimedOut => Some(ending.at),
            _ => None,
        }
    }
}

/// Microseconds as a time.
pub fn time(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or_default()
}
