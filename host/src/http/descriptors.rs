//! Files that the process may have open: each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the host, its threads and its drivers need beside the connections: libraries, database, sockets to devices.
const RESERVE: u64 = 1000;

/// Raises the process's limit of open files as far as `connections` need it, or says that it cannot be.
pub(super) fn make_room(connections: u32) {
    let wanted = u64::from(connections) + RESERVE;
    let now = getrlimit(Resource::Nofile);
    // Nothing stands for no limit.
    if now.current.is_none_or(|soft| soft >= wanted) {
        return;
    }
    let soft = now.maximum.map_or(wanted, |hard| wanted.min(hard));
    let raised = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(soft),
            maximum: now.maximum,
        },
    );
    let have = if raised.is_ok() { Some(soft) } else { now.current };
    if have.is_some_and(|have| have < wanted) {
        tracing::warn!(
            "limits.max_connections = {connections} needs {wanted} open files, and this process may have only {}: \
             lower it, or raise the hard limit (LimitNOFILE= of systemd, ulimit -Hn of a shell)",
            have.unwrap_or(soft)
        );
    }
}
