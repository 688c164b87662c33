//! One ipmitool as a child process: started, told the password, read, and in any case gone when this is over.
//!
//! It cannot outlive the host, however that ends: `setpriv` asks the kernel to kill it when the thread that started it ends.

use std::future::Future;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{kill_process_group, Pid, Signal};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use crate::command_line::CommandLine;
use crate::failure::Failure;
use crate::installed::{Installed, SETPRIV};
use crate::patience::Ended;

/// The most that is read of either stream, in bytes: an event log of 16,000 entries.
const LARGEST_OUTPUT: u64 = 8 * 1024 * 1024;

/// What an ipmitool left behind.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) succeeded: bool,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// Runs ipmitool to its end, or until `run_out` says that nobody waits any more.
///
/// # Errors
/// It cannot be started, writes without end, or was killed.
pub(crate) async fn run(
    installed: &Installed,
    line: CommandLine,
    run_out: impl Future<Output = Ended>,
) -> Result<Output, Failure> {
    let mut command = Command::from(installed.command());
    command
        .args(&line.arguments)
        .envs(line.environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own: what a terminal sends to the host is not for it, and whatever it starts dies with it.
        .process_group(0)
        .kill_on_drop(true);
    let mut child = Running(command.spawn().map_err(Failure::NotRun)?);
    let result = tokio::select! {
        output = child.converse(line.input) => output,
        ended = run_out => Err(Failure::Ended { ended, begun: true }),
    };
    if result.is_err() {
        child.kill().await;
    }
    result
}

struct Running(Child);

impl Running {
    async fn converse(&mut self, input: Vec<u8>) -> Result<Output, Failure> {
        let Running(child) = self;
        if let Some(pid) = child.id() {
            dies_with_parent(pid).await;
        }
        if let Some(mut stdin) = child.stdin.take() {
            // One that has ended already says why in its output.
            let _ended_meanwhile = stdin.write_all(&input).await;
        }
        let (stdout, stderr) = tokio::try_join!(read(child.stdout.take()), read(child.stderr.take()))?;
        let status = child.wait().await.map_err(Failure::NotRun)?;
        Ok(Output {
            succeeded: status.success(),
            stdout,
            stderr,
        })
    }

    /// Kills it with all that it has started, and waits until it is gone.
    async fn kill(&mut self) {
        let Running(child) = self;
        if let Some(group) = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw)
        {
            let _ended_meanwhile = kill_process_group(group, Signal::KILL);
        }
        let _status = child.wait().await;
    }
}

/// Waits until `setpriv` has become ipmitool. Without a password ipmitool does nothing, and it gets it only when the host's end
/// would be its own: so none is left behind by a host that is killed right here.
async fn dies_with_parent(pid: u32) {
    let name = format!("/proc/{pid}/comm");
    while std::fs::read_to_string(&name).is_ok_and(|name| name.trim_end() == SETPRIV) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn read(stream: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        let mut bounded = stream.take(LARGEST_OUTPUT + 1);
        bounded.read_to_end(&mut bytes).await.map_err(Failure::NotRun)?;
        if bounded.limit() == 0 {
            return Err(Failure::TooMuch);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
