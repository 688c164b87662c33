//! Ironic's REST API: requests become checked calls and reads, results become replies.
//!
//! In the order in which a request passes: `server` → `connection` → `versions` → `routes` → the resources
//! (`nodes`, `drivers`, `vendor_passthru`) → `error`, the only file that names an error status.

mod body;
mod connection;
mod descriptors;
mod drivers;
mod error;
mod health;
mod links;
mod nodes;
mod query;
mod request;
mod root;
mod routes;
mod server;
mod vendor_passthru;
mod versions;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use axum::response::IntoResponse;
use serde::Serialize;

use crate::call::Passthru;
use crate::config::Config;
use crate::node::lock::NodeLocks;
use crate::node::store::NodeStore;
use crate::plugin::registry::DriverRegistry;

pub use error::ApiError;
pub use server::Server;
pub use versions::ApiVersion;

/// What the resources read and call.
pub struct Api {
    /// The checked configuration.
    pub config: Arc<Config>,
    /// What this host calls itself.
    pub host_name: Arc<str>,
    /// Where the host listens.
    pub address: SocketAddr,
    /// The loaded drivers.
    pub registry: Arc<DriverRegistry>,
    /// The nodes.
    pub nodes: Arc<NodeStore>,
    /// Who holds which node.
    pub locks: NodeLocks,
    /// The calls.
    pub passthru: Arc<Passthru>,
}

/// A 200 with a JSON body.
fn json(value: &impl Serialize) -> Response<Body> {
    match serde_json::to_vec(value) {
        Ok(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(error) => ApiError::internal(&error).into_response(),
    }
}
