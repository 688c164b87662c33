//! Methods that wait for a slow device without holding a thread: thousands of calls may wait at once.
#![forbid(unsafe_code)]

mod timer;

use std::time::Duration;

use driver_sdk::prelude::*;

use timer::Timer;

/// How long the device takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Work {
    seconds: u32,
}

struct Deferred {
    device: Timer,
}

/// A device that takes its time, asked in the two ways that hold no thread.
#[driver(name = "deferred")]
impl Deferred {
    #[create]
    fn new() -> Result<Self, Fault> {
        Ok(Deferred {
            device: Timer::start()?,
        })
    }

    /// Answers when the device is done: the completion goes to the driver's own thread.
    #[node_method]
    fn with_completion(&self, args: Work, completion: Completion<Value>) {
        let seconds = args.seconds;
        self.device.after(Duration::from_secs(seconds.into()), move || {
            completion.complete(Ok(json!({ "worked_for": seconds })));
        });
    }

    /// Answers when the device is done: an `async fn` on the driver's runtime.
    #[node_method]
    async fn with_async_fn(&self, call: &Call, args: Work) -> Result<Value, Fault> {
        for _ in 0..args.seconds {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if call.cancelled() {
                return Err(Fault::timeout("stopped: nobody waits for the answer any more"));
            }
        }
        Ok(json!({ "worked_for": args.seconds }))
    }
}

#[cfg(test)]
mod tests;
