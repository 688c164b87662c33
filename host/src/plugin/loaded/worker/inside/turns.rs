//! Whose turn it is to read orders.
//!
//! The thread that has read an order does what it says. Before it enters the driver it lays the reading down where any thread can take it up, and
//! when it has answered it takes it up again, if nobody has. To wake another one for each call would cost more than a quick call; so it wakes one only
//! if the driver has been slow at the same thing. In the other calls a watch looks whether somebody has not come back as expected, and
//! wakes one then.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::sync::Notify;

use super::connection::Incoming;

/// What takes longer is slow. To wake a thread takes some microseconds of two processors; more than so much work at a time should
/// not wait for one processor.
const QUICK: Duration = Duration::from_micros(50);
/// How long nobody may read, while calls follow each other, because a thread is in the driver that was expected to be quick.
const GAP: Duration = Duration::from_millis(1);
/// The same after a pause. The watch goes to sleep only after that: to wake it is what a call after a pause would wait for.
const LONGEST: Duration = Duration::from_millis(32);

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

/// How the driver's stays of one kind are expected to be.
///
/// A slow one makes the next ones slow; then one is tried as if it were quick, after twice as many each time. Without that a machine with much to do
/// would never come back: a thread that was woken may keep the one that has woken it from its processor.
#[derive(Debug)]
pub(super) struct Pace {
    /// So many more are expected to be slow.
    slow: AtomicU32,
    /// So many the next time.
    next: AtomicU32,
}

/// The most that are expected to be slow without a try.
const MOST: u32 = 1024;

impl Default for Pace {
    /// Nothing is known: the first one is slow.
    fn default() -> Self {
        Pace {
            slow: AtomicU32::new(1),
            next: AtomicU32::new(2),
        }
    }
}

impl Pace {
    fn is_quick(&self) -> bool {
        self.slow.load(Ordering::Relaxed) == 0
    }

    /// Learns from how long one took. What threads learn at the same moment may be lost.
    fn note(&self, took: Duration) {
        let slow = self.slow.load(Ordering::Relaxed);
        if took < QUICK {
            if slow > 0 {
                self.slow.store(0, Ordering::Relaxed);
                self.next.store(2, Ordering::Relaxed);
            }
        } else if slow > 0 {
            self.slow.store(slow - 1, Ordering::Relaxed);
        } else {
            let next = self.next.load(Ordering::Relaxed);
            self.slow.store(next, Ordering::Relaxed);
            self.next.store((next * 2).min(MOST), Ordering::Relaxed);
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
        let quick = pace.is_quick();
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
            let (mut seen, mut pause) = (None, GAP);
            while let Some(look) = self.look(&mut seen, pause) {
                match look {
                    Look::Moving => pause = GAP,
                    Look::Stuck { nobody } => self.call(nobody, &start),
                    Look::Still => {}
                }
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
    }

    /// What has happened since the last look; nothing if nobody needs a watch any more. `pause` is how long the next one would be.
    fn look(&self, seen: &mut Option<u64>, pause: Duration) -> Option<Look> {
        let mut state = self.state.lock();
        if seen.replace(state.laid_down) != Some(state.laid_down) {
            return Some(Look::Moving);
        }
        if state.incoming.is_some() {
            return Some(Look::Stuck {
                nobody: state.waiting == 0,
            });
        }
        if pause <= LONGEST {
            return Some(Look::Still);
        }
        state.watched = false;
        None
    }
}

/// What the watch sees.
enum Look {
    /// Threads come and go.
    Moving,
    /// There are no calls.
    Still,
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

    fn quick() -> Pace {
        let pace = Pace::default();
        pace.note(Duration::ZERO);
        pace
    }

    #[test]
    fn a_thread_is_called_for_what_is_expected_to_be_slow_and_not_for_what_was_quick() {
        let (_host, turns) = turns();
        for (pace, expected) in [(Pace::default(), true), (quick(), false)] {
            let mut called = false;
            turns.inside(turns.take(), &pace, || called = true, || {});
            assert_eq!(called, expected);
        }
    }

    #[test]
    fn what_is_slow_is_tried_as_quick_after_twice_as_many_each_time() {
        let pace = quick();
        for slow in [0, 2, 4, 8] {
            for _ in 0..slow {
                assert!(!pace.is_quick());
                pace.note(QUICK);
            }
            assert!(pace.is_quick(), "after {slow}");
            pace.note(QUICK);
        }
        pace.note(Duration::ZERO);
        assert!(pace.is_quick(), "one quick one is enough");
    }

    #[test]
    fn who_comes_back_takes_up_what_nobody_else_has() {
        let (_host, turns) = turns();
        let pace = quick();
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
        let pace = &quick();
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
        assert!(!pace.is_quick(), "it is slow now");
    }
}
