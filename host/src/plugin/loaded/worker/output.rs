//! What a worker process writes to its standard streams: lines of the log, under the driver's name.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{ChildStderr, ChildStdout};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::watch;
use tokio::task::unconstrained;

use super::voice::Voice;

/// The longest line that is read as one. Of what is longer only the beginning is logged: the rest could begin inside a secret.
const LINE: u64 = 64 * 1024;
/// How long the last line of a process that has ended is waited for.
const LAST_LINE: Duration = Duration::from_millis(100);
/// What Rust and C++ say when they get no memory.
const NO_MEMORY: [&str; 2] = ["memory allocation of ", "std::bad_alloc"];

/// How long the streams are read when the process and all that it has started are gone: somebody may hold them who has escaped.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What is known of it. Dropped, it ends the reading.
#[derive(Debug)]
pub(super) struct Output {
    no_memory: watch::Receiver<bool>,
    _read_on: watch::Sender<()>,
}

impl Output {
    /// Logs what comes from `stdout` and `stderr` until both are closed. To be called inside the runtime.
    ///
    /// # Errors
    /// They cannot be read without blocking.
    pub(super) fn log(voice: &Arc<Voice>, stdout: ChildStdout, stderr: ChildStderr) -> io::Result<Self> {
        let (say, no_memory) = watch::channel(false);
        let (read_on, gone) = watch::channel(());
        let lines = |stream, descriptor| {
            Ok::<_, io::Error>(Lines {
                voice: voice.clone(),
                stream,
                receiver: Receiver::from_owned_fd(descriptor)?,
            })
        };
        let stdout = lines("stdout", OwnedFd::from(stdout))?;
        let stderr = lines("stderr", OwnedFd::from(stderr))?;
        tokio::spawn(unconstrained(until(gone.clone(), stdout.log(|_| {}))));
        let listen = move |line: &str| {
            if NO_MEMORY.iter().any(|words| line.contains(words)) {
                say.send_replace(true);
            }
        };
        tokio::spawn(unconstrained(until(gone, stderr.log(listen))));
        Ok(Output {
            no_memory,
            _read_on: read_on,
        })
    }

    /// Whether the process has said that it gets no more memory.
    pub(super) async fn tells_of_memory(&self) -> bool {
        let mut no_memory = self.no_memory.clone();
        let said = tokio::time::timeout(LAST_LINE, no_memory.wait_for(|said| *said)).await;
        matches!(said, Ok(Ok(_)))
    }
}

async fn until(mut gone: watch::Receiver<()>, log: impl Future<Output = ()>) {
    tokio::select! {
        () = log => {}
        () = async {
            // Nothing is ever sent: the error is the end.
            let _ = gone.changed().await;
            tokio::time::sleep(LAST_WORDS).await;
        } => {}
    }
}

struct Lines {
    voice: Arc<Voice>,
    stream: &'static str,
    receiver: Receiver,
}

impl Lines {
    async fn log(self, heard: impl Fn(&str)) {
        let mut lines = BufReader::new(self.receiver);
        let mut line = Vec::new();
        let mut is_whole = true;
        loop {
            line.clear();
            match (&mut lines).take(LINE).read_until(b'\n', &mut line).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let is_beginning = is_whole;
            is_whole = line.last() == Some(&b'\n');
            if !is_beginning {
                continue;
            }
            let text = String::from_utf8_lossy(&line);
            heard(&text);
            self.voice.say(self.stream, text.trim_end());
        }
    }
}
