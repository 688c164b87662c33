//! The listening side: connections, and what every request has in common: id, version, path, headers.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, header};
use axum::response::IntoResponse;
use bytes::Bytes;
use hyper::body::Incoming;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::unconstrained;
use tokio::time::Instant;
use tower_service::Service;

use super::connection::{self, Pace};
use super::descriptors;
use super::error::ApiError;
use super::request::RequestInfo;
use super::vendor_passthru::{self, Address};
use super::versions::ApiVersion;
use super::{Api, routes};
use crate::request_id::RequestId;

/// The header that OpenStack's services share, and Ironic's older one; both carry the same id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-openstack-request-id");
const OLD_REQUEST_ID: HeaderName = HeaderName::from_static("openstack-request-id");
/// Pause after a failed accept: the usual cause, no descriptors left, does not go away at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How many clients are told at once that there are too many.
const REFUSALS: usize = 100;
/// How many headers every reply gets here: three versions and two request ids.
pub(super) const COMMON_HEADERS: usize = 5;
/// How long the log says nothing more about connections that are not taken.
const LOG_PAUSE: Duration = Duration::from_secs(10);

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
        descriptors::make_room(limits.max_connections);
        let pace = Pace::new(limits);
        let refusals = Arc::new(Semaphore::new(REFUSALS));
        let graceful = GracefulShutdown::new();
        let mut stop = pin!(stop);
        let (mut failures, mut too_many) = (Seldom::default(), Seldom::default());
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut stop => break,
            };
            let (stream, _) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    if failures.is_due() {
                        tracing::warn!("a connection could not be accepted: {error}");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let Some(permit) = api.traffic.admit() else {
                if too_many.is_due() {
                    let max = limits.max_connections;
                    tracing::warn!("limits.max_connections = {max} are open: connections are refused");
                }
                // Beyond so many at once they are closed without a word: telling them must not cost what they are refused.
                if let Ok(turn) = refusals.clone().try_acquire_owned() {
                    tokio::spawn(refuse(stream, turn));
                }
                continue;
            };
            // Replies are small and wait for nothing; without this they wait for the client's acknowledgement.
            let _ = stream.set_nodelay(true);
            let (router, api) = (router.clone(), api.clone());
            let shutdown = graceful.watcher();
            tokio::spawn(unconstrained(async move {
                let answer = |request, refusal| answer(router.clone(), api.clone(), request, refusal);
                connection::serve(stream, pace, shutdown, answer).await;
                drop(permit);
            }));
        }
        drop(self.listener);
        graceful.shutdown().await;
    }
}

/// Keeps what many clients can cause from filling the log.
#[derive(Default)]
struct Seldom(Option<Instant>);

impl Seldom {
    fn is_due(&mut self) -> bool {
        let due = self.0.is_none_or(|last| last.elapsed() >= LOG_PAUSE);
        if due {
            self.0 = Some(Instant::now());
        }
        due
    }
}

/// Tells a client that came when `limits.max_connections` others were there.
async fn refuse(mut stream: TcpStream, _turn: OwnedSemaphorePermit) {
    let id = RequestId::random();
    tracing::debug!(request_id = %id, "a connection was refused");
    let reply = ApiError::too_many_connections().into_raw(id);
    let _ = tokio::time::timeout(Duration::from_secs(1), async {
        stream.write_all(&reply).await?;
        stream.shutdown().await?;
        // Closed with its request unread, the connection would be reset, and the client might not see the answer.
        let mut unread = [0; 1024];
        while stream.read(&mut unread).await? > 0 {}
        std::io::Result::Ok(())
    })
    .await;
}

async fn answer(
    router: Router,
    api: Arc<Api>,
    request: Request<Incoming>,
    refusal: Option<ApiError>,
) -> Response<Body> {
    let id = RequestId::random();
    let (parts, body) = request.into_parts();
    let version = ApiVersion::of(&parts.headers);
    let answered = match (refusal, &version) {
        (Some(refusal), _) => {
            tracing::debug!(request_id = %id, "refused: {}", refusal.text());
            Err(refusal)
        }
        (None, Ok(version)) => {
            let info = RequestInfo {
                id,
                version: *version,
            };
            route(router, &api, info, &parts, body).await
        }
        (None, Err(error)) => Err(error.clone()),
    };
    let mut response = answered.unwrap_or_else(ApiError::into_response);
    let headers = response.headers_mut();
    headers.reserve(COMMON_HEADERS);
    ApiVersion::announce(version.ok(), headers);
    // One buffer for both.
    if let Ok(id) = HeaderValue::from_maybe_shared(Bytes::from_owner(id.text())) {
        headers.insert(REQUEST_ID, id.clone());
        headers.insert(OLD_REQUEST_ID, id);
    }
    if headers.contains_key(header::RETRY_AFTER) && is_ironicclient(&parts.headers) {
        headers.remove(header::RETRY_AFTER);
    }
    let status = response.status().as_u16();
    api.traffic.answered(status);
    let Parts { method, uri, .. } = &parts;
    if response.status().is_server_error() {
        tracing::warn!(request_id = %id, %method, %uri, status, "request failed");
    } else {
        tracing::debug!(request_id = %id, %method, %uri, status, "request");
    }
    response
}

async fn route(
    mut router: Router,
    api: &Api,
    info: RequestInfo,
    parts: &Parts,
    body: Incoming,
) -> Result<Response<Body>, ApiError> {
    let path = parts.uri.path();
    if path.contains('%') && percent_encoding::percent_decode_str(path).decode_utf8().is_err() {
        return Err(ApiError::unreadable_path(path));
    }
    let normal = normal(&parts.uri);
    let uri = normal.as_ref().unwrap_or(&parts.uri);
    if let Some(address) = Address::of(uri.path()) {
        return vendor_passthru::answer(api, info, parts, address, body).await;
    }
    let mut request = Request::new(body);
    *request.headers_mut() = parts.headers.clone();
    *request.uri_mut() = uri.clone();
    // axum would answer HEAD as a GET; Ironic does not, and neither do we. A verb that nothing has gets the resource's own
    // list of what it allows.
    *request.method_mut() = match &parts.method {
        &Method::HEAD => Method::TRACE,
        method => method.clone(),
    };
    request.extensions_mut().insert(info);
    // Boxed: the calls of drivers do not come here, and carry no room for it.
    match Box::pin(router.call(request)).await {
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
pub(super) fn normal(uri: &Uri) -> Option<Uri> {
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
