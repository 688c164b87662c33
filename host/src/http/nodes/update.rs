//! Changes of a node. Each holds the node's lock, and is made on the revision that it has seen.
//!
//! A client that leaves takes its request's future with it. While that waits for the lock, nothing happens to the node; once it has the lock,
//! the change is made in a task of its own, which lets go when the change is durable or refused.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::Response;
use serde_json::Value;

use super::input::{self, Occasion};
use super::notation::quote_misplaced;
use super::patch::Patch;
use crate::http::links::Links;
use crate::http::query::Arguments;
use crate::http::request::RequestInfo;
use crate::http::{Api, ApiError};
use crate::node::fields::{Node, NodeFields};
use crate::node::lock::NodeGuard;
use crate::node::store::NodeError;

/// `PATCH /v1/nodes/{node}`
pub(super) async fn patch(
    State(api): State<Arc<Api>>,
    info: RequestInfo,
    links: Links,
    Path(ident): Path<String>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    let mut arguments = Arguments::parse(request.uri().query());
    let reset_interfaces = arguments.take_bool("reset_interfaces")?;
    arguments.finish()?;
    if reset_interfaces.is_some() {
        info.version.require(45)?;
    }
    let node = super::find(&api, &ident, info.version)?;
    let (parts, body) = request.into_parts();
    let patch = Patch::parse(super::json_body(&api, &parts, body).await?, info.version)?;
    if reset_interfaces == Some(true) && !patch.sets("driver") {
        let text = "The reset_interfaces parameter can only be used when changing the node's driver.";
        return Err(ApiError::bad_request(text));
    }
    let change = {
        let api = api.clone();
        move |node: &Node| {
            let mut document = input::document(node);
            patch.apply(&mut document, &api.nodes.secrets())?;
            let occasion = Occasion::Change {
                ident: &ident,
                patch: &patch,
            };
            input::read(&api, occasion, document, Some(node))
        }
    };
    // What cannot be is refused without waiting for the lock.
    change(&node)?;
    let guard = super::hold(&api, &node, "update", &info).await?;
    let node = make(api.clone(), guard, change).await?;
    Ok(super::show::whole(&api, &links, &node, info.version))
}

/// `DELETE /v1/nodes/{node}`
pub(super) async fn delete(
    State(api): State<Arc<Api>>,
    info: RequestInfo,
    Path(ident): Path<String>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    Arguments::parse(request.uri().query()).finish()?;
    let node = super::find(&api, &ident, info.version)?;
    let guard = super::hold(&api, &node, "delete", &info).await?;
    let deletion = async move {
        let node = api
            .nodes
            .get(&node.uuid())
            .ok_or_else(|| ApiError::node_not_found(&ident))?;
        if node.protected() {
            return Err(ApiError::node_protected(node.uuid()));
        }
        if let Some(instance) = node.rare().instance_uuid.filter(|_| !node.maintenance()) {
            return Err(ApiError::node_associated(node.uuid(), instance));
        }
        api.nodes.delete(node.uuid()).await?;
        tracing::info!(request_id = %info.id, node = %node.uuid(), "deleted");
        Ok(())
    };
    to_its_end(guard, deletion).await?;
    Ok(super::no_content())
}

/// `PUT /v1/nodes/{node}/maintenance`
pub(super) async fn set_maintenance(
    State(api): State<Arc<Api>>,
    info: RequestInfo,
    Path(ident): Path<String>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    Arguments::parse(request.uri().query()).finish()?;
    let node = super::find(&api, &ident, info.version)?;
    let (parts, body) = request.into_parts();
    let reason = reason(super::json_body(&api, &parts, body).await?)?;
    maintain(api, &info, &node, true, reason).await
}

/// `DELETE /v1/nodes/{node}/maintenance`
pub(super) async fn clear_maintenance(
    State(api): State<Arc<Api>>,
    info: RequestInfo,
    Path(ident): Path<String>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    Arguments::parse(request.uri().query()).finish()?;
    let node = super::find(&api, &ident, info.version)?;
    maintain(api, &info, &node, false, None).await
}

async fn maintain(
    api: Arc<Api>,
    info: &RequestInfo,
    node: &Node,
    maintenance: bool,
    reason: Option<Box<str>>,
) -> Result<Response<Body>, ApiError> {
    let guard = super::hold(&api, node, "maintenance", info).await?;
    let change = move |node: &Node| {
        let mut fields = node.fields();
        fields.maintenance = maintenance;
        fields.rare.maintenance_reason.clone_from(&reason);
        Ok(fields)
    };
    make(api, guard, change).await?;
    Ok(super::accepted())
}

fn reason(body: Value) -> Result<Option<Box<str>>, ApiError> {
    let Value::Object(mut members) = body else {
        return Err(ApiError::bad_request(format!(
            "Expected an object with a reason: {}",
            quote_misplaced(&body)
        )));
    };
    let reason = members.remove("reason");
    if !members.is_empty() {
        let names: Vec<_> = members.keys().map(String::as_str).collect();
        return Err(ApiError::unexpected_arguments(&names));
    }
    match reason {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.into())),
        Some(other) => Err(ApiError::bad_request(format!(
            "Expected string for reason: {}",
            quote_misplaced(&other)
        ))),
    }
}

/// Runs `work` in a task of its own, which lets go of the node when it is done, whether or not anybody still waits here.
async fn to_its_end<T: Send + 'static>(
    guard: NodeGuard,
    work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    let task = tokio::spawn(async move {
        let done = work.await;
        drop(guard);
        done
    });
    match task.await {
        Ok(done) => done,
        Err(error) => Err(ApiError::internal(&error)),
    }
}

/// Changes the node that is held. `last_error` may still change meanwhile, by a call that takes no lock: then the change is
/// made again on the newer revision.
async fn make(
    api: Arc<Api>,
    guard: NodeGuard,
    change: impl Fn(&Node) -> Result<NodeFields, ApiError> + Send + 'static,
) -> Result<Arc<Node>, ApiError> {
    let uuid = guard.node();
    let changes = async move {
        loop {
            let node = api.nodes.get(&uuid).ok_or(NodeError::Gone { uuid })?;
            let fields = change(&node)?;
            if fields == node.fields() {
                return Ok(node);
            }
            match api.nodes.update(&node, fields).await {
                Err(NodeError::Changed { .. }) => {}
                done => return Ok(done?),
            }
        }
    };
    to_its_end(guard, changes).await
}
