//! What one process says in the host's log: bounded in lines, and without secrets.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

use super::calls::Calls;
use crate::plugin::loaded::in_process;
use crate::plugin::{excerpt, excerpted};
use crate::request_id::RequestId;

/// How many lines a process may write per second, over a longer time and at once. A process that writes without end costs the host's time and
/// the operator's disk.
const LINES_PER_SECOND: f64 = 1000.0;
const LINES_AT_ONCE: f64 = 5000.0;
/// What is looked at of a line at most: several times what is shown of it.
const LOOKED_AT: usize = 16 * 1024;

/// The lines of one process, its log's and its standard streams' together.
#[derive(Debug)]
pub(super) struct Voice {
    driver: Arc<str>,
    calls: Arc<Calls>,
    budget: Mutex<Budget>,
}

impl Voice {
    pub(super) fn new(driver: Arc<str>, calls: Arc<Calls>) -> Self {
        Voice {
            driver,
            calls,
            budget: Mutex::new(Budget::new(Instant::now())),
        }
    }

    /// A line that the driver has logged. In one that belongs to a call the process has masked the secrets.
    pub(super) fn log(&self, level: u8, request_id: Option<[u8; 16]>, message: &str) {
        if !self.may_speak() {
            return;
        }
        let message = match request_id {
            Some(_) => excerpted(message),
            None => excerpted(&self.calls.masked(message)),
        };
        let request_id = request_id.map(RequestId::from_bytes);
        in_process::write_line(level, &self.driver, request_id, &message);
    }

    /// A line that was written to a standard stream.
    pub(super) fn say(&self, stream: &str, line: &str) {
        if line.is_empty() || !self.may_speak() {
            return;
        }
        let line = &line[..line.floor_char_boundary(LOOKED_AT)];
        let line = excerpt(&self.calls.masked(line));
        tracing::info!(target: "driver", driver = &*self.driver, stream, "{line}");
    }

    fn may_speak(&self) -> bool {
        let spent = self.budget.lock().spend(Instant::now());
        if let Some(lost @ 1..) = spent {
            self.tell(lost);
        }
        spent.is_some()
    }

    fn tell(&self, lost: u64) {
        tracing::warn!(
            driver = &*self.driver,
            "{lost} lines of the driver were dropped: it wrote more than {LINES_PER_SECOND} per second"
        );
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        let lost = self.budget.get_mut().lost;
        if lost > 0 {
            self.tell(lost);
        }
    }
}

/// Lines that may still be written.
#[derive(Debug)]
struct Budget {
    left: f64,
    since: Instant,
    lost: u64,
}

impl Budget {
    fn new(now: Instant) -> Self {
        Budget {
            left: LINES_AT_ONCE,
            since: now,
            lost: 0,
        }
    }

    /// Takes one line. If there is one, how many were lost before it.
    fn spend(&mut self, now: Instant) -> Option<u64> {
        let passed = now.saturating_duration_since(self.since).as_secs_f64();
        self.since = now;
        self.left = (self.left + passed * LINES_PER_SECOND).min(LINES_AT_ONCE);
        if self.left < 1.0 {
            self.lost += 1;
            return None;
        }
        self.left -= 1.0;
        Some(std::mem::take(&mut self.lost))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_flood_of_lines_is_cut_and_what_was_lost_is_counted() {
        let now = Instant::now();
        let mut budget = Budget::new(now);
        let written = (0..20_000).filter(|_| budget.spend(now).is_some()).count();
        assert_eq!(written, 5000);
        assert_eq!(budget.spend(now + Duration::from_millis(2)), Some(15_000));
        assert_eq!(budget.spend(now + Duration::from_millis(2)), Some(0));
        assert_eq!(budget.spend(now + Duration::from_millis(2)), None);
        let later = now + Duration::from_secs(3600);
        assert_eq!(
            (0..20_000).filter(|_| budget.spend(later).is_some()).count(),
            5000
        );
    }
}
