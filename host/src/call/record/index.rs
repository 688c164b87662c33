//! What reads see: every record that is durable, by id and by node, newest last.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use uuid::Uuid;

use super::fields::Record;

/// The records in memory.
#[derive(Debug, Default)]
pub(super) struct Index {
    by_id: BTreeMap<Uuid, Arc<Record>>,
    by_node: BTreeSet<(Uuid, Uuid)>,
    /// Those that may be forgotten, in the order in which they were settled.
    settled: VecDeque<Uuid>,
    /// The rows of those that were forgotten.
    expired: Vec<i64>,
}

impl Index {
    pub(super) fn get(&self, id: &Uuid) -> Option<Arc<Record>> {
        self.by_id.get(id).cloned()
    }

    /// Adds a record, or replaces the one with its id.
    pub(super) fn put(&mut self, record: Record) {
        let settled = record.settled_at().is_some();
        let (id, node) = (record.id, record.node);
        let old = self.by_id.insert(id, Arc::new(record));
        if let (None, Some(node)) = (&old, node) {
            self.by_node.insert((node, id));
        }
        if settled && old.is_none_or(|old| old.settled_at().is_none()) {
            self.settled.push_back(id);
        }
    }

    /// Up to `count` records that began before `id`, newest first: all, or those of one node.
    pub(super) fn before(&self, node: Option<Uuid>, id: Uuid, count: usize) -> Vec<Arc<Record>> {
        let Some(node) = node else {
            let older = (Bound::Unbounded, Bound::Excluded(id));
            let older = self.by_id.range(older).rev().take(count);
            return older.map(|(_, record)| Arc::clone(record)).collect();
        };
        let older = self.by_node.range((node, Uuid::nil())..(node, id)).rev();
        older.take(count).filter_map(|(_, id)| self.get(id)).collect()
    }

    /// Forgets the settled ones beyond `max`, oldest ending first, and those that ended before `time`.
    pub(super) fn expire(&mut self, max: usize, time: i64) {
        while let Some(id) = self.settled.front().copied() {
            let old = self
                .by_id
                .get(&id)
                .and_then(|record| record.settled_at())
                .is_none_or(|at| at < time);
            if self.settled.len() <= max && !old {
                return;
            }
            self.settled.pop_front();
            if let Some(record) = self.by_id.remove(&id) {
                if let Some(node) = record.node {
                    self.by_node.remove(&(node, id));
                }
                self.expired.push(record.sequence);
            }
        }
    }

    /// The rows that are to be deleted; each is given once.
    pub(super) fn take_expired(&mut self) -> Vec<i64> {
        std::mem::take(&mut self.expired)
    }
}

impl FromIterator<Record> for Index {
    fn from_iter<I: IntoIterator<Item = Record>>(records: I) -> Self {
        let mut index = Index::default();
        for record in records {
            index.put(record);
        }
        let by_id = &index.by_id;
        let settled_at = |id: &Uuid| by_id.get(id).and_then(|record| record.settled_at());
        index.settled.make_contiguous().sort_by_key(settled_at);
        index
    }
}
