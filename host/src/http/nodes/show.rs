//! One node, whole or in part.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::Response;

use super::fields::{self, Field, Shown};
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
