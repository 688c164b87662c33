//! What Ironic's management interface does with a node: its boot device, and an interrupt of its processors.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::Response;
use serde_json::{Value, json};

use super::notation::quote_misplaced;
use super::states::{members, only_these, text};
use crate::call::{Answer, CallError, standard};
use crate::http::query::{Arguments, boolean};
use crate::http::request::RequestInfo;
use crate::http::{Api, ApiError};
use crate::plugin::manifest::{Interface, StandardCall};

/// From here on processors can be interrupted; before, there is no such path.
const NMI: u16 = 29;

/// `GET /v1/nodes/{node}/management/boot_device`
pub(super) async fn boot_device(
    State(api): State<Arc<Api>>,
    info: RequestInfo,
    Path(ident): Path<String>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    Arguments::parse(request.uri().query()).finish()?;
    let node = super::find(&api, &ident, info.version)?;
    let call = api.passthru.standard(node, StandardCall::GetBootDevice)?;
    match api.passthru.call(call, "{}".into(), info.id).await? {
        Answer::Reply(reply) => Ok(crate::http::json(&standard::boot_device(&reply)?)),
        Answer::Accepted { .. } => Ok(super::accepted()),
    }
}

/// `GET /v1/nodes/{node}/management/boot_device/supported`: what the manifest says. Runs no driver.
pub(super) async fn supported_boot_devices(
    State(api): State<Arc<Api>>,
    info: RequestInfo,
    Path(ident): Path<String>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    Arguments::parse(request.uri().query()).finish()?;
    let node = super::find(&api, &ident, info.version)?;
    let driver = api.passthru.driver_of(&node)?;
    if !driver.has(Interface::Management) {
        let error = CallError::Unsupported {
            driver: driver.name().to_string(),
            extension: Interface::Management.name(),
        };
        return Err(error.into());
    }
    let devices = driver.accepts(StandardCall::SetBootDevice);
    Ok(crate::http::json(&json!({ "supported_boot_devices": devices })))
}

/// `PUT /v1/nodes/{node}/management/boot_device`
pub(super) async fn set_boot_device(
    State(api): State<Arc<Api>>,
    info: RequestInfo,
    Path(ident): Path<String>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    Arguments::parse(request.uri().query()).finish()?;
    let node = super::find(&api, &ident, info.version)?;
    let (parts, body) = request.into_parts();
    let mut members = members(super::json_body(&api, &parts, body).await?)?;
    let (device, persistent) = (members.remove("boot_device"), members.remove("persistent"));
    only_these(&members)?;
    let device = text("boot_device", device)?;
    let persistent = match persistent {
        None | Some(Value::Null) => false,
        Some(Value::Bool(persistent)) => persistent,
        Some(Value::String(word)) => boolean("persistent", &word)?,
        Some(other) => {
            let text = format!("Expected boolean for persistent: {}", quote_misplaced(&other));
            return Err(ApiError::bad_request(text));
        }
    };
    let call = api.passthru.standard(node, StandardCall::SetBootDevice)?;
    if !call.accepts(&device) {
        return Err(ApiError::bad_request(format!(
            "Invalid boot device {device} specified."
        )));
    }
    let arguments = json!({"boot_device": device, "persistent": persistent}).to_string();
    api.passthru.call(call, arguments.into(), info.id).await?;
    Ok(super::no_content())
}

/// `PUT /v1/nodes/{node}/management/inject_nmi`
pub(super) async fn inject_nmi(
    State(api): State<Arc<Api>>,
    info: RequestInfo,
    Path(ident): Path<String>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    if info.version.0 < NMI {
        return Err(ApiError::no_such_resource(request.uri().path()));
    }
    Arguments::parse(request.uri().query()).finish()?;
    let node = super::find(&api, &ident, info.version)?;
    let (parts, body) = request.into_parts();
    only_these(&members(super::json_body(&api, &parts, body).await?)?)?;
    let call = api.passthru.standard(node, StandardCall::InjectNmi)?;
    api.passthru.call(call, "{}".into(), info.id).await?;
    Ok(super::no_content())
}
