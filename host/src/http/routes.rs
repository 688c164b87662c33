//! The table of routes. Paths come without a trailing slash and with their version: see [`super::server`].

use std::sync::Arc;

use axum::Router;
use axum::http::Uri;
use axum::routing::{get, post};

use super::error::ApiError;
use super::{Api, calls, drivers, health, metrics, nodes, root};

/// Ironic's resources and ours, but the calls of drivers: those are [`super::vendor_passthru`]'s.
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
        .route("/v1/drivers/{driver}/reset", post(drivers::reset))
        .merge(nodes::routes())
        .merge(calls::routes())
        .fallback(async |uri: Uri| ApiError::no_such_resource(uri.path()))
        .with_state(api)
}
