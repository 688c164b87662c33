//! The API as an OpenAPI 3.1 document, made of the manifests alone: no driver is asked.
//!
//! - `operation`: one request and its answers, as the parts below write it.
//! - `host`: the host's own resources. `nodes`: those of nodes. `standard`: power and management. `methods`: the drivers' own methods.
//! - `schemas`: what bodies look like.

mod host;
mod methods;
mod nodes;
mod operation;
mod schemas;
mod standard;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use serde_json::{Map, Value, json};

use super::error::{ApiError, documented};
use super::links::Links;
use super::query::Arguments;
use super::{Api, ApiVersion};
use crate::plugin::DriverManifest;
use operation::Paths;

/// `GET /openapi.json`
pub(super) async fn openapi(
    State(api): State<Arc<Api>>,
    links: Links,
    request: Request,
) -> Result<Response<Body>, ApiError> {
    Arguments::parse(request.uri().query()).finish()?;
    let drivers = api.registry.snapshot();
    let manifests: Vec<&DriverManifest> = drivers.values().map(|driver| driver.manifest()).collect();
    Ok(super::json(&document(&manifests, &links.url(""))))
}

/// The document for a host with these drivers, at this URL.
pub fn document(manifests: &[&DriverManifest], url: &str) -> Value {
    let mut paths = Paths::default();
    let mut schemas = schemas::all();
    host::add(&mut paths);
    nodes::add(&mut paths);
    standard::add(&mut paths);
    methods::add(&mut paths, &mut schemas, manifests);
    let url = if url.is_empty() { "/" } else { url };
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Methods of bare-metal hardware drivers",
            "summary": "OpenStack Ironic's API, as far as this host serves it, and the methods of its drivers.",
            "description": description(),
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": url}],
        "tags": tags(manifests),
        "paths": paths.into_value(),
        "components": {
            "schemas": schemas,
            "responses": responses(),
            "headers": headers(),
            "parameters": parameters(),
        },
    })
}

fn description() -> String {
    format!(
        "What is shown is version {} of Ironic's API; earlier ones have fewer fields, and a request without a version speaks {}. \
         Every path may end with a slash, and those under `/v1/drivers` and `/v1/nodes` may leave the version out. \
         Bodies are read whatever their media type is, with every verb; none and `null` are `{{}}`.",
        ApiVersion::MAX,
        ApiVersion::MIN,
    )
}

fn tags(manifests: &[&DriverManifest]) -> Value {
    let own = [
        ("drivers", "The drivers that are enabled."),
        ("nodes", "The machines that drivers manage."),
        (
            "vendor_passthru",
            "Calls of a driver's own methods, whatever they are.",
        ),
        ("calls", "The records of calls whose client does not wait."),
        ("host", "The host itself."),
    ];
    let own = own.map(|(name, description)| json!({"name": name, "description": description}));
    let of_drivers = manifests
        .iter()
        .map(|manifest| json!({"name": methods::tag(manifest), "description": manifest.description}));
    own.into_iter().chain(of_drivers).collect()
}

/// One reply for each error status.
fn responses() -> Map<String, Value> {
    let one = |(status, text): documented::Documented| {
        let mut headers = operation::common_headers();
        if matches!(status, 409 | 503) {
            headers.insert(
                "Retry-After".to_owned(),
                json!({"$ref": "#/components/headers/RetryAfter"}),
            );
        }
        if status == 504 {
            headers.insert(
                "Location".to_owned(),
                json!({"$ref": "#/components/headers/CallLocation"}),
            );
        }
        let reply = json!({
            "description": text,
            "headers": headers,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        });
        (operation::refusal(status), reply)
    };
    documented::all().map(one).collect()
}

fn headers() -> Value {
    let version = |description: &str| json!({"description": description, "schema": {"type": "string", "pattern": r"^1\.\d+$"}});
    json!({
        "RequestId": {
            "description": "The request, as the host's log names it.",
            "required": true,
            "schema": {"type": "string", "pattern": "^req-[0-9a-f-]{36}$"},
        },
        "Version": version("The version that the reply speaks; not there when none could be agreed on."),
        "MinimumVersion": version("The first version that is served."),
        "MaximumVersion": version("The last version that is served."),
        "RetryAfter": {"description": "Seconds after which to ask again.", "schema": {"type": "integer", "minimum": 1}},
        "CallLocation": {
            "description": "Where the record of the call is.",
            "schema": {"type": "string", "pattern": "^/v1/calls/[0-9a-f-]{36}$"},
        },
        "NodeLocation": {"description": "Where the node is.", "required": true, "schema": {"type": "string"}},
    })
}

fn parameters() -> Value {
    let in_path = |name: &str, description: &str| {
        json!({"name": name, "in": "path", "required": true, "description": description,
               "schema": {"type": "string", "minLength": 1}})
    };
    json!({
        "Version": {
            "name": "X-OpenStack-Ironic-API-Version",
            "in": "header",
            "description": "The version of the API that the request speaks, or `latest`; `OpenStack-API-Version: baremetal 1.N` wins over it.",
            "schema": {
                "type": "string",
                "pattern": format!("^(1\\.([1-9]|[1-6][0-9]|7[0-{}])|latest)$", ApiVersion::MAX.0 % 10),
                "default": ApiVersion::MIN.to_string(),
            },
        },
        "node": in_path("node", "The node's UUID or, from version 1.5 on, its name."),
        "driver": in_path("driver", "The driver's name."),
        "method": in_path("method", "The method's name."),
        "id": in_path("id", "The record's id."),
    })
}

#[cfg(test)]
mod tests;
