//! The table behind the node locks: who holds what, and who waits.

use std::collections::VecDeque;
use std::collections::hash_map::{Entry, HashMap, RandomState, VacantEntry};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{Holder, HolderInfo, LockError, NodeGuard};
use crate::metrics::{Counter, Histogram};

/// A power of two, large enough that threads rarely meet.
const SHARDS: usize = 64;

pub(super) struct Table {
    host: Arc<str>,
    max_waiters: usize,
    hashes: IdHashes,
    shards: Box<[Shard]>,
    pub(super) waits: Histogram,
    pub(super) refusals: Counter,
}

/// On a cache line of its own.
#[repr(align(64))]
struct Shard(Mutex<Locks>);

struct Locks {
    held: HashMap<Uuid, Lock, IdHashes>,
    /// Distinguishes one holding of a node from the next.
    next_ticket: u64,
}

impl Locks {
    fn ticket(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }
}

/// A node that is held.
struct Lock {
    ticket: u64,
    info: HolderInfo,
    waiters: VecDeque<Waiter>,
}

struct Waiter {
    ticket: u64,
    holder: Holder,
    admit: oneshot::Sender<NodeGuard>,
}

pub(super) enum Entered {
    Held(NodeGuard),
    Queued(Queued),
    Refused(LockError),
}

/// A place in the queue of a node; dropping it gives the place up.
pub(super) struct Queued {
    table: Arc<Table>,
    node: Uuid,
    ticket: u64,
    since: Instant,
    pub(super) holder: Holder,
    /// Dropped after the place was given up: a guard that is in it by then lets go, and so hands the lock on.
    pub(super) admitted: oneshot::Receiver<NodeGuard>,
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.table.leave(&self.node, self.ticket);
        self.table.waits.observe(self.since.elapsed());
    }
}

impl Table {
    pub(super) fn new(host: Arc<str>, max_waiters: usize) -> Self {
        let hashes = IdHashes::new();
        let shard = || {
            Shard(Mutex::new(Locks {
                held: HashMap::with_hasher(hashes),
                next_ticket: 0,
            }))
        };
        Table {
            host,
            max_waiters,
            hashes,
            shards: std::iter::repeat_with(shard).take(SHARDS).collect(),
            waits: Histogram::default(),
            refusals: Counter::default(),
        }
    }

    pub(super) fn host(&self) -> &Arc<str> {
        &self.host
    }

    fn shard(&self, node: &Uuid) -> &Mutex<Locks> {
        // The table inside a shard uses the low and the topmost bits.
        let bits = (self.hashes.hash_one(node) >> 32) % self.shards.len() as u64;
        let index = usize::try_from(bits).unwrap_or_default();
        &self.shards[index].0
    }

    /// Takes the lock if it is free.
    pub(super) fn try_enter(self: &Arc<Self>, node: Uuid, holder: Holder) -> Result<NodeGuard, LockError> {
        let mut locks = self.shard(&node).lock();
        let ticket = locks.ticket();
        match locks.held.entry(node) {
            Entry::Vacant(free) => Ok(self.occupy(free, ticket, holder)),
            Entry::Occupied(held) => Err(self.refusal(node, held.get().info.clone())),
        }
    }

    /// Takes the lock if it is free; otherwise joins the queue, if there is room.
    pub(super) fn enter(self: &Arc<Self>, node: Uuid, holder: Holder) -> Entered {
        let mut locks = self.shard(&node).lock();
        let ticket = locks.ticket();
        match locks.held.entry(node) {
            Entry::Vacant(free) => Entered::Held(self.occupy(free, ticket, holder)),
            Entry::Occupied(held) if held.get().waiters.len() >= self.max_waiters => {
                Entered::Refused(self.refusal(node, held.get().info.clone()))
            }
            Entry::Occupied(mut held) => {
                let (admit, admitted) = oneshot::channel();
                held.get_mut().waiters.push_back(Waiter {
                    ticket,
                    holder: holder.clone(),
                    admit,
                });
                Entered::Queued(Queued {
                    table: Arc::clone(self),
                    node,
                    ticket,
                    since: Instant::now(),
                    holder,
                    admitted,
                })
            }
        }
    }

    fn occupy(self: &Arc<Self>, free: VacantEntry<'_, Uuid, Lock>, ticket: u64, holder: Holder) -> NodeGuard {
        let node = *free.key();
        let info = HolderInfo {
            holder,
            since: Timestamp::now(),
        };
        free.insert(Lock {
            ticket,
            info,
            waiters: VecDeque::new(),
        });
        NodeGuard {
            table: Some(Arc::clone(self)),
            node,
            ticket,
        }
    }

