//! One call as it is measured: in flight for as long as its meter lives, with one outcome.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Answer, CallError};
use crate::metrics::Outcome;
use crate::plugin::loaded::{CallState, FaultKind, LoadedMethod};

/// Owned by the call. Dropped without a word it counts a failure.
pub(super) struct Meter {
    method: Arc<LoadedMethod>,
    state: Arc<CallState>,
    begun: Instant,
    ended: Option<Instant>,
}

impl Meter {
    /// A call that begins; its clock was read a moment ago, for its deadline.
    pub(super) fn begin(method: Arc<LoadedMethod>, state: Arc<CallState>, begun: Instant) -> Self {
        method.calls.begun();
        Meter {
            method,
            state,
            begun,
            ended: None,
        }
    }

    /// The driver is done, with this result. Whether that was after the deadline.
    pub(super) fn tell(&mut self, result: &Result<Answer, CallError>) -> bool {
        let now = Instant::now();
        self.ended = Some(now);
        let late = now >= self.state.deadline;
        let outcome = match result {
            _ if late => Outcome::TimedOut,
            Ok(_) => Outcome::Succeeded,
            Err(error) => outcome(error),
        };
        settle(&self.method, &self.state, outcome);
        late
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        settle(&self.method, &self.state, Outcome::Failed);
        let ended = self.ended.unwrap_or_else(Instant::now);
        self.method
            .calls
            .ended(ended.saturating_duration_since(self.begun));
    }
}

/// Counts a call's outcome, unless one has been counted: the deadline and the driver's answer may come at the same time.
pub(super) fn settle(method: &LoadedMethod, state: &CallState, outcome: Outcome) {
    if state.settle() {
        method.calls.count(outcome);
    }
}

/// Counts a call that was refused before it began.
pub(super) fn refused(method: &LoadedMethod, error: CallError) -> CallError {
    method.calls.count(outcome(&error));
    error
}

fn outcome(error: &CallError) -> Outcome {
    match error {
        CallError::Locked(_) => Outcome::Locked,
        CallError::Busy(_) => Outcome::Busy,
        CallError::Deadline { .. } | CallError::NotBegun { .. } => Outcome::TimedOut,
        CallError::Fault(fault) if fault.kind == FaultKind::Panicked => Outcome::Panicked,
        error if error.is_refusal() => Outcome::Refused,
        _ => Outcome::Failed,
    }
}
