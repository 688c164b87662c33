//! A bare socket pair: a process that writes back what it reads, and does nothing else.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use crate::process::Process;

/// This end, and the process at the other one.
pub(super) struct Pair {
    process: Process,
    stream: UnixStream,
}

impl Pair {
    pub(super) fn start() -> Result<Pair> {
        let (stream, theirs) = UnixStream::pair()?;
        let mut command = Command::new(std::env::current_exe()?);
        let process = Process::start_with(command.arg("--echo"), Stdio::from(OwnedFd::from(theirs)))?;
        Ok(Pair { process, stream })
    }

    pub(super) fn process(&self) -> u32 {
        self.process.0.id()
    }

    pub(super) fn write(&self, bytes: &[u8]) -> Result<()> {
        Ok((&self.stream).write_all(bytes)?)
    }

    pub(super) fn read(&self, buffer: &mut [u8]) -> Result<usize> {
        let read = (&self.stream).read(buffer)?;
        ensure!(read > 0, "the process at the other end of the socket pair has gone");
        Ok(read)
    }
}

/// What the process at the other end does, until this end is closed. The socket is its standard input.
pub(crate) fn echo() -> Result<()> {
    // Read and written like a file, which it is when there is nothing to echo.
    let mut stream = File::from(rustix::io::dup(std::io::stdin())?);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            read => stream.write_all(&buffer[..read])?,
        }
    }
}
