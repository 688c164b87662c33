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
use crate::plugin::manifest::Interface;

/// The interfaces that Ironic reports, in its order, without the one that every driver here is.
const INTERFACES: [&str; 11] = [
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
    let driver = api.registry.get(node.driver());
    let has = |interface| driver.as_ref().is_some_and(|driver| driver.has(interface));
    if vendor["result"] == true && has(Interface::Power) {
        // Nobody waits for the device here. What it says is on the node a moment later.
        let (passthru, node, id) = (api.passthru.clone(), node.clone(), info.id);
        tokio::spawn(async move { drop(passthru.read_power(node, id).await) });
    }
    let others = INTERFACES.iter().map(|name| {
        // One check of the driver is that of all its interfaces.
        let verdict = match Interface::named(name) {
            Some(interface) if has(interface) => vendor.clone(),
            _ => json!({"result": null, "reason": "not supported"}),
        };
        ((*name).to_owned(), verdict)
    });
    let mut interfaces: Map<String, Value> = others.collect();
    interfaces.insert("vendor".to_owned(), vendor);
    Ok(crate::http::json(&interfaces))
}
