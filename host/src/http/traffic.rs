//! What passes through the listening side: open connections and their limit, and replies.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::Counter;

/// The names of the classes of status, as they are counted.
pub(super) const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Connections and replies of this host.
#[derive(Debug)]
pub struct Traffic {
    free: Arc<Semaphore>,
    max: u32,
    refused: Counter,
    replies: [Counter; CLASSES.len()],
}

impl Traffic {
    /// At most so many connections are open at once.
    pub fn new(max_connections: u32) -> Self {
        Traffic {
            free: Arc::new(Semaphore::new(
                usize::try_from(max_connections).unwrap_or(Semaphore::MAX_PERMITS),
            )),
            max: max_connections,
            refused: Counter::default(),
            replies: Default::default(),
        }
    }

    /// The place of one more connection, or nothing if all are taken.
    pub(super) fn admit(&self) -> Option<OwnedSemaphorePermit> {
        let place = self.free.clone().try_acquire_owned().ok();
        if place.is_none() {
            self.refused.count();
        }
        place
    }

    /// Counts a reply.
    pub(super) fn answered(&self, status: u16) {
        let class = usize::from(status / 100).saturating_sub(1);
        self.replies[class.min(CLASSES.len() - 1)].count();
    }

    /// How many connections are open.
    pub(super) fn open(&self) -> u64 {
        let free = u64::try_from(self.free.available_permits()).unwrap_or(0);
        self.max().saturating_sub(free)
    }

    /// How many may be open.
    pub(super) fn max(&self) -> u64 {
        u64::from(self.max)
    }

    /// How many connections were refused since the start.
    pub(super) fn refused(&self) -> u64 {
        self.refused.get()
    }

    /// How many replies there were since the start, by class of status.
    pub(super) fn replies(&self) -> impl Iterator<Item = (&'static str, u64)> {
        CLASSES.into_iter().zip(self.replies.iter().map(Counter::get))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_open_while_their_place_is_held_and_refusals_are_counted() {
        let traffic = Traffic::new(1);
        let place = traffic.admit().unwrap();
        assert!(traffic.admit().is_none());
        assert_eq!((traffic.open(), traffic.max(), traffic.refused()), (1, 1, 1));
        drop(place);
        assert_eq!(traffic.open(), 0);
    }

    #[test]
    fn replies_are_counted_by_class() {
        let traffic = Traffic::new(1);
        for status in [200, 202, 404, 503] {
            traffic.answered(status);
        }
        let replies: Vec<_> = traffic.replies().collect();
        assert_eq!(
            replies,
            [("1xx", 0), ("2xx", 2), ("3xx", 0), ("4xx", 1), ("5xx", 1)]
        );
    }
}
