//! The version documents: what a client learns before it knows anything.

use axum::body::Body;
use axum::http::Response;
use serde_json::json;

use super::links::Links;

/// `GET /`
pub(super) async fn root(links: Links) -> Response<Body> {
    let v1 = version(&links);
    super::json(&json!({
        "name": "OpenStack Ironic API",
        "description": "Ironic's API for the methods of bare-metal hardware drivers that are shipped as shared libraries.",
        "default_version": v1,
        "versions": [v1],
    }))
}

/// `GET /v1`
pub(super) async fn v1(links: Links) -> Response<Body> {
    super::json(&json!({
        "id": "v1",
        "links": links.to_self("/v1/"),
        "media_types": {"base": "application/json", "type": "application/vnd.openstack.ironic.v1+json"},
        "nodes": links.of("nodes/"),
        "drivers": links.of("drivers/"),
        "version": version(&links),
    }))
}

/// The part from which openstacksdk negotiates.
fn version(links: &Links) -> serde_json::Value {
    json!({
        "id": "v1",
        "links": links.to_self("/v1/"),
        "status": "CURRENT",
        "min_version": super::ApiVersion::MIN.to_string(),
        "version": super::ApiVersion::MAX.to_string(),
    })
}
