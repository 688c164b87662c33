//! The calls that drivers are busy with, so that a host that stops can name them and ask them to end, and so that those are reported
//! that a driver does not return.

mod stuck;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::plugin::loaded::CallState;

/// One running call.
#[derive(Debug, Clone)]
pub struct RunningCall {
    /// The method's name.
    pub method: Arc<str>,
    /// The node, for a node's method.
    pub node: Option<Uuid>,
    /// Driver, request, deadline and cancellation.
    pub state: Arc<CallState>,
    /// It is only the driver's check of a node, which has no effect.
    pub is_check: bool,
    /// The driver runs in this process, where nobody but the driver can end the call.
    pub here: bool,
}

/// Number of maps among which running calls are spread, so that threads rarely meet.
const SHARDS: usize = 16;

/// All running calls.
#[derive(Default)]
pub struct InFlight {
    next: AtomicU64,
    shards: [Mutex<BTreeMap<u64, RunningCall>>; SHARDS],
    left: Notify,
    /// How many calls of a driver are stuck.
    stuck: Mutex<HashMap<Arc<str>, u64>>,
}

/// Keeps a call listed until the driver is done with it.
pub struct Listed {
    calls: Arc<InFlight>,
    id: u64,
}

impl InFlight {
    /// Lists a call.
    pub fn enter(self: &Arc<Self>, call: RunningCall) -> Listed {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.shard(id).lock().insert(id, call);
        Listed {
            calls: self.clone(),
            id,
        }
    }

    /// The calls that run now, oldest first.
    pub fn running(&self) -> Vec<RunningCall> {
        let mut calls: Vec<_> = self
            .shards
            .iter()
            .flat_map(|shard| shard.lock().clone().into_iter().collect::<Vec<_>>())
            .collect();
        calls.sort_by_key(|(id, _)| *id);
        calls.into_iter().map(|(_, call)| call).collect()
    }

    /// Waits until no call runs.
    pub async fn idle(&self) {
        loop {
            let left = self.left.notified();
            if self.shards.iter().all(|shard| shard.lock().is_empty()) {
                return;
            }
            left.await;
        }
    }

    fn shard(&self, id: u64) -> &Mutex<BTreeMap<u64, RunningCall>> {
        &self.shards[usize::try_from(id).unwrap_or(0) % SHARDS]
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let left = self.calls.shard(self.id).lock().remove(&self.id);
        if let Some(call) = left.filter(|call| call.state.is_stuck()) {
            self.calls.has_returned(&call);
        }
        self.calls.left.notify_waiters();
    }
}
