//! The lock of a node: a fair mutex that callers wait for without holding a thread.
//!
//! Only nodes that are held have a lock object. A release hands the lock directly to the caller that has waited longest, so
//! nobody overtakes; a caller that has gone, or whose time is over, is not in the queue any more.
//!
//! # Threads
//! [`NodeLocks::acquire`] needs a tokio runtime with timers when it has to wait. A [`NodeGuard`] may be dropped anywhere, also outside a runtime.
//! Releasing wakes the next caller on the releasing thread. If that is a thread of the runtime, the woken task lands in the slot
//! from which no other thread can take it, and waits there until this thread gets back to its scheduler. So **drop the
//! guard as the last thing before a task ends or yields, never before blocking work on the same thread**.

mod table;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;
use uuid::Uuid;

use self::table::{Entered, Queued, Table};
use crate::metrics::Histogram;
use crate::request_id::RequestId;

/// Who asks for a lock, and what for.
#[derive(Debug, Clone)]
pub struct Holder {
    /// The name of the method, or the word for the host's own work on a node: `update`, `delete`, `maintenance`.
    pub what: Arc<str>,
    /// The id of the request, `req-<uuid>`.
    pub request_id: RequestId,
}

/// Who holds a lock.
#[derive(Debug, Clone)]
pub struct HolderInfo {
    /// Who, and what for.
    pub holder: Holder,
    /// Since when.
    pub since: Timestamp,
}

/// Why a lock was not given.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Somebody else holds it, and did not let go in time; or too many are waiting for it already.
    ///
    /// The first sentence is Ironic's `NodeLocked`, verbatim.
    #[error(
        "Node {node} is locked by host {host}, please retry after the current operation is completed. \
         It is held for {} since {:.3} ({}).", held.holder.what, held.since, held.holder.request_id
    )]
    Locked {
        /// The node.
        node: Uuid,
        /// The host that holds it.
        host: Arc<str>,
        /// Who, for what, since when.
        held: HolderInfo,
    },
}

/// The locks of all nodes: one mutex per node that is held, nothing for the others.
///
/// This is the one place that knows where locks live.
#[derive(Clone)]
pub struct NodeLocks {
    table: Arc<Table>,
    wait: Duration,
}

impl NodeLocks {
    /// No node is held. `host_name` is shown as `reservation`; a caller waits at most `wait` (zero: not at all), and at
    /// most `max_waiters` callers wait for one node.
    pub fn new(host_name: impl Into<Arc<str>>, wait: Duration, max_waiters: usize) -> Self {
        let max_waiters = if wait.is_zero() { 0 } else { max_waiters };
        NodeLocks {
            table: Arc::new(Table::new(host_name.into(), max_waiters)),
            wait,
        }
    }

    /// The name under which this host holds locks.
    pub fn host_name(&self) -> &Arc<str> {
        self.table.host()
    }

    /// Takes the lock of `node`, first come, first served. The future may be dropped at any point: what it was given is
    /// handed on.
    ///
    /// # Errors
    /// [`LockError::Locked`] after the configured wait, or at once when the queue is full.
    pub async fn acquire(&self, node: Uuid, holder: Holder) -> Result<NodeGuard, LockError> {
        match self.table.enter(node, holder) {
            Entered::Held(guard) => Ok(guard),
            Entered::Refused(error) => Err(self.table.refused(error)),
            // Boxed: most callers find the node free, and carry no room for waiting.
            Entered::Queued(queued) => Box::pin(self.wait(node, queued)).await,
        }
    }

    async fn wait(&self, node: Uuid, mut queued: Queued) -> Result<NodeGuard, LockError> {
        let Holder { what, request_id } = &queued.holder;
        tracing::debug!(%request_id, %node, "{what} waits for the node's lock");
        if let Ok(Ok(guard)) = timeout(self.wait, &mut queued.admitted).await {
            return Ok(guard);
        }
        // The time is over, but the lock may be on its way here.
        queued.admitted.close();
        if let Ok(guard) = queued.admitted.try_recv() {
            return Ok(guard);
        }
        let holder = queued.holder.clone();
        drop(queued);
        self.table
            .try_enter(node, holder)
            .map_err(|error| self.table.refused(error))
    }

    /// Who holds `node`, if anybody does.
    pub fn holder(&self, node: &Uuid) -> Option<HolderInfo> {
        self.table.holder(node)
    }

    /// Takes `node` away from whoever holds it: its guard is lost, and the next caller in the queue gets the lock. For an engine that
    /// shares locks between hosts and learns that this host's claim has expired.
    pub fn revoke(&self, node: &Uuid) {
        self.table.revoke(*node);
    }

    /// How long each caller was in a queue, also one that was refused in the end or has gone.
    pub fn waits(&self) -> &Histogram {
        &self.table.waits
    }

    /// How many callers were refused since the start.
    pub fn refusals(&self) -> u64 {
        self.table.refusals.get()
    }

    /// The number of callers that are waiting.
    pub fn waiters(&self) -> usize {
        self.table.waiters()
    }

    /// The number of nodes that are held.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether no node is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for NodeLocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeLocks")
            .field("held", &self.len())
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

/// The lock of one node. Dropping it lets go, on any thread.
pub struct NodeGuard {
    /// Empty once the lock has been let go.
    table: Option<Arc<Table>>,
    node: Uuid,
    ticket: u64,
}

impl NodeGuard {
    /// The node that is held.
    pub fn node(&self) -> Uuid {
        self.node
    }

    /// Who holds it, for what and since when; nothing if the lock was lost.
    pub fn holder(&self) -> Option<HolderInfo> {
        self.table
            .as_ref()
            .and_then(|table| table.holder_with(&self.node, self.ticket))
    }

    /// Whether the lock was taken away, so that somebody else may hold the node by now. Work that has begun goes on, but
    /// should not begin anything new.
    pub fn is_lost(&self) -> bool {
        self.holder().is_none()
    }
}

impl Drop for NodeGuard {
    fn drop(&mut self) {
        if let Some(table) = self.table.take() {
            table.release(self.node, self.ticket);
        }
    }
}

impl fmt::Debug for NodeGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeGuard")
            .field("node", &self.node)
            .field("held", &self.holder())
            .finish()
    }
}

#[cfg(test)]
mod tests;
