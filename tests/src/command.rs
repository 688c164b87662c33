//! The host's commands that end by themselves.

use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::{Built, Log, eventually};

/// What a command said, and how it ended.
#[derive(Debug)]
pub struct CommandOutput {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// The signal that ended it, if one has.
    pub signal: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl CommandOutput {
    /// Checks that the command was content.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Checks the exit code and that standard error holds `text`.
    #[track_caller]
    pub fn failed(self, code: i32, text: &str) -> Self {
        assert_eq!(
            self.code, code,
            "stdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        assert!(self.stderr.contains(text), "{:?} lacks {text:?}", self.stderr);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("{e}: {:?} {:?}", self.stdout, self.stderr))
    }

    /// Both streams, for tests of what must not be said anywhere.
    pub fn everything(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }
}

/// Runs `host ARGUMENTS` to its end, which must come within a minute.
pub fn host_command<S: AsRef<OsStr>>(arguments: &[S]) -> CommandOutput {
    let mut command = Command::new(Built::host());
    command
        .args(arguments)
        .env_remove("RUST_BACKTRACE")
        .env_remove("RUST_LOG");
    run_to_end(command, Duration::from_secs(60))
}

/// Runs `command` to its end.
///
/// # Panics
/// When it has not ended by the deadline; it is killed then.
pub fn run_to_end(mut command: Command, deadline: Duration) -> CommandOutput {
    let what = format!("{command:?} ends");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let (stdout, stderr) = (Log::default(), Log::default());
    let collectors = [
        stdout.collect(child.stdout.take().expect("its standard output")),
        stderr.collect(child.stderr.take().expect("its standard error")),
    ];
    let mut killer = Killer(Some(child));
    let status = eventually(&what, deadline, || {
        killer
            .0
            .as_mut()
            .and_then(|child| child.try_wait().expect("a child of this process"))
    });
    killer.0 = None;
    for collector in collectors {
        collector.join().expect("everything that it wrote");
    }
    CommandOutput {
        code: status.code().unwrap_or(-1),
        signal: status.signal(),
        stdout: stdout.text(),
        stderr: stderr.text(),
    }
}

/// Kills a command that did not end.
struct Killer(Option<std::process::Child>);

impl Drop for Killer {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ended_meanwhile = child.kill();
            let _status = child.wait();
        }
    }
}
