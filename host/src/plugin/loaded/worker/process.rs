//! One worker process: started with nothing that is not its business, watched, and ended with everything that it has started.
//!
//! Each has a thread here that starts it, waits for its end and buries it, so that whatever the kernel takes its time for keeps no thread
//! of the runtime. And the thread lives as long as the process does: the end of a thread is what the parent-death signal tells of.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;

use nix::sys::signal::Signal;
use parking_lot::Mutex;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use tokio::sync::{oneshot, watch};

use super::isolation::Confinement;
use super::strays::Mark;

/// What of the host's environment a driver may need to find libraries, programs and certificates, and to write dates and texts; nothing else
/// is handed on.
const HANDED_ON: [&str; 8] = [
    "PATH",
    "LD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "TZ",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
];

/// A process that runs a driver. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Process {
    pid: Pid,
    /// Whether the id is still its own.
    is_its_own: Arc<Mutex<bool>>,
    life: watch::Receiver<Life>,
}

/// How far it has come.
#[derive(Debug, Clone, Copy)]
enum Life {
    Runs,
    /// It has ended, in this manner if that is known.
    Ended(Option<ExitStatus>),
    /// And nothing that it has started is left.
    Over(Option<ExitStatus>),
}

/// A process that has just been started, and the ways to it.
pub(super) struct Started {
    pub(super) process: Process,
    pub(super) stream: UnixStream,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
}

impl Process {
    /// Starts this program again, as a worker.
    ///
    /// # Errors
    /// The operating system refuses it a process, a thread, a socket or its user.
    pub(super) async fn start(confinement: &Confinement) -> io::Result<Started> {
        let (stream, theirs) = UnixStream::pair()?;
        let mark = Mark::new();
        let mut command = command(confinement, &mark);
        command.stdin(Stdio::from(OwnedFd::from(theirs)));
        Process::begin(command, mark, stream).await
    }

    /// Starts any program, which is spoken to on the other end of `stream`.
    pub(super) async fn begin(mut command: Command, mark: Mark, stream: UnixStream) -> io::Result<Started> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let (tell, told) = oneshot::channel();
        std::thread::Builder::new()
            .name("host-child".to_owned())
            .spawn(move || attend(command, &mark, tell))?;
        let (process, stdout, stderr) = told
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()))?;
        Ok(Started {
            process,
            stream,
            stdout,
            stderr,
        })
    }

    /// The process's id.
    pub(super) fn id(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Waits until it has ended, by itself or not, and answers how if that is known.
    pub(super) async fn ended(&self) -> Option<ExitStatus> {
        self.reach(|life| match life {
            Life::Runs => None,
            Life::Ended(status) | Life::Over(status) => Some(status),
        })
        .await
    }

    /// Waits until it has ended, and everything that it has started too.
    pub(super) async fn over(&self) {
        self.reach(|life| match life {
            Life::Over(status) => Some(status),
            _ => None,
        })
        .await;
    }

    async fn reach(&self, reached: impl Fn(Life) -> Option<Option<ExitStatus>>) -> Option<ExitStatus> {
        let mut life = self.life.clone();
        // An error is a thread that is not there any more.
        let life = life.wait_for(|life| reached(*life).is_some()).await.ok()?;
        reached(*life).flatten()
    }

    /// Whether it has ended.
    pub(super) fn has_ended(&self) -> bool {
        !matches!(*self.life.borrow(), Life::Runs)
    }

    /// Kills it and its group. What has left the group follows when it is dead.
    pub(super) fn kill(&self) {
        if *self.is_its_own.lock() {
            kill_group(self.pid);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn command(confinement: &Confinement, mark: &Mark) -> Command {
    // The program that runs now, whatever has become of its file.
    let mut command = Command::new("/proc/self/exe");
    command.arg0("host-worker").arg("worker");
    for (option, value) in confinement.options() {
        command.arg(option).arg(value.to_string());
    }
    let kept = HANDED_ON
        .iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)));
    let (name, value) = mark.variable();
    command
        .env_clear()
        .envs(kept)
        .env(name, value)
        .current_dir("/")
        .process_group(0);
    if let Some(user) = &confinement.user {
        // The other groups of the host's user are taken away with it.
        command.uid(user.uid).gid(user.gid);
    }
    command
}

/// The process, and what it writes to.
type Begun = io::Result<(Process, ChildStdout, ChildStderr)>;

/// Starts a process and stays with it to its end.
fn attend(mut command: Command, mark: &Mark, tell: oneshot::Sender<Begun>) {
    let spawned = command.spawn();
    // With it goes this side's copy of the process's end of the socket.
    drop(command);
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            // Who has stopped waiting wants no process.
            let _ = tell.send(Err(error));
            return;
        }
    };
    let pid = Pid::from_child(&child);
    let is_its_own = Arc::new(Mutex::new(true));
    let (say, life) = watch::channel(Life::Runs);
    let process = Process {
        pid,
        is_its_own: is_its_own.clone(),
        life,
    };
    // A process that nobody takes is dropped here, and killed by that.
    let _ = tell.send(match (child.stdout.take(), child.stderr.take()) {
        (Some(stdout), Some(stderr)) => Ok((process, stdout, stderr)),
        _ => Err(io::ErrorKind::BrokenPipe.into()),
    });
    let status = wait(&mut child, pid, &is_its_own);
    say.send_replace(Life::Ended(status));
    let left = mark.kill();
    if left > 0 {
        tracing::warn!(
            process = pid.as_raw_nonzero().get(),
            left,
            "what the process had started does not die"
        );
    }
    say.send_replace(Life::Over(status));
}

/// Waits for the end of a process, kills its group, and lets its id go only then.
fn wait(child: &mut Child, pid: Pid, is_its_own: &Mutex<bool>) -> Option<ExitStatus> {
    let ended = loop {
        match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            Err(rustix::io::Errno::INTR) => {}
            other => break other,
        }
    };
    let mut is_its_own = is_its_own.lock();
    *is_its_own = false;
    // An error: code in this process has waited for every child there is. Then the id may be another's already.
    ended.ok()?;
    kill_group(pid);
    child.wait().ok()
}

fn kill_group(pid: Pid) {
    // It may have no processes any more.
    let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
}

/// Whether a process was killed from outside, as far as that shows.
pub(super) fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::SIGKILL as i32)
}

/// Whether a process has given up by itself.
pub(super) fn has_aborted(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::SIGABRT as i32)
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
