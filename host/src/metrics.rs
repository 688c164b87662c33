//! What is counted and timed where it happens, to be read when somebody asks for `/metrics`.
//!
//! Whoever has something to count owns the [`Counter`] or [`Histogram`] for it; what a limit, a lock or a process knows of itself is asked for
//! when it is read, and counted nowhere. Data flows one way: `http/metrics` reads, and nothing here knows who owns what. There is no
//! recorder of the whole process and no lookup by name, so a client can make no new series, and many hosts fit into one process.
//!
//! Counting is an atomic addition without order: figures that are read together may differ by what happened in between.

mod calls;
mod histogram;
mod process;

use std::sync::atomic::{AtomicU64, Ordering};

pub use calls::{MethodCalls, Outcome};
pub use histogram::{BOUNDS, Histogram, Times};
pub use process::{ProcessFigures, figures};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts one more.
    pub fn count(&self) {
        self.add(1);
    }

    /// Counts `more`.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How many were counted since the start.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
