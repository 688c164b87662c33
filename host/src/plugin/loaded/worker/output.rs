//! What a worker process writes to its standard streams: lines of the log, under the driver's name.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{ChildStderr, ChildStdout};
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::unix::pipe::Receiver;

use crate::plugin::excerpt;

/// The longest line; what is longer becomes several.
const LINE: u64 = 4096;

/// Logs what comes from `stdout` and `stderr` until both are closed. To be called inside the runtime.
///
/// # Errors
/// They cannot be read without blocking.
pub(super) fn log(driver: &Arc<str>, stdout: ChildStdout, stderr: ChildStderr) -> io::Result<()> {
    let streams = [
        ("stdout", OwnedFd::from(stdout)),
        ("stderr", OwnedFd::from(stderr)),
    ];
    for (stream, descriptor) in streams {
        let receiver = Receiver::from_owned_fd(descriptor)?;
        tokio::spawn(log_lines(driver.clone(), stream, receiver));
    }
    Ok(())
}

async fn log_lines(driver: Arc<str>, stream: &'static str, receiver: Receiver) {
    let mut lines = BufReader::new(receiver);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut lines).take(LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        let text = excerpt(text.trim_end());
        if !text.is_empty() {
            tracing::info!(target: "driver", driver = &*driver, stream, "{text}");
        }
    }
}
