//! How much of the machine somebody else has used during a turn.

use anyhow::{Context, Result};

use crate::load::as_f64;

/// A round in which others took a larger part of the machine is repeated, as far as there is patience.
pub(crate) const TOLERATED: f64 = 0.05;

/// The machine's clocks at one moment, in ticks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clocks {
    all: u64,
    used: u64,
    own: u64,
}

impl Clocks {
    /// Now. `own` is the CPU time of the processes of the run that have not ended, in ticks; those that have are known.
    pub(crate) fn now(own: u64) -> Result<Clocks> {
        let stat = std::fs::read_to_string("/proc/stat")?;
        let first = stat.lines().next().context("/proc/stat")?;
        // user, nice, system, idle, iowait, irq, softirq, steal. Interrupts are the network's, so the run's own.
        let ticks: Vec<u64> = first
            .split_whitespace()
            .skip(1)
            .filter_map(|tick| tick.parse().ok())
            .collect();
        let sum = |columns: &[usize]| columns.iter().filter_map(|column| ticks.get(*column)).sum();
        Ok(Clocks {
            all: sum(&[0, 1, 2, 3, 4, 5, 6, 7]),
            used: sum(&[0, 1, 2, 7]),
            own: own + ended_children()?,
        })
    }

    /// Which part of the machine others have used since `before`.
    pub(crate) fn others_since(&self, before: &Clocks) -> f64 {
        let used = self.used.saturating_sub(before.used);
        let own = self.own.saturating_sub(before.own);
        let all = self.all.saturating_sub(before.all);
        as_f64(used.saturating_sub(own)) / as_f64(all.max(1))
    }
}

/// CPU time of the children of this process that were waited for: wrk, above all.
fn ended_children() -> Result<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').context("/proc/self/stat")?;
    // User and system time of children are the fields 16 and 17 of the whole.
    let fields = fields.split_whitespace().skip(13).take(2);
    Ok(fields.filter_map(|field| field.parse::<u64>().ok()).sum())
}