    /// Counts a refusal that a caller gets.
    pub(super) fn refused(&self, error: LockError) -> LockError {
        self.refusals.count();
        error
    }

    fn refusal(&self, node: Uuid, held: HolderInfo) -> LockError {
        LockError::Locked {
            node,
            host: Arc::clone(&self.host),
            held,
        }
    }

    fn leave(&self, node: &Uuid, ticket: u64) {
        let mut locks = self.shard(node).lock();
        let Some(lock) = locks.held.get_mut(node) else {
            return;
        };
        if let Some(place) = lock.waiters.iter().position(|waiter| waiter.ticket == ticket) {
            lock.waiters.remove(place);
        }
    }

    /// Ends the holding `ticket` of `node`, unless it was revoked, and hands the lock to the first waiter that is still there.
    pub(super) fn release(self: &Arc<Self>, node: Uuid, mut ticket: u64) {
        // A waiter that leaves between being taken from the queue and being told gives the guard back; a loop, because handing on from
        // inside a drop would nest as deep as the queue is long.
        while let Some(waiter) = self.next_holder(&node, ticket) {
            let guard = NodeGuard {
                table: Some(Arc::clone(self)),
                node,
                ticket: waiter.ticket,
            };
            match waiter.admit.send(guard) {
                Ok(()) => return,
                Err(mut returned) => {
                    returned.table = None;
                    ticket = returned.ticket;
                }
            }
        }
    }

    /// Makes the first waiter the holder, or frees the node.
    fn next_holder(&self, node: &Uuid, ticket: u64) -> Option<Waiter> {
        let mut locks = self.shard(node).lock();
        let Entry::Occupied(mut held) = locks.held.entry(*node) else {
            return None;
        };
        let lock = held.get_mut();
        if lock.ticket != ticket {
            return None;
        }
        let Some(waiter) = lock.waiters.pop_front() else {
            let freed = held.remove();
            drop(locks);
            drop(freed);
            return None;
        };
        lock.ticket = waiter.ticket;
        lock.info = HolderInfo {
            holder: waiter.holder.clone(),
            since: Timestamp::now(),
        };
        Some(waiter)
    }

    pub(super) fn revoke(self: &Arc<Self>, node: Uuid) {
        let ticket = self.shard(&node).lock().held.get(&node).map(|lock| lock.ticket);
        if let Some(ticket) = ticket {
            self.release(node, ticket);
        }
    }

    pub(super) fn holder(&self, node: &Uuid) -> Option<HolderInfo> {
        self.shard(node)
            .lock()
            .held
            .get(node)
            .map(|lock| lock.info.clone())
    }

    pub(super) fn holder_with(&self, node: &Uuid, ticket: u64) -> Option<HolderInfo> {
        let locks = self.shard(node).lock();
        locks
            .held
            .get(node)
            .filter(|lock| lock.ticket == ticket)
            .map(|lock| lock.info.clone())
    }

    pub(super) fn waiters(&self) -> usize {
        let waiting = |shard: &Shard| -> usize {
            let locks = shard.0.lock();
            locks.held.values().map(|lock| lock.waiters.len()).sum()
        };
        self.shards.iter().map(waiting).sum()
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.0.lock().held.len()).sum()
    }
}

/// Hashes ids with one multiplication and two random keys: ids are short, and the table is on the path of every call.
#[derive(Clone, Copy)]
struct IdHashes(u64, u64);

impl IdHashes {
    fn new() -> Self {
        IdHashes(
            RandomState::new().hash_one(1_u8),
            RandomState::new().hash_one(2_u8) | 1,
        )
    }
}

impl BuildHasher for IdHashes {
    type Hasher = IdHasher;

    fn build_hasher(&self) -> IdHasher {
        IdHasher { keys: *self, hash: 0 }
    }
}

struct IdHasher {
    keys: IdHashes,
    hash: u64,
}

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.hash
    }

    fn write(&mut self, bytes: &[u8]) {
        for half in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..half.len()].copy_from_slice(half);
            let product =
                u128::from(u64::from_le_bytes(word) ^ self.keys.0 ^ self.hash) * u128::from(self.keys.1);
            self.hash = fold(product);
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the two halves of the product are wanted"
)]
fn fold(product: u128) -> u64 {
    (product as u64) ^ ((product >> 64) as u64)
}
