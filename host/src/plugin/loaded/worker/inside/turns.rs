//! Whose turn it is to read orders.
//!
//! The thread that has read an order does what it says. Before it enters the driver it lays the reading down where any thread can take it up, and
//! when it has answered it takes it up again, if nobody has. To wake another one for each call would cost more than a quick call; so it wakes one only
//! if the driver was slow at the same thing the last time. In the other calls a watch looks whether somebody has not come back as expected, and
//! wakes one then.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::sync::Notify;

use super::connection::Incoming;

/// What takes longer is slow, also the next time. To wake a thread takes some microseconds of two processors; more than so much work at a time should
/// not wait for one processor.
const QUICK: Duration = Duration::from_micros(50);
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

    /// Lets others read while this thread does `stay`, which leads into the driver. `start` starts a thread that takes the reading up, for when
    /// none waits for it.
    pub(super) fn inside<T>(
        &self,
        incoming: Incoming,
        pace: &Pace,
        start: impl FnOnce(),
        stay: impl FnOnce() -> T,
    ) -> T {
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
        let done = stay();
        pace.note(started.elapsed());
        done
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

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc;

    use super::*;

    fn turns() -> (UnixStream, Turns) {
        let (host, stream) = UnixStream::pair().expect("a socket pair");
        (host, Turns::new(Incoming::new(stream)))
    }

    #[test]
    fn a_thread_is_called_for_what_was_slow_the_last_time_and_not_for_what_was_quick() {
        let (_host, turns) = turns();
        let pace = Pace::default();
        let called = |took| {
            let mut called = false;
            turns.inside(turns.take(), &pace, || called = true, || {});
            pace.note(took);
            called
        };
        assert!(called(Duration::ZERO), "nobody knows how long it takes");
        assert!(!called(QUICK));
        assert!(called(Duration::ZERO));
    }

    #[test]
    fn who_comes_back_takes_up_what_nobody_else_has() {
        let (_host, turns) = turns();
        let pace = Pace(AtomicBool::new(true));
        turns.inside(turns.take(), &pace, || panic!("it is quick"), || {});
        let reading = turns.take();
        turns.inside(
            reading,
            &Pace::default(),
            || {
                std::thread::scope(|scope| {
                    scope.spawn(|| turns.take());
                });
            },
            || assert!(turns.state.lock().incoming.is_none(), "the other one has it"),
        );
    }

    #[test]
    fn somebody_reads_in_the_place_of_one_that_was_expected_back_and_does_not_come() {
        let (_host, turns) = &turns();
        let pace = &Pace(AtomicBool::new(true));
        let (started, other) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let runtime = runtime.expect("a runtime");
        std::thread::scope(|scope| {
            let reading = turns.take();
            let stuck = scope.spawn(move || {
                let hung = || {
                    other
                        .recv_timeout(Duration::from_secs(30))
                        .expect("another thread")
                };
                turns.inside(reading, pace, || panic!("it was quick the last time"), hung);
            });
            let watch = turns.watch(|| {
                // What it takes up is what the stuck one has laid down.
                drop(turns.take());
                started.send(()).expect("the stuck thread");
            });
            runtime.block_on(async {
                tokio::select! {
                    () = watch => {}
                    () = async {
                        while !stuck.is_finished() {
                            tokio::time::sleep(GAP).await;
                        }
                    } => {}
                }
            });
        });
        assert!(!pace.0.load(Ordering::Relaxed), "it is slow now");
    }
}
