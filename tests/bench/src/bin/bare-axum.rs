//! A bare axum server: routes as the host does, checks the JSON of a body and sends it back.

#![forbid(unsafe_code)]

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::any;
use bench::routed;
use bytes::Bytes;

fn main() -> std::io::Result<()> {
    bench::run(async |bare| {
        let router = Router::new()
            .route(routed::DRIVER_METHOD, any(driver_method))
            .route(routed::NODE_METHOD, any(node_method))
            .fallback(routed::get)
            .with_state(routed::state(&bare)?);
        routed::serve(router).await
    })
}

async fn driver_method(Path((_, method)): Path<(String, String)>, body: Bytes) -> Response {
    echo(&method, body).await
}

async fn node_method(Path((_, method)): Path<(String, String)>, body: Bytes) -> Response {
    echo(&method, body).await
}

async fn echo(method: &str, body: Bytes) -> Response {
    if !bench::is_fine(&body) {
        return routed::refused();
    }
    if method == "sleep" {
        tokio::time::sleep(bench::pause(&body)).await;
    }
    routed::reply(body)
}
