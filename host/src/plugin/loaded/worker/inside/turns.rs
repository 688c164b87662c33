//! Whose turn it is to read orders.
//!
//! The thread that has read an order does what it says. Before it enters the driver it lays the reading down where any thread can take it up, and when it comes
//! back, it takes it up again, if nobody has. Waking another one for each call would cost more than most calls; so it wakes one at once only if
//! the driver has been slow at the same thing before. In the other calls a watch looks whether somebody has taken longer than expected, and then wakes one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::sync::Notify;

use super::connection::Incoming;

/// A stay in the driver that is longer than this makes the next one of the same kind slow. Waking a thread takes some microseconds.
const QUICK: Duration = Duration::from_micros(100);
/// How long nobody may read while a thread is in the driver that was expected to be quick.
const GAP: Duration = Duration::from_millis(1);

/// The reading, and the threads that do it.
pub(super) struct Turns {
    state: Mutex<State>,
    vacant: Condvar,
    /// Wakes the watch.
    watch: Notify,
}

struct State {
    /// Not here while somebody reads.
    incoming: Option<Incoming>,
    /// How often it was laid down.
    laid_down: u64,
    /// Threads that wait for it.
    waiting: usize,
    /// Whether the watch is awake.
    watched: bool,
}

/// Whether the driver was quick at something the last time.
#[derive(Debug, Default)]
pub(super) struct Pace(AtomicBool);

impl Pace {
    /// Remembers how long it took.
    fn note(&self, took: Duration) {
        let quick = took < QUICK;
        if self.0.load(Ordering::Relaxed) != quick {
            self.0.store(quick, Ordering::Relaxed);
        }
    }
}

impl Turns {
    /// Nobody reads yet.
    pub(super) fn new(incoming: Incoming) -> Self {
        Turns {
            state: Mutex::new(State {
                incoming: Some(incoming),
                laid_down: 0,
                waiting: 0,
                watched: false,
            }),
            vacant: Condvar::new(),
            watch: Notify::new(),
        }
    }

    /// Takes the reading up; waits for it if need be.
    pub(super) fn take(&self) -> Incoming {
        let mut state = self.state.lock();
        loop {
            if let Some(incoming) = state.incoming.take() {
                return incoming;
            }
            state.waiting += 1;
            self.vacant.wait(&mut state);
            state.waiting -= 1;
        }
    }

    /// Lets others read while this thread does `stay`, which leads into the driver. `start` starts a thread that takes the reading up, if there is none that waits.
    pub(super) fn inside(&self, incoming: Incoming, pace: &Pace, start: impl FnOnce(), stay: impl FnOnce()) {
        let quick = pace.0.load(Ordering::Relaxed);
        let mut state = self.state.lock();
        state.incoming = Some(incoming);
        state.laid_down += 1;
        let asleep = quick && !state.watched;
        state.watched |= quick;
        let nobody = state.waiting == 0;
        drop(state);
        if asleep {
            self.watch.notify_one();
        } else if !quick {
            self.call(nobody, start);
        }
        let started = Instant::now();
        stay();
        pace.note(started.elapsed());
    }

    fn call(&self, nobody: bool, start: impl FnOnce()) {
        if nobody {
            start();
        } else {
            self.vacant.notify_one();
        }
    }

    /// Wakes a thread, or starts one, whenever one has not come back that was expected to. Does not end.
    pub(super) async fn watch(&self, start: impl Fn()) {
        loop {
            self.watch.notified().await;
            let mut seen = None;
            while let Some(look) = self.look(&mut seen) {
                if let Look::Stuck { nobody } = look {
                    self.call(nobody, &start);
                }
                tokio::time::sleep(GAP).await;
            }
        }
    }

    /// What has happened since the last look; nothing if nobody needs a watch any more.
    fn look(&self, seen: &mut Option<u64>) -> Option<Look> {
        let mut state = self.state.lock();
        if seen.replace(state.laid_down) != Some(state.laid_down) {
            return Some(Look::Moving);
        }
        if state.incoming.is_some() {
            return Some(Look::Stuck {
                nobody: state.waiting == 0,
            });
        }
        state.watched = false;
        None
    }
}

/// What the watch sees.
enum Look {
    /// Threads come and go.
    Moving,
    /// Nobody reads, and nobody has come back for a while.
    Stuck {
        /// No thread waits for the reading.
        nobody: bool,
    },
}
