//! A process that was started for the run, and what the kernel says of it.

use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// A running program. Killed when it is dropped.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Result<Process> {
        let child = command.stdin(Stdio::null()).spawn();
        Ok(Process(child.with_context(|| format!("{command:?}"))?))
    }

    /// CPU time so far, of all threads, in ticks of the clock.
    pub(crate) fn ticks(&self) -> Result<u64> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        // The name in parentheses may hold anything; user and system time are the fields 14 and 15 of the whole.
        let (_, fields) = text.rsplit_once(')').context("/proc/PID/stat")?;
        let fields = fields.split_whitespace().skip(11).take(2);
        Ok(fields.filter_map(|field| field.parse::<u64>().ok()).sum())
    }

    pub(crate) fn memory(&self) -> Result<Memory> {
        Memory::of(&self.0.id().to_string())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended_meanwhile = self.0.kill();
        let _status = self.0.wait();
    }
}

/// What a process holds, in KiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Resident, shared pages included.
    pub(crate) rss: u64,
    /// Resident, shared pages divided among those who share them.
    pub(crate) pss: u64,
    /// What nobody else has and the process has written: it would be free if the process ended.
    pub(crate) dirty: u64,
    /// Pages of files that only this process has mapped; the system can drop them.
    pub(crate) clean: u64,
}

impl Memory {
    /// Of a process, or of `self`.
    pub(crate) fn of(process: &str) -> Result<Memory> {
        let text = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
        let size = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
                .unwrap_or(0)
        };
        Ok(Memory {
            rss: size("Rss:"),
            pss: size("Pss:"),
            dirty: size("Private_Dirty:"),
            clean: size("Private_Clean:"),
        })
    }
}
