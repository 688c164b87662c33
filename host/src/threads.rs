//! The threads that carry requests and blocking driver calls alike.
//!
//! There is no second pool and no hand-off: the runtime has `workers.max` threads and a few more, and `workers.max` bounds
//! the calls that block one, so there are always threads left for accepting, reading, answering and timers.
//!
//! A thread that is inside a driver gives nothing away, so nothing may be left with it:
//! - The task that a thread woke last sits in a slot that no other thread can take from. The slot is empty whenever a task
//!   is polled; who wakes a task and then enters a driver in the same poll calls [`release_woken_task`] in between.
//! - The thread that was woken by a socket or a timer is the one that waits for them all, until another one parks. Who enters a
//!   driver tells the [`Watch`], or nobody hears a client, a deadline or a signal until the driver returns.
//! - A task that yields, or is made to by the runtime's budget for cooperation, goes to a list that its thread looks at
//!   only when it has nothing else to do. So no task here yields, and the connections are exempt from the budget:
//!   each of their requests waits for the call that it brought, and that is yielding enough.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

/// Threads beyond `workers.max`.
const SPARE: usize = 4;

/// A runtime in which `workers` threads can be inside drivers while all else goes on.
///
/// # Errors
/// The operating system gives no more threads.
pub fn runtime(workers: usize) -> std::io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(workers.saturating_add(SPARE))
        .thread_name("host-worker")
        .enable_all()
        .build()
}

/// How long nobody may wait for sockets and timers after a thread has entered a driver.
const GAP: Duration = Duration::from_millis(1);

/// Sees to it that a thread waits for sockets and timers while others are inside drivers.
///
/// When a thread is still in a driver a moment after one was entered, it gives the runtime a task from outside. The runtime wakes a
/// thread for it, and when that one has nothing else to do, it waits in place of the one that has gone. Waking one at each entry
/// would cost more than the calls.
pub struct Watch {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Default)]
struct Shared {
    /// A driver was entered since the watch looked last.
    entered: AtomicBool,
    /// Threads that are in drivers.
    inside: AtomicUsize,
    over: AtomicBool,
}

/// A thread's stay in a driver.
pub struct Inside<'a>(&'a Shared);

impl Watch {
    /// Starts the thread that watches `runtime`.
    ///
    /// # Errors
    /// The operating system gives no more threads.
    pub fn start(runtime: Handle) -> std::io::Result<Watch> {
        let shared = Arc::new(Shared::default());
        let watched = shared.clone();
        let watching = std::thread::Builder::new()
            .name("host-watch".to_owned())
            .spawn(move || {
                while !watched.over.load(Ordering::Acquire) {
                    if watched.entered.swap(false, Ordering::AcqRel) {
                        std::thread::sleep(GAP);
                        if watched.inside.load(Ordering::Acquire) > 0 {
                            runtime.spawn(async {});
                        }
                    } else {
                        std::thread::park();
                    }
                }
            })?;
        Ok(Watch {
            shared,
            thread: watching.thread().clone(),
        })
    }

    /// This thread is about to enter a driver, and stays in it until what this returns is dropped.
    pub fn enter(&self) -> Inside<'_> {
        let shared = &*self.shared;
        // Before the other: whoever looks a moment after the entry was seen finds the thread inside.
        shared.inside.fetch_add(1, Ordering::AcqRel);
        if !shared.entered.load(Ordering::Relaxed) && !shared.entered.swap(true, Ordering::AcqRel) {
            self.thread.unpark();
        }
        Inside(shared)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Makes the task that this thread has just woken one that every thread can run.
///
/// A second task pushes it out of the slot. On a thread that is not the runtime's there is no slot and nothing to do.
pub fn release_woken_task() {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(async {});
    }
}
