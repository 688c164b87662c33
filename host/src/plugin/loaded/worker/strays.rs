//! What a worker process has started and what has left its group since: found by a mark in the environment, which a process inherits from
//! whoever started it.
//!
//! So it does not matter who is dead already. What escapes is a process that has left the group *and* was started with an environment of
//! its own. The host adopts nothing (it is no subreaper): the children of drivers in its own process are theirs to wait for.

use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, getpid, kill_process, pidfd_open, pidfd_send_signal};
use uuid::Uuid;

/// The variable.
const NAME: &str = "HOST_WORKER";
/// How often it is looked for processes that were started while those that start them were being killed.
const ROUNDS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(5);

/// What tells the processes of one worker from all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark(String);

impl Mark {
    /// A new one.
    pub(super) fn new() -> Self {
        Mark(Uuid::new_v4().simple().to_string())
    }

    /// The one that this process was started with.
    pub(super) fn inherited() -> Option<Self> {
        std::env::var(NAME).ok().map(Mark)
    }

    /// As a variable of the environment.
    pub(super) fn variable(&self) -> (&'static str, &str) {
        (NAME, &self.0)
    }

    /// Kills whatever bears the mark, but for this process. How many of them are still there: a process that the kernel keeps busy dies later.
    pub(super) fn kill(&self) -> usize {
        let mut left = 0;
        for _ in 0..ROUNDS {
            left = self.kill_once();
            if left == 0 {
                break;
            }
            std::thread::sleep(PAUSE);
        }
        left
    }

    fn kill_once(&self) -> usize {
        let Ok(listed) = std::fs::read_dir("/proc") else {
            return 0;
        };
        let pids = listed.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        pids.filter_map(Pid::from_raw)
            .filter(|pid| *pid != getpid() && self.is_borne_by(*pid))
            .map(|pid| self.kill_one(pid))
            .count()
    }

    fn kill_one(&self, pid: Pid) {
        // What ends by itself meanwhile is as good as killed.
        let _ = match pidfd_open(pid, PidfdFlags::empty()) {
            // The id may belong to another process by now; the descriptor stays with the one that it was opened for.
            Ok(process) if self.is_borne_by(pid) => pidfd_send_signal(process, Signal::KILL),
            Ok(_) => Ok(()),
            // An old kernel, or a sandbox that does not know the call.
            Err(_) => kill_process(pid, Signal::KILL),
        };
    }

    /// A process that is dead has no environment any more.
    fn is_borne_by(&self, pid: Pid) -> bool {
        let environment = std::fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero()));
        environment.is_ok_and(|environment| {
            environment.split(|byte| *byte == 0).any(|variable| {
                let value = variable.strip_prefix(NAME.as_bytes());
                value.and_then(|value| value.strip_prefix(b"=")) == Some(self.0.as_bytes())
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn what_bears_the_mark_is_killed_wherever_it_has_gone_and_nothing_else() {
        let (mark, other) = (Mark::new(), Mark::new());
        let sleeper = |mark: &Mark| {
            let (name, value) = mark.variable();
            Command::new("sleep")
                .arg("600")
                .env(name, value)
                .process_group(0)
                .stdin(Stdio::null())
                .spawn()
                .expect("a process")
        };
        let (mut marked, mut unmarked) = (sleeper(&mark), sleeper(&other));
        // A process that is still becoming the program has the environment of its parent.
        while std::fs::read(format!("/proc/{}/comm", marked.id())).expect("a process") != b"sleep\n" {
            std::thread::yield_now();
        }
        assert_eq!(mark.kill(), 0);
        let status = marked.wait().expect("its status");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
        assert!(unmarked.try_wait().expect("its status").is_none(), "it runs on");
        unmarked.kill().expect("a running process");
        unmarked.wait().expect("its status");
    }
}
