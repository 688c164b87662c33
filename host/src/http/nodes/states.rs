//! The states of a node: what is kept of them, and changing its power.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, Response, header};
use serde_json::{Map, Value, json};

use super::fields::PROVISION_STATE;
use super::notation::quote_misplaced;
use crate::http::links::Links;
use crate::http::query::Arguments;
use crate::http::request::RequestInfo;
use crate::http::{Api, ApiError};
use crate::node::fields::Node;
use crate::node::power::{PowerState, PowerTarget};

/// From here on power can be changed softly, and with a timeout.
const SOFT: u16 = 27;

/// `GET /v1/nodes/{node}/states`: what is kept. With `?refresh=true`, which is ours, the power state is read from the device first.
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    info: RequestInfo,
    Path(ident): Path<String>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    let mut arguments = Arguments::parse(request.uri().query());
    let refresh = arguments.take_bool("refresh")?;
    arguments.finish()?;
    let mut node = super::find(&api, &ident, info.version)?;
    if refresh == Some(true) {
        node = api.passthru.read_power(node, info.id).await?;
    }
    let mut states = json!({
        "console_enabled": false, "last_error": node.rare().last_error, "power_state": node.power_state(),
        "provision_state": PROVISION_STATE, "target_power_state": node.target_power_state(), "target_provision_state": null,
        "provision_updated_at": null,
    });
    let since = [
        ("raid_config", 12),
        ("target_raid_config", 12),
        ("boot_mode", 75),
        ("secure_boot", 75),
    ];
    for (name, _) in since.iter().filter(|(_, since)| info.version.0 >= *since) {
        states[*name] = if name.ends_with("config") {
            json!({})
        } else {
            Value::Null
        };
    }
    Ok(crate::http::json(&states))
}

/// `PUT /v1/nodes/{node}/states/power`
pub(super) async fn set_power(
    State(api): State<Arc<Api>>,
    info: RequestInfo,
    links: Links,
    Path(ident): Path<String>,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    Arguments::parse(request.uri().query()).finish()?;
    let node = super::find(&api, &ident, info.version)?;
    let (parts, body) = request.into_parts();
    let mut members = members(super::json_body(&api, &parts, body).await?)?;
    let (target, timeout) = (members.remove("target"), members.remove("timeout"));
    only_these(&members)?;
    let word = text("target", target)?;
    let timeout = seconds(timeout)?;
    let target = PowerTarget::of_word(&word);
    if target.is_some_and(PowerTarget::is_soft) || timeout.is_some_and(|seconds| seconds != 0) {
        info.version.require(SOFT)?;
    }
    if timeout.is_some_and(|seconds| seconds < 1) {
        return Err(ApiError::bad_request("timeout has to be positive integer"));
    }
    let Some(target) = target else {
        return Err(invalid_target(&word, &ident, &node));
    };
    let timeout = timeout.and_then(|seconds| u64::try_from(seconds).ok());
    let (call, arguments) = api
        .passthru
        .power_change(node, target, timeout.map(Duration::from_secs))?;
    api.passthru.call(call, arguments, info.id).await?;
    let mut response = super::accepted();
    if let Ok(location) = HeaderValue::try_from(links.url(&format!("/v1/nodes/{ident}/states"))) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Ironic's `InvalidStateRequested`, with Python's word for nothing.
fn invalid_target(word: &str, ident: &str, node: &Node) -> ApiError {
    let state = node.power_state().map_or("None", PowerState::word);
    ApiError::bad_request(format!(
        "The requested action \"{word}\" can not be performed on node \"{ident}\" while it is in state \"{state}\"."
    ))
}

/// The members of a body, which must be an object.
///
/// # Errors
/// 400 with what was found.
pub(super) fn members(body: Value) -> Result<Map<String, Value>, ApiError> {
    match body {
        Value::Object(members) => Ok(members),
        other => Err(ApiError::bad_request(format!(
            "Expected an object: {}",
            quote_misplaced(&other)
        ))),
    }
}

/// Refuses members that nobody has taken.
///
/// # Errors
/// Ironic's `Unexpected arguments`.
pub(super) fn only_these(members: &Map<String, Value>) -> Result<(), ApiError> {
    if members.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = members.keys().map(String::as_str).collect();
    Err(ApiError::unexpected_arguments(&names))
}

/// A mandatory text.
///
/// # Errors
/// Ironic's sentences for what is missing or no text.
pub(super) fn text(name: &str, given: Option<Value>) -> Result<String, ApiError> {
    match given {
        None => Err(ApiError::bad_request(format!(
            "Missing mandatory parameter: {name}"
        ))),
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(ApiError::bad_request(format!(
            "Expected string for {name}: {}",
            quote_misplaced(&other)
        ))),
    }
}

/// A number of seconds, also as text: the command line sends one.
fn seconds(given: Option<Value>) -> Result<Option<i64>, ApiError> {
    let number = match &given {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    number.map(Some).ok_or_else(|| {
        let shown = given.as_ref().map(quote_misplaced).unwrap_or_default();
        ApiError::bad_request(format!("Expected an integer for timeout: {shown}"))
    })
}
