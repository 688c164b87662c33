//! Ironic's REST API: requests become checked calls and reads, results become replies.
//!
//! In the order in which a request passes: `server` → `connection` → `versions` → `routes` → the resources
//! (`nodes`, `drivers`, `vendor_passthru`, `calls`) → `error`, the only file that names an error status.
//! `metrics` shows what everybody has counted, `openapi` what all of it looks like from outside.

mod body;
mod calls;
mod connection;
mod descriptors;
mod drivers;
mod error;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod health;
mod links;
mod metrics;
mod nodes;
pub mod openapi;
mod query;
mod request;
mod root;
mod routes;
mod server;
mod time;
mod traffic;
mod vendor_passthru;
mod versions;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use axum::response::IntoResponse;
use bytes::Bytes;
use serde::Serialize;

use crate::call::Passthru;
use crate::call::record::RecordStore;
use crate::config::Config;
use crate::database::Database;
use crate::node::lock::NodeLocks;
use crate::node::store::NodeStore;
use crate::plugin::registry::DriverRegistry;

pub use error::ApiError;
pub use server::Server;
pub use traffic::Traffic;
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
    /// What everything durable lies in.
    pub database: Arc<Database>,
    /// The nodes.
    pub nodes: Arc<NodeStore>,
    /// Who holds which node.
    pub locks: NodeLocks,
    /// The records of calls.
    pub records: Arc<RecordStore>,
    /// The calls.
    pub passthru: Arc<Passthru>,
    /// Connections and replies.
    pub traffic: Traffic,
    /// When the host started.
    pub started: SystemTime,
}

/// A 200 with a JSON body.
fn json(value: &impl Serialize) -> Response<Body> {
    match serde_json::to_vec(value) {
        Ok(text) => json_text(text.into()),
        Err(error) => ApiError::internal(&error).into_response(),
    }
}

/// A 200 with what is JSON already.
fn json_text(text: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
