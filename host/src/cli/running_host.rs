//! What the commands that speak with a running host have in common.

use std::time::Duration;

use anyhow::{Context, bail};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Method, Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// How long a running host may take to answer: it never waits for a driver here.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than a thousand manifests; a server that sends more is not a host.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// Runs what asks a host to its end.
///
/// # Errors
/// Its own, and a machine without what a runtime needs.
pub(super) fn wait_for<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(work)
}

/// Sends one request without a body, and reads the JSON of its answer.
///
/// # Errors
/// One line: no host answers there, it does not answer as one, or it refuses.
pub(super) async fn ask(method: Method, url: &str) -> anyhow::Result<Value> {
    let address: Uri = url
        .parse()
        .with_context(|| format!("{url} is not a URL; expected http://HOST:PORT"))?;
    if address.scheme_str() != Some("http") {
        bail!("{url} cannot be asked: expected a URL that starts with http://");
    }
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<bytes::Bytes>>();
    let request = Request::builder()
        .method(method)
        .uri(address)
        .body(Empty::new())?;
    let work = async {
        let response = client
            .request(request)
            .await
            .with_context(|| format!("no host answers at {url}; is it running?"))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await;
        let Ok(body) = body else {
            bail!("{url} stopped in the middle of its answer")
        };
        let body = body.to_bytes();
        if !status.is_success() {
            match reason(&body) {
                Some(reason) => bail!("{url} answered {status}: {reason}"),
                None => bail!("{url} answered {status}; is it a host?"),
            }
        }
        serde_json::from_slice(&body).with_context(|| format!("{url} did not answer JSON; is it a host?"))
    };
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(result) => result,
        Err(_) => bail!("{url} did not answer within {} s", PATIENCE.as_secs()),
    }
}

/// What a host says in an error, in Ironic's envelope.
fn reason(body: &[u8]) -> Option<String> {
    let outer: Value = serde_json::from_slice(body).ok()?;
    let inner: Value = serde_json::from_str(outer["error_message"].as_str()?).ok()?;
    inner["faultstring"].as_str().map(str::to_owned)
}
