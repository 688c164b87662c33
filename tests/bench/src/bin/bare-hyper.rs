//! A bare hyper server: checks the JSON of a body and sends it back.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::sync::Arc;

use bench::Gets;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

fn main() -> std::io::Result<()> {
    bench::run(async |bare| {
        let gets = Arc::new(bare.gets()?);
        let listener = bench::listen().await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let gets = gets.clone();
            let service = service_fn(move |request| answer(request, gets.clone()));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    })
}

async fn answer(request: Request<Incoming>, gets: Arc<Gets>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let reply = if parts.method == Method::GET {
        gets.get(parts.uri.path()).cloned()
    } else {
        let body = body.collect().await.map(|body| body.to_bytes());
        body.ok().filter(|body| bench::is_fine(body))
    };
    if let Some(body) = reply
        .as_ref()
        .filter(|_| parts.uri.path().ends_with(bench::SLEEP))
    {
        tokio::time::sleep(bench::pause(body)).await;
    }
    let mut response = Response::new(Full::default());
    match reply {
        Some(body) => *response.body_mut() = Full::new(body),
        None => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    bench::headers(response.headers_mut(), true);
    Ok(response)
}
