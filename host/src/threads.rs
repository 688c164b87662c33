//! The threads that carry requests and blocking driver calls alike.
//!
//! There is no second pool and no hand-off: the runtime has `workers.max` threads and a few more, and `workers.max` bounds
//! the calls that block one, so there are always threads left for accepting, reading, answering and timers.
//!
//! A thread that is inside a driver gives nothing away, so nothing may be left with it:
//! - The task that a thread woke last sits in a slot that no other thread can take from. The slot is empty whenever a task
//!   is polled; who wakes a task and then enters a driver in the same poll calls [`release_woken_task`] in between.
//! - The thread that was woken by a socket or a timer is the one that waits for them all, until another one parks. Who enters a
//!   driver calls [`hand_over_waiting`] before, or nobody hears a client, a deadline or a signal until the driver returns.
//! - A task that yields, or is made to by the runtime's budget for cooperation, goes to a list that its thread looks at
//!   only when it has nothing else to do. So no task here yields, and the connections are exempt from the budget:
//!   each of their requests waits for the call that it brought, and that is yielding enough.

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

/// Wakes another thread, if none is awake: when it finds nothing to do it waits for sockets and timers in place of this one.
///
/// The runtime wakes a thread for a task that others can take, and the second of two tasks makes the first one that.
pub fn hand_over_waiting() {
    release_woken_task();
    release_woken_task();
}

/// Makes the task that this thread has just woken one that every thread can run.
///
/// A second task pushes it out of the slot. On a thread that is not the runtime's there is no slot and nothing to do.
pub fn release_woken_task() {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(async {});
    }
}
