//! A process that was started for the run, and what the kernel says of it.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

/// A running program. Killed when it is dropped.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Result<Process> {
        Process::start_with(command, Stdio::null())
    }

    /// With a standard input.
    pub(crate) fn start_with(command: &mut Command, stdin: Stdio) -> Result<Process> {
        let child = command.stdin(stdin).spawn();
        Ok(Process(child.with_context(|| format!("{command:?}"))?))
    }

    /// CPU time so far, of all threads, in ticks of the clock. That of processes which it has started counts as its own.
    pub(crate) fn ticks(&self) -> Result<u64> {
        let mut ticks = ticks(self.0.id())?;
        for child in self.children()? {
            ticks += ticks(child)?;
        }
        Ok(ticks)
    }

    /// The processes that it has started and that have not ended.
    pub(crate) fn children(&self) -> Result<Vec<u32>> {
        let mut children = Vec::new();
        for entry in std::fs::read_dir("/proc")? {
            let Ok(process) = entry?.file_name().to_string_lossy().parse() else {
                continue;
            };
            // One that has ended meanwhile is nobody's child.
            if stat(process).is_ok_and(|fields| fields.get(PARENT) == Some(&u64::from(self.0.id()))) {
                children.push(process);
            }
        }
        Ok(children)
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

/// Where the fields stand among those behind the program's name.
const PARENT: usize = 1;
const USER_AND_SYSTEM: std::ops::Range<usize> = 11..13;

/// The numbers behind the program's name; zero for what is none.
fn stat(process: u32) -> Result<Vec<u64>> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may hold anything.
    let (_, fields) = text.rsplit_once(')').context("/proc/PID/stat")?;
    Ok(fields.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect())
}

fn ticks(process: u32) -> Result<u64> {
    let fields = stat(process)?;
    Ok(fields.get(USER_AND_SYSTEM).context("/proc/PID/stat")?.iter().sum())
}

/// CPU time of a process so far, as precisely as the scheduler knows it. Threads that have ended are not in it.
pub(crate) fn cpu_time(process: u32) -> Result<Duration> {
    let mut all = 0;
    for thread in std::fs::read_dir(format!("/proc/{process}/task"))? {
        // One that ends meanwhile is not in it either.
        let text = std::fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        all += text.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(all))
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
