//! Whether a node's interfaces can work with what the node says.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::Response;
use serde_json::{Map, Value, json};

use crate::call::CallError;
use crate::http::query::Arguments;
use crate::http::request::RequestInfo;
use crate::http::{Api, ApiError};
use crate::node::fields::Node;

/// The interfaces that Ironic reports, in its order, without the one that drivers here are.
const ABSENT: [&str; 11] = [
    "boot",
    "deploy",
    "management",
    "network",
    "power",
    "bios",
    "console",
    "inspect",
    "raid",
    "rescue",
    "storage",
];

/// `GET /v1/nodes/{node}/validate`
pub(super) async fn validate(
    State(api): State<Arc<Api>>,
    info: RequestInfo,
    Path(ident): Path<String>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    Arguments::parse(request.uri().query()).finish()?;
    let node = super::find(&api, &ident, info.version)?;
    report(&api, &node, &info).await
}

/// `GET /v1/nodes/validate?node_uuid=…`, Ironic's older form; `node=` may be a name.
pub(super) async fn by_argument(
    State(api): State<Arc<Api>>,
    info: RequestInfo,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    let mut arguments = Arguments::parse(request.uri().query());
    let (node, uuid) = (arguments.take("node"), arguments.take("node_uuid"));
    arguments.finish()?;
    let ident = match (node, uuid) {
        (Some(ident), _) => ident,
        (None, Some(uuid)) => super::input::expect_uuid("node_uuid", &uuid)?.to_string(),
        (None, None) => return Err(ApiError::bad_request("Missing mandatory parameter: node_uuid")),
    };
    let node = super::find(&api, &ident, info.version)?;
    report(&api, &node, &info).await
}

/// What a driver refuses is a result; what keeps the host from asking it is an error.
async fn report(api: &Api, node: &Arc<Node>, info: &RequestInfo) -> Result<Response<Body>, ApiError> {
    let vendor = match api.passthru.validate_node(node, info.id).await {
        Ok(()) => json!({"result": true}),
        Err(error @ (CallError::Fault(_) | CallError::DriverNotEnabled { .. })) => {
            json!({"result": false, "reason": error.to_string()})
        }
        Err(error) => return Err(error.into()),
    };
    let absent = ABSENT.iter().map(|name| {
        (
            (*name).to_owned(),
            json!({"result": null, "reason": "not supported"}),
        )
    });
    let mut interfaces: Map<String, Value> = absent.collect();
    interfaces.insert("vendor".to_owned(), vendor);
    Ok(crate::http::json(&interfaces))
}
