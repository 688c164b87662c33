//! Ironic's node API. Reads come from the index and wait for nothing; changes hold the node's lock.

mod create;
pub(super) mod fields;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod input;
mod list;
mod management;
mod notation;
mod patch;
mod show;
mod states;
mod update;
mod validate;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::routing::{get, put};
use uuid::Uuid;

use super::request::RequestInfo;
use super::routes::Table;
use super::{Api, ApiError, ApiVersion, body};
use crate::node::fields::Node;
use crate::node::lock::{Holder, NodeGuard};
use crate::node::name::{self, NameFault};

/// From here on a node can be addressed by its name.
const NAMES: ApiVersion = ApiVersion(5);

/// The table of routes.
pub(super) fn routes() -> Table {
    Table::new()
        .route("/v1/nodes", get(list::summary).post(create::create))
        .route("/v1/nodes/detail", get(list::detail))
        .route("/v1/nodes/validate", get(validate::by_argument))
        .route(
            "/v1/nodes/{node}",
            get(show::show).patch(update::patch).delete(update::delete),
        )
        .route("/v1/nodes/{node}/states", get(states::show))
        .route("/v1/nodes/{node}/states/power", put(states::set_power))
        .route(
            "/v1/nodes/{node}/management/boot_device",
            get(management::boot_device).put(management::set_boot_device),
        )
        .route(
            "/v1/nodes/{node}/management/boot_device/supported",
            get(management::supported_boot_devices),
        )
        .route(
            "/v1/nodes/{node}/management/inject_nmi",
            put(management::inject_nmi),
        )
        .route("/v1/nodes/{node}/validate", get(validate::validate))
        .route(
            "/v1/nodes/{node}/maintenance",
            put(update::set_maintenance).delete(update::clear_maintenance),
        )
}

/// The node of a path: a uuid or, where the version knows names, a name.
///
/// # Errors
/// Ironic's `Node X could not be found.`, and its sentence for what can be neither a uuid nor a name.
pub(super) fn find(api: &Api, ident: &str, version: ApiVersion) -> Result<Arc<Node>, ApiError> {
    let found = match Uuid::parse_str(ident) {
        Ok(uuid) => api.nodes.get(&uuid),
        Err(_) if name::check(ident) == Err(NameFault::Invalid) => {
            let text = format!("Expected UUID or name for node_ident: {ident}");
            return Err(ApiError::bad_request(text));
        }
        Err(_) if version >= NAMES => api.nodes.find(ident),
        Err(_) => None,
    };
    found.ok_or_else(|| ApiError::node_not_found(ident))
}

/// Takes the node's lock for work of the host's own.
async fn hold(api: &Api, node: &Node, what: &str, info: &RequestInfo) -> Result<NodeGuard, ApiError> {
    let holder = Holder {
        what: what.into(),
        request_id: info.id,
    };
    Ok(api.locks.acquire(node.uuid(), holder).await?)
}

/// The JSON of a body: nothing is `{}`.
async fn json_body(
    api: &Api,
    parts: &axum::http::request::Parts,
    body: Body,
) -> Result<serde_json::Value, ApiError> {
    let bytes = body::arguments(&parts.headers, body, &api.config.limits).await?;
    // Checked already; what is left are numbers that no computer keeps.
    serde_json::from_slice(&bytes)
        .map_err(|error| ApiError::bad_request(format!("Request body is not usable: {error}")))
}

/// A reply with JSON that is written already.
fn written(json: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(json));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A 202 without a body.
fn accepted() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

/// A 204.
fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Makes a 200 a 201 with the new resource's address.
fn created(mut response: Response<Body>, location: &str) -> Response<Body> {
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

#[cfg(test)]
mod tests;
