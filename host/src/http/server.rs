//! The listening side: connections, and what every request has in common: id, version, path, headers.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri, header};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::unconstrained;
use tower_service::Service;
use uuid::Uuid;

use super::error::ApiError;
use super::request::RequestInfo;
use super::versions::ApiVersion;
use super::{Api, routes};

/// The header that OpenStack's services share, and Ironic's older one; both carry the same id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-openstack-request-id");
const OLD_REQUEST_ID: HeaderName = HeaderName::from_static("openstack-request-id");
/// Pause after a failed accept: the usual cause, no descriptors left, does not go away at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A listening server.
pub struct Server {
    listener: TcpListener,
}

impl Server {
    /// Listens on `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// The address is in use or not this machine's.
    pub async fn bind(address: SocketAddr) -> std::io::Result<Server> {
        Ok(Server {
            listener: TcpListener::bind(address).await?,
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is done, then accepts nothing more and waits for the open requests. To be dropped when they
    /// take too long.
    pub async fn serve(self, api: Arc<Api>, stop: impl Future<Output = ()>) {
        let router = routes::routes(api.clone());
        let limits = &api.config.limits;
        let graceful = GracefulShutdown::new();
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(limits.header_timeout_ms));
        let mut stop = pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut stop => break,
            };
            let (stream, _) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!("a connection could not be accepted: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let Some(permit) = api.traffic.admit() else {
                tokio::spawn(refuse(stream));
                continue;
            };
            // Replies are small and wait for nothing; without this they wait for the client's acknowledgement.
            let _ = stream.set_nodelay(true);
            let (router, api) = (router.clone(), api.clone());
            let service = service_fn(move |request| answer(router.clone(), api.clone(), request));
            let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
            tokio::spawn(unconstrained(async move {
                if let Err(error) = connection.await {
                    tracing::debug!("a connection ended: {error}");
                }
                drop(permit);
            }));
        }
        drop(self.listener);
        graceful.shutdown().await;
    }
}

/// Tells a client that came when `limits.max_connections` others were there.
async fn refuse(mut stream: TcpStream) {
    let reply = ApiError::too_many_connections().into_raw();
    let _ = tokio::time::timeout(Duration::from_secs(1), async {
        let _ = stream.write_all(&reply).await;
        let _ = stream.shutdown().await;
    })
    .await;
}

async fn answer(
    router: Router,
    api: Arc<Api>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let id = RequestId::new();
    let method = request.method().clone();
    let uri = request.uri().clone();
    let retries_itself = is_ironicclient(request.headers());
    let version = ApiVersion::of(request.headers());
    let mut response = match &version {
        Ok(version) => match route(router, request, &id, *version).await {
            Ok(response) => response,
            Err(error) => error.into_response(),
        },
        Err(error) => error.clone().into_response(),
    };
    let headers = response.headers_mut();
    ApiVersion::announce(version.ok(), headers);
    headers.insert(REQUEST_ID, id.header.clone());
    headers.insert(OLD_REQUEST_ID, id.header);
    if retries_itself {
        headers.remove(header::RETRY_AFTER);
    }
    let status = response.status().as_u16();
    api.traffic.answered(status);
    if response.status().is_server_error() {
        tracing::warn!(request_id = &*id.text, %method, %uri, status, "request failed");
    } else {
        tracing::debug!(request_id = &*id.text, %method, %uri, status, "request");
    }
    Ok(response)
}

async fn route(
    mut router: Router,
    mut request: Request<Incoming>,
    id: &RequestId,
    version: ApiVersion,
) -> Result<Response<Body>, ApiError> {
    if routes::is_refused(request.method()) {
        return Err(ApiError::method_not_allowed(HeaderValue::from_static("GET")));
    }
    let path = request.uri().path();
    if percent_encoding::percent_decode_str(path).decode_utf8().is_err() {
        return Err(ApiError::unreadable_path(path));
    }
    let info = RequestInfo {
        id: id.text.clone(),
        version,
    };
    request.extensions_mut().insert(info);
    if let Some(uri) = normal(request.uri()) {
        *request.uri_mut() = uri;
    }
    match router.call(request).await {
        Ok(response) => Ok(ApiError::in_place_of_axum_s(response)),
        Err(never) => match never {},
    }
}

/// Whether the client is python-ironicclient, in the library or the command. It repeats a 409 and a 503 by itself, but up
/// to 6.3.0 it fails with a `TypeError` when one of them carries `Retry-After`
/// (`ironicclient.common.apiclient.exceptions.from_response` hands it to classes that do not take it).
fn is_ironicclient(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT);
    agent.is_some_and(|agent| agent.as_bytes().starts_with(b"python-ironicclient"))
}

/// The path as the table of routes has it, if it differs: no trailing slash, and the version that a bookmark link
/// leaves out.
fn normal(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let trimmed = path.trim_end_matches('/');
    let trimmed = if trimmed.is_empty() { "/" } else { trimmed };
    let first = trimmed[1..].split('/').next().unwrap_or("");
    let version = if matches!(first, "drivers" | "nodes") {
        "/v1"
    } else {
        ""
    };
    if version.is_empty() && trimmed.len() == path.len() {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{version}{trimmed}{query}").parse().ok()
}

/// A request's id, as text and as header.
struct RequestId {
    text: Arc<str>,
    header: HeaderValue,
}

impl RequestId {
    fn new() -> Self {
        let mut text = *b"req-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
        Uuid::new_v4().hyphenated().encode_lower(&mut text[4..]);
        let text = std::str::from_utf8(&text).unwrap_or("req-");
        RequestId {
            text: text.into(),
            header: HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("req-")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lose_their_slash_and_gain_their_version() {
        let normal = |uri: &str| normal(&uri.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(
            normal("/v1/drivers/?detail=True").as_deref(),
            Some("/v1/drivers?detail=True")
        );
        assert_eq!(normal("/drivers/fake").as_deref(), Some("/v1/drivers/fake"));
        assert_eq!(normal("/nodes/").as_deref(), Some("/v1/nodes"));
        for same in [
            "/",
            "/v1",
            "/v1/drivers",
            "/v1/n1/vendor_passthru?method=a",
            "/healthz",
        ] {
            assert_eq!(normal(same), None, "{same}");
        }
    }
}
