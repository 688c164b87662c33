//! The durable nodes, and the index in memory that every read uses.
//!
//! A change is made in the database first, by the one thread that writes ([`Database::run`]), and is put into the index after its
//! transaction is on the disk; only then is it answered. Reads touch no disk and wait for no write.

mod error;
mod index;
mod rows;

use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::RwLock;
use uuid::Uuid;

use self::index::Index;
use super::fields::{Identity, Node, NodeFields};
use super::secret::SecretNames;
use crate::database::{Database, StoreError};

pub use self::error::NodeError;

/// What `last_error` says of a power change that its host did not survive. Ironic's words.
const INTERRUPTED: &str = "Pending power operation was aborted due to conductor restart";
/// How many nodes are looked at at once.
const PORTION: usize = 1024;

/// All nodes of this host.
#[derive(Debug)]
pub struct NodeStore {
    database: Arc<Database>,
    index: Arc<RwLock<Index>>,
    secrets: Arc<RwLock<Arc<SecretNames>>>,
}

impl NodeStore {
    /// Reads every node. Blocks; for the start of the host.
    ///
    /// # Errors
    /// A database that cannot be read, or has rows that are no nodes.
    pub fn open(database: Arc<Database>) -> Result<Self, StoreError> {
        let index = database.read(rows::read_nodes)?;
        let secrets = database.read(rows::read_secrets)?;
        Ok(NodeStore {
            database,
            index: Arc::new(RwLock::new(index)),
            secrets: Arc::new(RwLock::new(Arc::new(secrets))),
        })
    }

    /// The node with this uuid.
    pub fn get(&self, uuid: &Uuid) -> Option<Arc<Node>> {
        self.index.read().get(uuid)
    }

    /// The node with this uuid or name.
    pub fn find(&self, ident: &str) -> Option<Arc<Node>> {
        match Uuid::parse_str(ident) {
            Ok(uuid) => self.get(&uuid),
            Err(_) => self.index.read().named(ident),
        }
    }

    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.index.read().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Up to `count` nodes in the order of creation, behind the node of the sequence `after`. A reader that goes on from the last one it
    /// got sees every node that is there all the time, and holds up nobody.
    pub fn nodes_after(&self, after: i64, count: usize) -> Vec<Arc<Node>> {
        self.index.read().after(after, count)
    }

    /// Keeps a new node.
    ///
    /// # Errors
    /// [`NodeError`] if its uuid, its name or its instance is taken, or it cannot be kept.
    pub async fn create(&self, uuid: Uuid, fields: NodeFields) -> Result<Arc<Node>, NodeError> {
        let created_at = Timestamp::now().as_microsecond();
        let index = Arc::clone(&self.index);
        let statements = move |transaction: &rusqlite::Connection| {
            let mut identity = Identity {
                uuid,
                sequence: 0,
                revision: 1,
                created_at,
                updated_at: None,
            };
            identity.sequence = rows::insert(transaction, &identity, &fields)?;
            Ok(Arc::new(Node::new(identity, fields)?))
        };
        self.database
            .run(statements, move |node| index.write().put(Arc::clone(node)))
            .await
    }

    /// Changes a node from what its author has `seen` into `fields`: compare-and-swap.
    ///
    /// # Errors
    /// [`NodeError::Changed`] if somebody else was faster, [`NodeError::Gone`] (also if there is a new node of this uuid), and those of
    /// [`create`](Self::create).
    pub async fn update(&self, seen: &Node, fields: NodeFields) -> Result<Arc<Node>, NodeError> {
        let mut identity = seen.identity();
        identity.revision += 1;
        identity.updated_at = Some(Timestamp::now().as_microsecond());
        let index = Arc::clone(&self.index);
        let statements = move |transaction: &rusqlite::Connection| {
            rows::update(transaction, &identity, &fields)?;
            Ok(Arc::new(Node::new(identity, fields)?))
        };
        self.database
            .run(statements, move |node| index.write().put(Arc::clone(node)))
            .await
    }

    /// Forgets a node.
    ///
    /// # Errors
    /// [`NodeError::Gone`] if there is none.
    pub async fn delete(&self, uuid: Uuid) -> Result<(), NodeError> {
        let index = Arc::clone(&self.index);
        let statements = move |transaction: &rusqlite::Connection| rows::delete(transaction, &uuid);
        self.database
            .run(statements, move |()| index.write().remove(&uuid))
            .await
    }

    /// Whether a node's `last_error` is this already.
    pub fn has_last_error(&self, uuid: &Uuid, text: Option<&str>) -> bool {
        let node = self.get(uuid);
        node.is_some_and(|node| node.rare().last_error.as_deref() == text)
    }

    /// Changes fields that the host writes, whatever else is being changed. Writes nothing if they are so already.
    ///
    /// # Errors
    /// [`NodeError::Gone`] if there is no such node.
    pub async fn amend(&self, uuid: Uuid, change: impl Fn(&mut NodeFields) + Send) -> Result<(), NodeError> {
        // A lost race is run again: this change does not depend on what else was changed.
        loop {
            let node = self.get(&uuid).ok_or(NodeError::Gone { uuid })?;
            let before = node.fields();
            let mut fields = before.clone();
            change(&mut fields);
            if fields == before {
                return Ok(());
            }
            match self.update(&node, fields).await {
                Err(NodeError::Changed { .. }) => {}
                done => return done.map(drop),
            }
        }
    }

    /// Sets or clears `last_error`. Writes nothing if it is so already.
    ///
    /// # Errors
    /// [`NodeError::Gone`] if there is no such node.
    pub async fn set_last_error(&self, uuid: Uuid, text: Option<&str>) -> Result<(), NodeError> {
        if self.has_last_error(&uuid, text) {
            return Ok(());
        }
        self.amend(uuid, |fields| fields.rare.last_error = text.map(Into::into))
            .await
    }

    /// Ends the power changes that a host left behind: nobody knows whether they took effect. For the start of the host.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn end_interrupted_power_changes(&self) -> Result<(), NodeError> {
        let mut after = 0;
        loop {
            let nodes = self.nodes_after(after, PORTION);
            let Some(last) = nodes.last() else { return Ok(()) };
            after = last.sequence();
            for node in nodes.iter().filter(|node| node.target_power_state().is_some()) {
                self.amend(node.uuid(), |fields| {
                    fields.power_state = None;
                    fields.target_power_state = None;
                    fields.rare.last_error = Some(INTERRUPTED.into());
                })
                .await?;
                tracing::warn!(node = %node.uuid(), "a power change was interrupted by the end of the host");
            }
        }
    }

    /// Remembers which properties a driver's manifest marks as secret: for good, because a node keeps them when its driver has gone.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn remember_secrets(&self, driver: &str, names: &[&str]) -> Result<(), NodeError> {
        let known = self.secrets();
        if names.iter().all(|name| known.declares(name)) {
            return Ok(());
        }
        let (driver, names) = (
            driver.to_owned(),
            names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(),
        );
        let secrets = Arc::clone(&self.secrets);
        let statements = move |transaction: &rusqlite::Connection| {
            rows::remember_secrets(transaction, &driver, &names)?;
            Ok(names)
        };
        let publish = move |names: &Vec<String>| {
            let mut secrets = secrets.write();
            let mut all = SecretNames::clone(&secrets);
            all.extend(names.iter().map(String::as_str));
            *secrets = Arc::new(all);
        };
        self.database.run(statements, publish).await.map(drop)
    }

    /// The names of all properties that are never shown.
    pub fn secrets(&self) -> Arc<SecretNames> {
        Arc::clone(&self.secrets.read())
    }
}

#[cfg(test)]
mod tests;
