//! The table of routes. Paths come without a trailing slash and with their version: see [`super::server`].

use std::sync::Arc;

use axum::Router;
use axum::http::Uri;
use axum::routing::{MethodRouter, get, post};

use super::error::ApiError;
use super::{Api, calls, drivers, health, metrics, nodes, openapi, root};

/// Routes and their paths: the router would not tell, and the description of the API is held against them.
pub(super) struct Table {
    router: Router<Arc<Api>>,
    paths: Vec<&'static str>,
}

impl Table {
    pub(super) fn new() -> Self {
        Table {
            router: Router::new(),
            paths: Vec::new(),
        }
    }

    pub(super) fn route(mut self, path: &'static str, verbs: MethodRouter<Arc<Api>>) -> Self {
        self.paths.push(path);
        self.router = self.router.route(path, verbs);
        self
    }

    fn merge(mut self, other: Table) -> Self {
        self.paths.extend(other.paths);
        self.router = self.router.merge(other.router);
        self
    }

    pub(super) fn with_state(self, api: Arc<Api>) -> Router {
        self.router.with_state(api)
    }
}

/// Ironic's resources and ours, but the calls of drivers: those are [`super::vendor_passthru`]'s.
pub(super) fn routes(api: Arc<Api>) -> Router {
    table()
        .with_state(api)
        .fallback(async |uri: Uri| ApiError::no_such_resource(uri.path()))
}

fn table() -> Table {
    Table::new()
        .route("/", get(root::root))
        .route("/v1", get(root::v1))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .route("/openapi.json", get(openapi::openapi))
        .route("/v1/drivers", get(drivers::list))
        .route("/v1/drivers/{driver}", get(drivers::get))
        .route("/v1/drivers/{driver}/properties", get(drivers::properties))
        .route("/v1/drivers/{driver}/manifest", get(drivers::manifest))
        .route("/v1/drivers/{driver}/reset", post(drivers::reset))
        .merge(nodes::routes())
        .merge(calls::routes())
}

/// The paths of all routes.
#[cfg(test)]
pub(super) fn paths() -> Vec<&'static str> {
    table().paths
}
