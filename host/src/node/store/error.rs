//! What can go wrong with a change of a node.

use uuid::Uuid;

use crate::database::StoreError;
use crate::node::fields::FieldFault;

/// A change of a node was not made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NodeError {
    /// There is a node with this uuid. Ironic's words.
    #[error("A node with UUID {uuid} already exists.")]
    UuidTaken {
        /// The uuid.
        uuid: Uuid,
    },
    /// There is a node with this name. Ironic's words.
    #[error("A node with name {name} already exists.")]
    NameTaken {
        /// The name.
        name: Box<str>,
    },
    /// Another node has this instance. Ironic's words.
    #[error(
        "Instance {instance} is already associated with a node, it cannot be associated with this other node {node}"
    )]
    InstanceTaken {
        /// The instance.
        instance: Uuid,
        /// The node that cannot have it.
        node: Uuid,
    },
    /// There is no such node, or no longer. Ironic's words.
    #[error("Node {uuid} could not be found.")]
    Gone {
        /// The uuid.
        uuid: Uuid,
    },
    /// The node is not the one that the author of the change has seen.
    #[error("node {uuid} was changed by somebody else in the meantime, read it again")]
    Changed {
        /// The uuid.
        uuid: Uuid,
    },
    /// It cannot be kept as it is.
    #[error(transparent)]
    Field(#[from] FieldFault),
    /// The database has a problem.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for NodeError {
    fn from(error: rusqlite::Error) -> Self {
        NodeError::Store(error.into())
    }
}
