//! Waiting for a condition: the suite has no bare sleeps.

use std::time::{Duration, Instant};

/// Asks `condition` again and again until it gives a value, and returns that.
///
/// # Panics
/// When `deadline` has passed; the message names `what` was waited for.
pub fn eventually<T>(what: &str, deadline: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(started.elapsed() < deadline, "not within {deadline:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
