//! Calls that a driver in this process does not return: no thread can be killed, so they are named and counted until it does.

use std::time::{Duration, SystemTime};

use jiff::{Timestamp, Unit};
use tokio::time::Instant;

use super::{InFlight, RunningCall};

/// How often is looked for them.
const PAUSE: Duration = Duration::from_millis(500);

impl InFlight {
    /// Reports each call in this process that its driver has not returned so long after its deadline, for as long as the host runs.
    pub async fn report_stuck(&self, grace: Duration) {
        loop {
            tokio::time::sleep(PAUSE).await;
            for call in self.newly_stuck(grace) {
                tracing::warn!(
                    request_id = %call.state.request_id,
                    driver = &*call.state.driver,
                    method = &*call.method,
                    node = call.node.map(tracing::field::display),
                    since = since(&call).map(tracing::field::display),
                    "the call is stuck: the driver has not returned {} ms after its deadline; it keeps what it holds until it does",
                    grace.as_millis()
                );
            }
        }
    }

    /// How many calls of a driver are stuck.
    pub fn stuck(&self, driver: &str) -> u64 {
        self.stuck.lock().get(driver).copied().unwrap_or(0)
    }

    fn newly_stuck(&self, grace: Duration) -> Vec<RunningCall> {
        let now = Instant::now();
        let mut found = Vec::new();
        for shard in &self.shards {
            // Under its lock, so that a call which leaves now is either not reported or counted back.
            for call in shard.lock().values() {
                if call.here && now >= call.state.deadline + grace && call.state.report_stuck() {
                    *self.stuck.lock().entry(call.state.driver.clone()).or_default() += 1;
                    found.push(call.clone());
                }
            }
        }
        found
    }

    /// A call that was stuck is not any more.
    pub(super) fn has_returned(&self, call: &RunningCall) {
        if let Some(calls) = self.stuck.lock().get_mut(&call.state.driver) {
            *calls = calls.saturating_sub(1);
        }
        tracing::warn!(
            request_id = %call.state.request_id,
            driver = &*call.state.driver,
            method = &*call.method,
            node = call.node.map(tracing::field::display),
            "the call is not stuck any more: the driver has returned after {} ms",
            call.state.started.elapsed().as_millis()
        );
    }
}

/// When a call began.
fn since(call: &RunningCall) -> Option<Timestamp> {
    let began = SystemTime::now().checked_sub(call.state.started.elapsed())?;
    Timestamp::try_from(began).ok()?.round(Unit::Millisecond).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::plugin::loaded::CallState;
    use crate::request_id::RequestId;

    fn call(timeout: Duration, here: bool) -> RunningCall {
        RunningCall {
            method: "reset".into(),
            node: None,
            state: Arc::new(CallState::new("slow".into(), RequestId::random(), timeout)),
            is_check: false,
            here,
        }
    }

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn a_call_is_reported_once_and_counted_until_it_returns() {
        let calls = Arc::new(InFlight::default());
        let listed = calls.enter(call(Duration::ZERO, true));
        let _in_time = calls.enter(call(LONG, true));
        assert!(calls.newly_stuck(LONG).is_empty(), "within its grace");
        assert_eq!(calls.stuck("slow"), 0);
        let found = calls.newly_stuck(Duration::ZERO);
        assert_eq!(found.len(), 1);
        assert!(found[0].state.is_stuck());
        assert!(calls.newly_stuck(Duration::ZERO).is_empty(), "only once");
        assert_eq!((calls.stuck("slow"), calls.stuck("other")), (1, 0));
        drop(listed);
        assert_eq!(calls.stuck("slow"), 0);
    }

    #[test]
    fn a_call_in_a_process_of_its_driver_is_ended_and_never_stuck() {
        let calls = Arc::new(InFlight::default());
        let _listed = calls.enter(call(Duration::ZERO, false));
        assert!(calls.newly_stuck(Duration::ZERO).is_empty());
        assert_eq!(calls.stuck("slow"), 0);
    }
}
