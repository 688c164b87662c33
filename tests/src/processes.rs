//! Processes that a test has not started itself, as `/proc` shows them.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::eventually;

/// How long a process may take to end by a signal. Generous: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process. Its id may be given to another one when it has gone; with the time of its start it is itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    started: u64,
}

/// What `/proc/PID/stat` says.
struct Stat {
    process: Process,
    parent: i32,
    state: String,
}

fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Its name may hold anything, brackets and spaces too.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    Some(Stat {
        process: Process {
            pid,
            started: fields.get(19)?.parse().ok()?,
        },
        parent: fields.get(1)?.parse().ok()?,
        state: (*fields.first()?).to_owned(),
    })
}

fn stats() -> impl Iterator<Item = Stat> {
    let entries = fs::read_dir("/proc").expect("/proc").map_while(Result::ok);
    entries.filter_map(|entry| stat(entry.file_name().to_str()?.parse().ok()?))
}

impl Process {
    /// The process that has this id now.
    pub fn find(pid: u32) -> Option<Process> {
        Some(stat(i32::try_from(pid).ok()?)?.process)
    }

    /// All processes of the machine.
    pub fn all() -> Vec<Process> {
        stats().map(|stat| stat.process).collect()
    }

    /// Its children, those included that have ended and that it has not waited for.
    pub fn children(self) -> Vec<Process> {
        let children = stats().filter(|stat| stat.parent == self.pid);
        children.map(|stat| stat.process).collect()
    }

    /// Who has started it, or has taken it over.
    pub fn parent(self) -> Option<Process> {
        let parent = stat(self.pid).filter(|stat| stat.process == self)?.parent;
        Some(stat(parent)?.process)
    }

    /// Whether it is a descendant of this process.
    pub fn descends_from(self, ancestor: Process) -> bool {
        let mut next = self.parent();
        while let Some(process) = next {
            if process == ancestor {
                return true;
            }
            next = process.parent();
        }
        false
    }

    /// Whether it has not ended yet.
    pub fn runs(self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.process == self && !["Z", "X"].contains(&stat.state.as_str()))
    }

    /// Whether it was stopped by a signal, and waits for another one.
    pub fn is_stopped(self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.process == self && stat.state == "T")
    }

    /// Whether there is nothing of it any more: it has ended, and was waited for.
    pub fn has_gone(self) -> bool {
        stat(self.pid).is_none_or(|stat| stat.process != self)
    }

    /// Reads one of its files. Empty for a process that has ended.
    fn read(self, file: &str) -> Vec<u8> {
        let text = fs::read(format!("/proc/{}/{file}", self.pid)).unwrap_or_default();
        if self.has_gone() { Vec::new() } else { text }
    }

    /// The names of the mapped files below `folder`.
    pub fn mapped(self, folder: &str) -> Vec<String> {
        let maps = String::from_utf8_lossy(&self.read("maps")).into_owned();
        let below = maps.lines().filter_map(|line| Some(line.split_once(folder)?.1));
        below
            .map(|name| name.trim_start_matches('/').to_owned())
            .collect()
    }

    /// Whether a variable of the environment that it was started with has this value.
    pub fn was_given(self, name: &str, value: &str) -> bool {
        let wanted = format!("{name}={value}");
        let environment = self.read("environ");
        environment
            .split(|byte| *byte == 0)
            .any(|entry| entry == wanted.as_bytes())
    }

    /// Its id, its state and its command line, for people.
    pub fn shown(self) -> String {
        let state = stat(self.pid).map_or_else(String::new, |stat| stat.state);
        let words = String::from_utf8_lossy(&self.read("cmdline")).replace('\0', " ");
        format!("process {} ({state}) {}", self.pid, words.trim_end())
    }

    /// Its open files.
    pub fn descriptors(self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid)).map_or(0, Iterator::count)
    }

    /// Its threads.
    pub fn threads(self) -> usize {
        fs::read_dir(format!("/proc/{}/task", self.pid)).map_or(0, Iterator::count)
    }

    /// Its own memory that is in RAM: neither files nor what is shared.
    pub fn own_bytes(self) -> u64 {
        let status = String::from_utf8_lossy(&self.read("status")).into_owned();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kib.expect("the memory of a running process") * 1024
    }

    /// Sends it a signal, and nobody else. False if it has ended.
    pub fn send(self, signal: Signal) -> bool {
        let pid = Pid::from_raw(self.pid).expect("not 0");
        let Ok(descriptor) = pidfd_open(pid, PidfdFlags::empty()) else {
            return false;
        };
        // From here on the id is this process's, if it is still.
        self.runs() && pidfd_send_signal(&descriptor, signal).is_ok()
    }

    /// Sends it a signal that ends it, until it has.
    pub fn kill_with(self, signal: Signal) {
        eventually(&format!("{} ends by {signal:?}", self.pid), PATIENCE, || {
            // Rust's own handler takes the first SIGSEGV for itself; and one that is stopped takes none.
            (!self.send(signal) || !self.send(Signal::CONT)).then_some(())
        });
    }
}
