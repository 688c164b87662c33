//! A new node.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use serde_json::Value;
use uuid::Uuid;

use super::input::{self, Occasion};
use super::notation::{quote, quote_misplaced};
use crate::http::links::Links;
use crate::http::query::Arguments;
use crate::http::request::RequestInfo;
use crate::http::{Api, ApiError};

/// `POST /v1/nodes`
pub(super) async fn create(
    State(api): State<Arc<Api>>,
    info: RequestInfo,
    links: Links,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    Arguments::parse(request.uri().query()).finish()?;
    let (parts, body) = request.into_parts();
    let mut document = match super::json_body(&api, &parts, body).await? {
        Value::Object(document) => document,
        other => {
            return Err(schema_error(&format!(
                "{} is not of type 'object'",
                quote_misplaced(&other)
            )));
        }
    };
    let uuid = match document.remove("uuid") {
        None | Some(Value::Null) => Uuid::new_v4(),
        Some(Value::String(text)) => input::expect_uuid("uuid", &text)?,
        Some(other) => {
            return Err(schema_error(&format!(
                "{} is not of type 'string', 'null'",
                quote_misplaced(&other)
            )));
        }
    };
    let mut unexpected = Vec::new();
    for name in document.keys() {
        if input::settable(name, info.version)?.is_none() {
            unexpected.push(quote(&Value::from(name.as_str())));
        }
    }
    if !unexpected.is_empty() {
        let verb = if unexpected.len() == 1 { "was" } else { "were" };
        let names = unexpected.join(", ");
        return Err(schema_error(&format!(
            "Additional properties are not allowed ({names} {verb} unexpected)"
        )));
    }
    let fields = input::read(&api, Occasion::Create, document, None)?;
    let node = api.nodes.create(uuid, fields).await?;
    tracing::info!(request_id = %info.id, node = %uuid, driver = node.driver(), "created");
    let shown = super::show::whole(&api, &links, &node, info.version);
    Ok(super::created(shown, &links.url(&format!("/v1/nodes/{uuid}"))))
}

fn schema_error(what: &str) -> ApiError {
    ApiError::bad_request(format!("Schema error for node: {what}"))
}
