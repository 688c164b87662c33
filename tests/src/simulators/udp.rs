//! UDP ports for simulators that cannot choose one themselves.

use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use crate::eventually;

/// How long a simulator may take to listen. Generous: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often another port is tried: somebody may take the one that was free a moment ago.
const ATTEMPTS: usize = 10;

/// Starts the command that `command` makes for a free port of 127.0.0.1, and waits until it listens there.
///
/// # Panics
/// When it ends ten times instead, or does not listen within a minute.
pub(crate) fn start_on_free_port(what: &str, mut command: impl FnMut(u16) -> Command) -> (Child, u16) {
    for _ in 0..ATTEMPTS {
        let port = UdpSocket::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .expect("a free port")
            .port();
        let mut child = command(port)
            .spawn()
            .unwrap_or_else(|error| panic!("{what} does not start: {error}"));
        let listens = eventually(&format!("{what} listens"), PATIENCE, || {
            match child.try_wait().expect("a child of this process") {
                Some(_) => Some(false),
                None => listens(child.id(), port).then_some(true),
            }
        });
        if listens {
            return (child, port);
        }
    }
    panic!("{what} ended {ATTEMPTS} times instead of listening");
}

/// Whether the process itself, and nobody else, has the port.
fn listens(pid: u32, port: u16) -> bool {
    let sockets = ["/proc/net/udp", "/proc/net/udp6"]
        .into_iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .collect::<String>();
    let inodes: Vec<String> = sockets
        .lines()
        .filter_map(|line| {
            let mut columns = line.split_whitespace().skip(1);
            let local = columns.next()?;
            (local.rsplit(':').next()? == format!("{port:04X}")).then(|| columns.nth(7))?
        })
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    let Ok(files) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    files
        .flatten()
        .filter_map(|file| std::fs::read_link(file.path()).ok())
        .any(|link| inodes.iter().any(|inode| Path::new(inode) == link))
}
