//! The table of routes. Paths come without a trailing slash and with their version: see [`super::server`].

use std::sync::Arc;

use axum::Router;
use axum::http::Uri;
use axum::routing::{MethodFilter, get, on};

use super::error::ApiError;
use super::{Api, calls, drivers, health, metrics, nodes, root, vendor_passthru};

/// The verbs that a driver's methods can have.
const VERBS: MethodFilter = MethodFilter::GET
    .or(MethodFilter::POST)
    .or(MethodFilter::PUT)
    .or(MethodFilter::PATCH)
    .or(MethodFilter::DELETE);

/// Ironic's resources and ours.
pub(super) fn routes(api: Arc<Api>) -> Router {
    Router::new()
        .route("/", get(root::root))
        .route("/v1", get(root::v1))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .route("/v1/drivers", get(drivers::list))
        .route("/v1/drivers/{driver}", get(drivers::get))
        .route("/v1/drivers/{driver}/properties", get(drivers::properties))
        .route("/v1/drivers/{driver}/manifest", get(drivers::manifest))
        .route(
            "/v1/drivers/{driver}/vendor_passthru",
            on(VERBS, vendor_passthru::driver_query),
        )
        .route(
            "/v1/drivers/{driver}/vendor_passthru/{method}",
            on(VERBS, vendor_passthru::driver_path),
        )
        .route(
            "/v1/nodes/{node}/vendor_passthru",
            on(VERBS, vendor_passthru::node_query),
        )
        .route(
            "/v1/nodes/{node}/vendor_passthru/{method}",
            on(VERBS, vendor_passthru::node_path),
        )
        // The same, shorter; a node cannot have the name of a static segment.
        .route(
            "/v1/{node}/vendor_passthru",
            on(VERBS, vendor_passthru::node_query),
        )
        .route(
            "/v1/{node}/vendor_passthru/{method}",
            on(VERBS, vendor_passthru::node_path),
        )
        .merge(nodes::routes())
        .merge(calls::routes())
        .fallback(async |uri: Uri| ApiError::no_such_resource(uri.path()))
        .with_state(api)
}
