//! Which status a refused request for a node has.

use axum::http::StatusCode;
use uuid::Uuid;

use super::ApiError;
use crate::database::StoreError;
use crate::node::store::NodeError;

impl ApiError {
    /// A node that is not there.
    pub(in crate::http) fn node_not_found(ident: &str) -> Self {
        ApiError::new(StatusCode::NOT_FOUND, format!("Node {ident} could not be found."))
    }

    /// A node that may not be deleted. Ironic's `NodeProtected`.
    pub(in crate::http) fn node_protected(node: Uuid) -> Self {
        let text = format!("Node {node} is protected and cannot be undeployed, rebuilt or deleted.");
        ApiError::new(StatusCode::FORBIDDEN, text)
    }

    /// A node that may not be deleted because it has an instance. Ironic's `NodeAssociated`.
    pub(in crate::http) fn node_associated(node: Uuid, instance: Uuid) -> Self {
        let text = format!("Node {node} is associated with instance {instance}.");
        ApiError::new(StatusCode::CONFLICT, text)
    }
}

impl From<NodeError> for ApiError {
    fn from(error: NodeError) -> Self {
        let text = error.to_string();
        match error {
            NodeError::UuidTaken { .. } | NodeError::NameTaken { .. } | NodeError::InstanceTaken { .. } => {
                ApiError::new(StatusCode::CONFLICT, text)
            }
            NodeError::Changed { .. } => ApiError::busy(StatusCode::CONFLICT, text),
            NodeError::Gone { .. } => ApiError::new(StatusCode::NOT_FOUND, text),
            NodeError::Field(_) => ApiError::bad_request(text),
            NodeError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        // The path and SQLite's words are the operator's.
        tracing::error!("a change could not be stored: {error}");
        let text = match error {
            StoreError::Closed => "The host is shutting down",
            _ => "The change could not be stored, nothing was changed; the host's log says why",
        };
        ApiError::busy(StatusCode::SERVICE_UNAVAILABLE, text)
    }
}
