//! Taking the host down: running calls, then the drivers.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::call::in_flight::{InFlight, RunningCall};
use crate::plugin::loaded::LoadedDriver;

/// How long all drivers together may take to shut down.
const DRIVERS_PATIENCE: Duration = Duration::from_secs(5);
/// The last part of the grace period, in which running calls have been asked to end: a tenth.
const NOTICE: u32 = 10;

/// Gives the running calls `grace`: they may finish, towards the end they are asked to, and those that do not are named.
pub(super) async fn wait_for_calls(in_flight: &InFlight, grace: Duration) {
    let notice = grace / NOTICE;
    tokio::time::sleep(grace - notice).await;
    for call in in_flight.running() {
        call.state.cancel();
    }
    tokio::time::sleep(notice).await;
    name_running(in_flight);
}

/// Names the calls that the host leaves behind.
pub(super) fn name_running(in_flight: &InFlight) {
    for RunningCall {
        method, node, state, ..
    } in in_flight.running()
    {
        tracing::warn!(
            request_id = %state.request_id,
            driver = &*state.driver,
            method = &*method,
            node = node.map(tracing::field::display),
            "still running; the host stops without it"
        );
    }
}

/// Shuts down every driver that no call is in, each on a thread of its own, because a driver may hang there as anywhere.
///
/// The others are left as they are, not even dropped: the contract promises a drop only after the shut-down.
pub(super) fn end_drivers(drivers: Vec<Arc<LoadedDriver>>, in_flight: &InFlight, runtime: &Handle) {
    let busy: HashSet<Arc<str>> = in_flight
        .running()
        .into_iter()
        .map(|call| call.state.driver.clone())
        .collect();
    let (idle, busy): (Vec<_>, Vec<_>) = drivers
        .into_iter()
        .partition(|driver| !busy.contains(driver.name()));
    busy.into_iter().for_each(std::mem::forget);
    let mut waiting: Vec<Arc<str>> = Vec::new();
    let (ended, ends) = mpsc::channel();
    for driver in idle {
        let (name, runtime, ended) = (driver.name().clone(), runtime.clone(), ended.clone());
        let thread = std::thread::Builder::new()
            .name("host-shut-down".to_owned())
            .spawn(move || {
                runtime.block_on(driver.shut_down());
                // Nobody listens any more when the time is over.
                let _ = ended.send(driver.name().clone());
            });
        match thread {
            Ok(_) => waiting.push(name),
            Err(error) => {
                tracing::warn!(
                    driver = &*name,
                    "the driver is not shut down, no thread can be started: {error}"
                );
            }
        }
    }
    drop(ended);
    let deadline = Instant::now() + DRIVERS_PATIENCE;
    while let Ok(name) = ends.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        waiting.retain(|driver| *driver != name);
    }
    for driver in waiting {
        tracing::warn!(
            driver = &*driver,
            "the driver did not shut down in time; the host stops without it"
        );
    }
}
