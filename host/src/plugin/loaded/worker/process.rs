//! One worker process: started with nothing that is not its business, watched, and ended with everything that it has started.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};

use nix::sys::signal::Signal;
use parking_lot::Mutex;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use tokio::sync::watch;

use super::isolation::Confinement;

/// What of the host's environment a driver may need to find programs and to write dates and texts; nothing else is handed on.
const HANDED_ON: [&str; 5] = ["PATH", "TZ", "LANG", "LC_ALL", "LC_CTYPE"];

/// A process that runs a driver. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Process {
    child: Mutex<Child>,
    pid: Pid,
    exited: watch::Receiver<bool>,
}

/// A process that has just been started, and the ways to it.
pub(super) struct Started {
    pub(super) process: Process,
    pub(super) stream: UnixStream,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
}

impl Process {
    /// Starts this program again, as a worker. To be called inside the runtime.
    ///
    /// # Errors
    /// The operating system refuses it a process, a socket or its user.
    pub(super) fn start(confinement: &Confinement) -> io::Result<Started> {
        let (stream, theirs) = UnixStream::pair()?;
        // The program that runs now, whatever has become of its file.
        let mut command = Command::new("/proc/self/exe");
        command.arg0("host-worker").arg("worker");
        for (option, value) in confinement.options() {
            command.arg(option).arg(value.to_string());
        }
        let kept = HANDED_ON
            .iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?)));
        command.env_clear().envs(kept).current_dir("/").process_group(0);
        if let Some(user) = &confinement.user {
            // The other groups of the host's user are taken away with it.
            command.uid(user.uid).gid(user.gid);
        }
        command
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Libraries in this process may have opened files that would be inherited.
        close_fds::set_fds_cloexec_threadsafe(3, &[]);
        let mut child = command.spawn()?;
        let streams = (child.stdout.take(), child.stderr.take());
        let pid = Pid::from_child(&child);
        let mut process = Unwatched(Some(child));
        let exited = watched(pid)?;
        let (Some(stdout), Some(stderr), Some(child)) = (streams.0, streams.1, process.0.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        Ok(Started {
            process: Process {
                child: Mutex::new(child),
                pid,
                exited,
            },
            stream,
            stdout,
            stderr,
        })
    }

    /// The process's id.
    pub(super) fn id(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Waits until it has ended, by itself or not.
    pub(super) async fn exited(&self) {
        // An error is a watch that has ended, as it does with the process.
        let _ = self.exited.clone().wait_for(|exited| *exited).await;
    }

    /// Whether it has ended.
    pub(super) fn has_exited(&self) -> bool {
        *self.exited.borrow()
    }

    /// Kills it and what it has started.
    pub(super) fn kill(&self) {
        kill_group(self.pid);
    }

    /// Kills what is left of it and of what it has started, and tells how it has ended. Blocks for as long as the kernel takes.
    pub(super) fn bury(&self) -> io::Result<ExitStatus> {
        self.kill();
        self.child.lock().wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already done if it was buried; then nothing has its id any more.
        if let Ok(None) = self.child.get_mut().try_wait() {
            let _ = self.bury();
        }
    }
}

/// Becomes true when the process has ended. It is not waited for, so that its id stays its own until it is buried.
fn watched(pid: Pid) -> io::Result<watch::Receiver<bool>> {
    let (exited, seen) = watch::channel(false);
    std::thread::Builder::new()
        .name("host-child".to_owned())
        .spawn(move || {
            while let Err(rustix::io::Errno::INTR) =
                waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
            {}
            exited.send_replace(true);
        })?;
    Ok(seen)
}

/// A process that cannot be watched must not run.
struct Unwatched(Option<Child>);

impl Drop for Unwatched {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            kill_group(Pid::from_child(child));
            let _ = child.wait();
        }
    }
}

fn kill_group(pid: Pid) {
    // It may have no processes any more.
    let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
}

/// How a process has ended, as the end of a sentence that begins with it.
pub(super) fn manner(status: ExitStatus) -> String {
    if let Some(number) = status.signal() {
        return match Signal::try_from(number) {
            Ok(signal) => format!("was killed by signal {number} ({})", signal.as_str()),
            Err(_) => format!("was killed by signal {number}"),
        };
    }
    match status.code() {
        Some(code) => format!("exited with code {code}"),
        None => "has ended".to_owned(),
    }
}
