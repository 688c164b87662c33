//! What reads see: every node that is durable, by uuid, by name and in the order of creation.
//!
//! The tables hold nothing but the nodes themselves, whose own uuid and name are the keys.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashSet};
use std::hash::{Hash, Hasher};
use std::ops::Bound;
use std::sync::Arc;

use uuid::Uuid;

use crate::node::fields::Node;

#[derive(Debug, Default)]
pub(super) struct Index {
    by_uuid: HashSet<ByUuid>,
    by_name: HashSet<ByName>,
    by_sequence: BTreeMap<i64, Arc<Node>>,
}

impl FromIterator<Arc<Node>> for Index {
    fn from_iter<I: IntoIterator<Item = Arc<Node>>>(nodes: I) -> Self {
        // Built as a whole, so that the tree is packed.
        let by_sequence: BTreeMap<_, _> = nodes.into_iter().map(|node| (node.sequence(), node)).collect();
        let by_uuid = by_sequence.values().cloned().map(ByUuid).collect();
        let named = by_sequence.values().filter(|node| node.name().is_some());
        Index {
            by_uuid,
            by_name: named.cloned().map(ByName).collect(),
            by_sequence,
        }
    }
}

impl Index {
    pub(super) fn get(&self, uuid: &Uuid) -> Option<Arc<Node>> {
        self.by_uuid.get(uuid).map(|found| Arc::clone(&found.0))
    }

    pub(super) fn named(&self, name: &str) -> Option<Arc<Node>> {
        self.by_name
            .get(name.as_bytes())
            .map(|found| Arc::clone(&found.0))
    }

    pub(super) fn after(&self, sequence: i64, count: usize) -> Vec<Arc<Node>> {
        let behind = (Bound::Excluded(sequence), Bound::Unbounded);
        self.by_sequence
            .range(behind)
            .take(count)
            .map(|(_, node)| Arc::clone(node))
            .collect()
    }

    pub(super) fn len(&self) -> usize {
        self.by_sequence.len()
    }

    /// Adds a node, or replaces the one with its uuid.
    pub(super) fn put(&mut self, node: Arc<Node>) {
        let old = self.by_uuid.replace(ByUuid(Arc::clone(&node)));
        if let Some(ByUuid(old)) = old {
            self.by_name.remove(old.name_bytes());
            if old.sequence() != node.sequence() {
                self.by_sequence.remove(&old.sequence());
            }
        }
        if node.name().is_some() {
            self.by_name.replace(ByName(Arc::clone(&node)));
        }
        self.by_sequence.insert(node.sequence(), node);
    }

    pub(super) fn remove(&mut self, uuid: &Uuid) {
        if let Some(ByUuid(node)) = self.by_uuid.take(uuid) {
            self.by_name.remove(node.name_bytes());
            self.by_sequence.remove(&node.sequence());
        }
    }
}

/// A node that is looked up by its uuid.
#[derive(Debug)]
struct ByUuid(Arc<Node>);

impl Borrow<Uuid> for ByUuid {
    fn borrow(&self) -> &Uuid {
        self.0.uuid_ref()
    }
}

impl Hash for ByUuid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.uuid_ref().hash(state);
    }
}

impl PartialEq for ByUuid {
    fn eq(&self, other: &Self) -> bool {
        self.0.uuid() == other.0.uuid()
    }
}

impl Eq for ByUuid {}

/// A node that is looked up by its name.
#[derive(Debug)]
struct ByName(Arc<Node>);

impl Borrow<[u8]> for ByName {
    fn borrow(&self) -> &[u8] {
        self.0.name_bytes()
    }
}

impl Hash for ByName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name_bytes().hash(state);
    }
}

impl PartialEq for ByName {
    fn eq(&self, other: &Self) -> bool {
        self.0.name_bytes() == other.0.name_bytes()
    }
}

impl Eq for ByName {}
