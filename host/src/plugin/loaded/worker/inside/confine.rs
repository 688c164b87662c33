//! What a worker process takes from itself before it loads a driver.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc;

use anyhow::{Context, ensure};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, getpid, getppid, kill_process, kill_process_group,
    set_parent_process_death_signal, setrlimit,
};

use crate::plugin::loaded::worker::strays::Mark;

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
    close_others(&socket)?;
    Ok(socket.into())
}

/// Closes whatever else was inherited: another driver in the host's process may have opened it without saying that it is nobody else's.
fn close_others(socket: &OwnedFd) -> io::Result<()> {
    let listed = std::fs::read_dir("/proc/self/fd")?;
    let open: Vec<i32> = listed
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    for descriptor in open {
        if descriptor > 2 && descriptor != socket.as_raw_fd() {
            // The one that the list was read from is closed already.
            let _ = nix::unistd::close(descriptor);
        }
    }
    Ok(())
}

/// Sets the limits for good, and gives up every way to more rights.
pub(super) fn apply(limits: &Limits) -> anyhow::Result<()> {
    rustix::thread::set_no_new_privs(true).context("no_new_privs")?;
    // What a driver knows of devices must not lie about in a core file. No file is as small as one byte, and at this limit the kernel starts no
    // program for it either, which it does at 0.
    limit(Resource::Core, Some(1)).or_else(|_| limit(Resource::Core, Some(0)))?;
    limit(Resource::Nofile, limits.open_files_max)?;
    // What it can write to: its heap, its stacks, its copies of libraries' data. The whole address space would be the wrong measure: allocators
    // and threads reserve much more than they use.
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

/// The process at the other end of the socket.
#[derive(Debug, Clone)]
pub(super) struct Host {
    pid: Pid,
    /// This process.
    own: Pid,
    mark: Mark,
}

impl Host {
    /// The host that has started this process.
    ///
    /// # Errors
    /// There is none, or not any more.
    pub(super) fn of(stream: &UnixStream) -> anyhow::Result<Self> {
        let mark = Mark::inherited().context("it has no mark of a host in its environment")?;
        let pid = rustix::net::sockopt::socket_peercred(stream)?.pid;
        // Late, because a change of the user takes it back. It tells of the end of a thread of the host, whose only business is this process.
        set_parent_process_death_signal(Some(Signal::HUP)).context("the parent-death signal")?;
        let own = getpid();
        let host = Host { pid, own, mark };
        ensure!(host.is_there(), "its host has ended");
        Ok(host)
    }

    /// Whether it is still the parent of this process.
    pub(super) fn is_there(&self) -> bool {
        getppid() == Some(self.pid)
    }

    /// Ends this process, and it alone, if it is not the one that the host has started: a driver that forks and comes back would answer twice.
    pub(super) fn end_copies(&self) {
        while getpid() != self.own {
            let _ = kill_process(getpid(), Signal::KILL);
        }
    }

    /// Ends this process and what it has started when the host is gone, whatever the other threads are busy with. Returns when that is watched: a
    /// thread cannot begin while a library's constructor runs, which holds the loader's lock and may never let it go.
    pub(super) fn outlive_not(&self, stream: &UnixStream) -> anyhow::Result<()> {
        let (host, stream) = (self.clone(), stream.try_clone()?);
        let (begin, begun) = mpsc::channel();
        std::thread::Builder::new()
            .name("host-watch".to_owned())
            .spawn(move || {
                // Nobody listens if this process is about to end anyway.
                let _ = begin.send(());
                loop {
                    // Nothing is asked for: that the other side has closed is always told.
                    let mut watched = [PollFd::new(&stream, PollFlags::empty())];
                    match poll(&mut watched, None) {
                        Err(rustix::io::Errno::INTR) => {}
                        _ => host.end(),
                    }
                }
            })?;
        begun.recv().context("the watch of the host has not begun")
    }

    /// Ends the process at once, with everything that it has started: nobody is there to want anything of it.
    pub(super) fn end(&self) -> ! {
        self.end_copies();
        self.mark.kill();
        // The group is its own, so that nobody else is in it.
        let _ = kill_process_group(getpid(), Signal::KILL);
        loop {
            std::thread::park();
        }
    }
}
