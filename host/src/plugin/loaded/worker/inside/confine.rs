//! What a worker process takes from itself before it loads a driver.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use anyhow::Context;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Resource, Rlimit, Signal, getpid, kill_process_group, setrlimit};

/// What the process may not exceed, as its command line says it.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Limits {
    /// Memory, in bytes
    #[arg(long)]
    memory_max_bytes: Option<u64>,
    /// Open files
    #[arg(long)]
    open_files_max: Option<u64>,
}

/// The socket that came as standard input, which is nothing any more afterwards: what a driver does to that concerns nobody.
pub(super) fn take_socket() -> io::Result<UnixStream> {
    let stdin = io::stdin();
    let socket: OwnedFd = rustix::io::fcntl_dupfd_cloexec(stdin.as_fd(), 3)?;
    rustix::net::sockopt::socket_domain(&socket)?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok(socket.into())
}

/// Sets the limits for good, and gives up every way to more rights.
pub(super) fn apply(limits: &Limits) -> anyhow::Result<()> {
    rustix::thread::set_no_new_privs(true).context("no_new_privs")?;
    // What a driver knows of devices must not lie about in a core file.
    limit(Resource::Core, Some(0))?;
    limit(Resource::Nofile, limits.open_files_max)?;
    // What it writes to: its heap, its stacks, its own copies of libraries. Shared code does not count.
    limit(Resource::Data, limits.memory_max_bytes)
}

fn limit(resource: Resource, most: Option<u64>) -> anyhow::Result<()> {
    let Some(most) = most else { return Ok(()) };
    let limit = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    setrlimit(resource, limit).with_context(|| format!("{resource:?} cannot be limited to {most}"))
}

/// Ends the process and what it has started when the host is gone, whatever the other threads are busy with.
pub(super) fn end_with_the_host(stream: &UnixStream) -> anyhow::Result<()> {
    let stream = stream.try_clone()?;
    std::thread::Builder::new()
        .name("host-watch".to_owned())
        .spawn(move || {
            loop {
                // Nothing is asked for: that the other side has closed is always told.
                let mut watched = [PollFd::new(&stream, PollFlags::empty())];
                match poll(&mut watched, None) {
                    Err(rustix::io::Errno::INTR) => {}
                    _ => end(),
                }
            }
        })?;
    Ok(())
}

/// Ends the process at once, with everything that it has started: nobody is there to want anything of it.
pub(super) fn end() -> ! {
    // The group is its own, so that nobody else is in it.
    let _ = kill_process_group(getpid(), Signal::KILL);
    loop {
        std::thread::park();
    }
}
