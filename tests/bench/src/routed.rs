//! What the bare servers that are made with axum share.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::serve::ListenerExt;
use bytes::Bytes;

use crate::{Bare, Gets, headers, listen};

/// The route of a driver's method.
pub const DRIVER_METHOD: &str = "/v1/drivers/{driver}/vendor_passthru/{method}";
/// The route of a node's method.
pub const NODE_METHOD: &str = "/v1/nodes/{node}/vendor_passthru/{method}";

/// What the routes share: the replies to GET.
///
/// # Errors
/// A file of `--get` cannot be read.
pub fn state(bare: &Bare) -> std::io::Result<Arc<Gets>> {
    bare.gets().map(Arc::new)
}

/// Serves until the process is ended.
///
/// # Errors
/// No port is free.
pub async fn serve(router: Router) -> std::io::Result<()> {
    let listener = listen().await?.tap_io(|stream| {
        // What cannot be set is a connection that is gone.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await
}

/// A GET of a path that was given on the command line.
pub async fn get(State(gets): State<Arc<Gets>>, uri: Uri) -> Response {
    match gets.get(uri.path()) {
        Some(body) => reply(body.clone()),
        None => refused(),
    }
}

/// 200 with a body.
pub fn reply(body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    headers(response.headers_mut(), true);
    response
}

/// 202 without a body.
pub fn accepted() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    headers(response.headers_mut(), false);
    response
}

/// 400, which no run expects.
pub fn refused() -> Response {
    let mut response = reply(Bytes::from_static(b"{}"));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}
