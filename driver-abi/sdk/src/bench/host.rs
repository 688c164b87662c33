//! The host's side of the boundary, as small as it can be.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use driver_abi::types::{RArc, RResult, RStr, TD_Opaque};
use driver_abi::{CallContext_TO, Context, Reply};

use super::{Log, LogLine};
use crate::{Fault, Level};

pub(super) struct BenchHost {
    pub(super) log: Log,
}

impl driver_abi::Host for BenchHost {
    fn log(&self, level: u8, message: RStr<'_>) {
        write(&self.log, level, message);
    }
}

#[derive(Clone)]
pub(super) struct BenchContext {
    log: Log,
    deadline: Instant,
    cancelled: Arc<AtomicBool>,
}

impl BenchContext {
    pub(super) fn new(log: &Log, deadline: Duration) -> Self {
        BenchContext {
            log: Arc::clone(log),
            deadline: Instant::now() + deadline,
            cancelled: Arc::default(),
        }
    }

    pub(super) fn object(&self) -> Context {
        CallContext_TO::from_ptr(RArc::new(self.clone()), TD_Opaque)
    }

    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }
}

impl driver_abi::CallContext for BenchContext {
    fn remaining_ms(&self) -> u64 {
        let left = self.deadline.saturating_duration_since(Instant::now());
        u64::try_from(left.as_millis()).unwrap_or(u64::MAX)
    }

    fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) || Instant::now() >= self.deadline
    }

    fn log(&self, level: u8, message: RStr<'_>) {
        write(&self.log, level, message);
    }
}

fn write(log: &Log, level: u8, message: RStr<'_>) {
    let line = LogLine {
        level: Level::from_number(level),
        message: message.as_str().to_owned(),
    };
    log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
}

/// Where the answer to a started call arrives.
#[derive(Default)]
pub(super) struct Slot {
    answer: Mutex<Option<Result<Reply, Fault>>>,
    arrived: Condvar,
}

impl Slot {
    /// Only the first answer counts.
    pub(super) fn put(&self, answer: Result<Reply, Fault>) {
        self.answer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(answer);
        self.arrived.notify_all();
    }

    pub(super) fn take(&self, until: Instant) -> Result<Reply, Fault> {
        let wait = until.saturating_duration_since(Instant::now());
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut answer, _) = self
            .arrived
            .wait_timeout_while(answer, wait, |answer| answer.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        answer
            .take()
            .unwrap_or_else(|| Err(Fault::timeout("the driver did not answer before the deadline")))
    }
}

pub(super) struct BenchCompletion(pub(super) Arc<Slot>);

impl driver_abi::Completion for BenchCompletion {
    fn complete(&self, result: RResult<Reply, driver_abi::Fault>) {
        self.0.put(result.into_result().map_err(Fault::from_abi));
    }
}

impl Drop for BenchCompletion {
    fn drop(&mut self) {
        self.0.put(Err(Fault::internal(
            "the completion was dropped without an answer",
        )));
    }
}
