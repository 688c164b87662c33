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
    ended: Option<Instant>,
}

impl Meter {
    /// A call that begins.
    pub(super) fn begin(method: Arc<LoadedMethod>, state: Arc<CallState>) -> Self {
        method.calls.begun();
        Meter {
            method,
            state,
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
            .ended(ended.saturating_duration_since(self.state.started));
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
        CallError::Busy(_) | CallError::DriverDown(_) => Outcome::Busy,
        CallError::Deadline { .. } | CallError::NotBegun { .. } => Outcome::TimedOut,
        CallError::Fault(fault) if fault.kind == FaultKind::Panicked => Outcome::Panicked,
        error if error.is_refusal() => Outcome::Refused,
        _ => Outcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::call::limits::Busy;
    use crate::plugin::loaded::Fault;
    use crate::plugin::manifest::{CalledOn, Method, RunKind};
    use crate::request_id::RequestId;

    fn method() -> Arc<LoadedMethod> {
        Arc::new(LoadedMethod::new(Method {
            name: "reset".to_owned(),
            on: CalledOn::Node,
            http_methods: vec!["POST".to_owned()],
            is_async: false,
            require_exclusive_lock: true,
            attach: false,
            description: String::new(),
            run: RunKind::Blocking,
            time_limit: None,
            body_schema: None,
            reply_schema: None,
        }))
    }

    fn begin(method: &Arc<LoadedMethod>, timeout: Duration) -> Meter {
        let state = CallState::new("fake".into(), RequestId::random(), timeout);
        Meter::begin(method.clone(), Arc::new(state))
    }

    fn counted(method: &LoadedMethod) -> Vec<(Outcome, u64)> {
        let calls = Outcome::ALL.map(|outcome| (outcome, method.calls.outcomes(outcome)));
        calls.into_iter().filter(|(_, calls)| *calls > 0).collect()
    }

    const ACCEPTED: Answer = Answer::Accepted {
        record: uuid::Uuid::nil(),
    };
    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_call_is_in_flight_until_its_meter_goes_and_has_the_outcome_that_it_was_told() {
        let method = method();
        let mut meter = begin(&method, LONG);
        assert!(!meter.tell(&Ok(ACCEPTED)));
        assert_eq!(
            (method.calls.in_flight(), method.calls.duration().read().count),
            (1, 0)
        );
        drop(meter);
        assert_eq!(
            (method.calls.in_flight(), method.calls.duration().read().count),
            (0, 1)
        );
        assert_eq!(counted(&method), [(Outcome::Succeeded, 1)]);
    }

    #[test]
    fn a_call_that_ends_without_a_word_has_failed() {
        let method = method();
        drop(begin(&method, LONG));
        assert_eq!(
            (method.calls.in_flight(), counted(&method)),
            (0, vec![(Outcome::Failed, 1)])
        );
    }

    #[test]
    fn a_late_answer_is_a_time_out_and_one_that_was_counted_at_its_deadline_is_not_counted_again() {
        let method = method();
        assert!(begin(&method, Duration::ZERO).tell(&Ok(ACCEPTED)));
        assert_eq!(counted(&method), [(Outcome::TimedOut, 1)]);
        let mut meter = begin(&method, LONG);
        settle(&method, &meter.state, Outcome::TimedOut);
        meter.tell(&Ok(ACCEPTED));
        drop(meter);
        assert_eq!(counted(&method), [(Outcome::TimedOut, 2)]);
    }

    #[test]
    fn each_error_has_its_outcome() {
        let fault = |kind| {
            CallError::Fault(Fault {
                kind,
                message: "x".to_owned(),
                details: None,
            })
        };
        let name = || "reset".to_owned();
        for (error, outcome) in [
            (fault(FaultKind::MissingParameter), Outcome::Refused),
            (fault(FaultKind::Conflict), Outcome::Refused),
            (fault(FaultKind::Internal), Outcome::Failed),
            (fault(FaultKind::Timeout), Outcome::Failed),
            (fault(FaultKind::Panicked), Outcome::Panicked),
            (CallError::Busy(Busy::Calls { max: 1 }), Outcome::Busy),
            (CallError::NotBegun { method: name() }, Outcome::TimedOut),
            (CallError::Lost { method: name() }, Outcome::Failed),
            (
                CallError::NodeGone {
                    node: uuid::Uuid::nil(),
                },
                Outcome::Refused,
            ),
        ] {
            let method = method();
            let text = format!("{error:?}");
            refused(&method, error);
            assert_eq!(counted(&method), [(outcome, 1)], "{text}");
            assert_eq!(method.calls.in_flight(), 0);
        }
    }
}
