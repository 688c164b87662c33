//! One node, whole or in part, and its states.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::Response;

use super::fields::{self, Field, PROVISION_STATE, Shown};
use crate::http::links::Links;
use crate::http::query::Arguments;
use crate::http::request::RequestInfo;
use crate::http::{Api, ApiError, ApiVersion};
use crate::node::fields::Node;

/// Room for an ordinary node with all of its fields.
const NODE_BYTES: usize = 4096;

/// `GET /v1/nodes/{node}`
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    info: RequestInfo,
    links: Links,
    Path(ident): Path<String>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    let mut arguments = Arguments::parse(request.uri().query());
    let names = arguments.take_list("fields");
    arguments.finish()?;
    let fields = match names {
        Some(names) => fields::chosen(&names, info.version)?,
        None => fields::all(info.version),
    };
    let node = super::find(&api, &ident, info.version)?;
    Ok(reply(&api, &links, &node, &fields))
}

/// The reply that shows a node in full.
pub(super) fn whole(api: &Api, links: &Links, node: &Node, version: ApiVersion) -> Response<Body> {
    reply(api, links, node, &fields::all(version))
}

fn reply(api: &Api, links: &Links, node: &Node, fields: &[&Field]) -> Response<Body> {
    let mut out = Vec::with_capacity(NODE_BYTES);
    Shown::new(api, links).write(node, fields, &mut out);
    super::written(out)
}

/// `GET /v1/nodes/{node}/states`
pub(super) async fn states(
    State(api): State<Arc<Api>>,
    info: RequestInfo,
    Path(ident): Path<String>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    Arguments::parse(request.uri().query()).finish()?;
    let node = super::find(&api, &ident, info.version)?;
    let mut states = serde_json::json!({
        "console_enabled": false, "last_error": node.rare().last_error, "power_state": null,
        "provision_state": PROVISION_STATE, "target_power_state": null, "target_provision_state": null,
        "provision_updated_at": null,
    });
    let since = [
        ("raid_config", 12),
        ("target_raid_config", 12),
        ("boot_mode", 75),
        ("secure_boot", 75),
    ];
    for (name, _) in since.iter().filter(|(_, since)| info.version.0 >= *since) {
        let empty = if name.ends_with("config") {
            serde_json::json!({})
        } else {
            serde_json::Value::Null
        };
        states[*name] = empty;
    }
    Ok(crate::http::json(&states))
}
