//! One thread that runs actions when their time has come: a stand-in for whatever hears from the devices.

use std::collections::BTreeMap;
use std::sync::mpsc::{channel, RecvTimeoutError, Sender};
use std::thread::Builder;
use std::time::{Duration, Instant};

type Action = Box<dyn FnOnce() + Send>;

/// The thread ends when the timer is dropped; actions that are still waiting are dropped with it.
pub(crate) struct Timer {
    actions: Sender<(Instant, Action)>,
}

impl Timer {
    pub(crate) fn start() -> std::io::Result<Self> {
        let (actions, new) = channel::<(Instant, Action)>();
        Builder::new().name("deferred-timer".to_owned()).spawn(move || {
            // The number keeps actions of one instant apart.
            let mut waiting = BTreeMap::new();
            let mut number = 0_u64;
            loop {
                let next = waiting.keys().next().map(|(due, _): &(Instant, u64)| *due);
                let wait = next.map_or(Duration::from_secs(3600), |due| {
                    due.saturating_duration_since(Instant::now())
                });
                match new.recv_timeout(wait) {
                    Ok((due, action)) => {
                        number += 1;
                        waiting.insert((due, number), action);
                    }
                    Err(RecvTimeoutError::Timeout) => {
                        let later = waiting.split_off(&(Instant::now(), 0));
                        std::mem::replace(&mut waiting, later)
                            .into_values()
                            .for_each(|action| action());
                    }
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        })?;
        Ok(Timer { actions })
    }

    /// Runs `action` on the timer's thread. Without a thread it is dropped, and with it the completion that it holds.
    pub(crate) fn after(&self, time: Duration, action: impl FnOnce() + Send + 'static) {
        let _ = self.actions.send((Instant::now() + time, Box::new(action)));
    }
}
