//! What has happened in a run.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::rest::Size;
use super::trouble::Trouble;
use super::verdict::Ends;
use super::visitors::Visits;

/// What has happened in a run.
#[derive(Debug, Default)]
pub struct Tally {
    /// Calls, by how they ended for their clients.
    pub ends: Ends,
    /// Processes of drivers that were killed.
    pub kills: u64,
    /// Hosts that were killed.
    pub hosts: u64,
    /// Processes that were stopped for a while.
    pub stops: u64,
    /// Drivers that were quarantined, and released.
    pub released: u64,
    /// Programs that drivers have started and left behind.
    pub programs: u64,
    /// Requests that were hostile, or only half there.
    pub halves: u64,
    /// Reads, each of which was answered.
    pub reads: u64,
    /// How large hosts were that were not killed: first, later, and how many records they had kept in between.
    pub(super) sizes: Vec<(Size, Size, u64)>,
}

impl Tally {
    pub(super) fn add(&mut self, ends: Ends) {
        for (end, calls) in ends {
            *self.ends.entry(end).or_default() += calls;
        }
    }

    pub(super) fn lived(&mut self, visits: &Visits, trouble: &Trouble<'_>, killed: bool) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        self.kills += u64::try_from(trouble.kills.len()).expect("small");
        self.hosts += u64::from(killed);
        self.stops += u64::from(trouble.stops);
        self.released += u64::from(trouble.released);
        self.programs += read(&visits.programs);
        self.halves += read(&visits.halves);
        self.reads += read(&visits.reads);
    }

    /// Calls that ended in this way.
    pub fn ended(&self, end: &str) -> u64 {
        self.ends.get(end).copied().unwrap_or_default()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} processes and {} hosts killed, {} stopped for a while, {} drivers released from quarantine",
            self.kills, self.hosts, self.stops, self.released
        )?;
        writeln!(
            f,
            "{} programs left behind, {} hostile or half requests, {} reads",
            self.programs, self.halves, self.reads
        )?;
        writeln!(f, "{} calls:", self.ends.values().sum::<u64>())?;
        for (end, calls) in &self.ends {
            writeln!(f, "  {calls:>8}  {end}")?;
        }
        for (warm, last, records) in &self.sizes {
            writeln!(f, "host: {warm}; after {records} more records: {last}")?;
        }
        Ok(())
    }
}
