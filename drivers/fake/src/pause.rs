//! Waiting, as a device would make a method wait, but ready to stop when nobody waits for the answer any more.

use std::time::{Duration, Instant};

use driver_sdk::prelude::*;

/// How often a sleeping method looks whether it should stop.
const LOOK: Duration = Duration::from_millis(20);

/// The arguments of the sleeping methods.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seconds {
    #[serde(deserialize_with = "duration")]
    seconds: Duration,
}

impl Seconds {
    pub(crate) fn sleep(&self, call: &Call) -> Result<Value, Fault> {
        pause(call, self.seconds)?;
        Ok(json!({ "slept": self.seconds.as_secs_f64() }))
    }
}

/// Sleeps for `time`, or until the call is cancelled.
pub(crate) fn pause(call: &Call, time: Duration) -> Result<(), Fault> {
    let begun = Instant::now();
    loop {
        let left = time.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Ok(());
        }
        if call.cancelled() {
            let slept = begun.elapsed().as_secs_f64();
            return Err(Fault::timeout(format!(
                "stopped after {slept:.1} s: nobody waits for the answer any more"
            )));
        }
        std::thread::sleep(left.min(LOOK));
    }
}

fn duration<'de, D: driver_sdk::serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(deserializer)?;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| driver_sdk::serde::de::Error::custom("expected a number of seconds, 0 or more"))
}
