//! What the bare servers share: their command line, their headers, their replies.
//!
//! A bare server answers like the host and does nothing of what the host is for. It is the limit of what a server made of
//! the same libraries can do.

#![forbid(unsafe_code)]

pub mod routed;

use std::collections::HashMap;
use std::future::Future;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use bytes::Bytes;
use clap::Parser;
use serde::Deserialize;
use tokio::net::TcpListener;
use uuid::Uuid;

/// The depth of JSON that the host allows unless told otherwise.
pub const MAX_JSON_DEPTH: u32 = 25;

/// The command line of every bare server.
#[derive(Debug, Parser)]
pub struct Bare {
    /// A path and the file with what a GET of it answers; a path without query
    #[arg(long = "get", num_args = 2, value_names = ["PATH", "FILE"])]
    gets: Vec<String>,
    /// The database, for the server that has one
    #[arg(long, value_name = "FILE")]
    pub database: Option<PathBuf>,
}

/// Replies to GET, by path.
pub type Gets = HashMap<String, Bytes>;

impl Bare {
    /// Reads the files of `--get`.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn gets(&self) -> std::io::Result<Gets> {
        let pairs = self.gets.chunks_exact(2);
        pairs
            .map(|pair| Ok((pair[0].clone(), std::fs::read(&pair[1])?.into())))
            .collect()
    }
}

/// Listens on a free port and says on standard output which: one line, `127.0.0.1:PORT`.
///
/// # Errors
/// There is none.
pub async fn listen() -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    Ok(listener)
}

/// Runs a bare server on as many threads as there are cores.
///
/// # Errors
/// Those of `serve`.
pub fn run<F: Future<Output = std::io::Result<()>>>(serve: impl FnOnce(Bare) -> F) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(Bare::parse()))
}

/// Puts the headers of a reply of the host to a client that speaks 1.77: versions, a new request id, the media type.
pub fn headers(headers: &mut HeaderMap, has_body: bool) {
    const VERSIONS: [(HeaderName, HeaderValue); 3] = [
        (
            HeaderName::from_static("x-openstack-ironic-api-minimum-version"),
            HeaderValue::from_static("1.1"),
        ),
        (
            HeaderName::from_static("x-openstack-ironic-api-maximum-version"),
            HeaderValue::from_static("1.77"),
        ),
        (
            HeaderName::from_static("x-openstack-ironic-api-version"),
            HeaderValue::from_static("1.77"),
        ),
    ];
    if has_body {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    headers.extend(VERSIONS);
    let mut text = *b"req-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    Uuid::new_v4().hyphenated().encode_lower(&mut text[4..]);
    if let Ok(id) = HeaderValue::from_bytes(&text) {
        headers.insert("x-openstack-request-id", id.clone());
        headers.insert("openstack-request-id", id);
    }
}

/// Whether the host would take this body.
pub fn is_fine(body: &[u8]) -> bool {
    host::call::json::check(body, MAX_JSON_DEPTH).is_ok()
}

/// The path that ends in this makes a call that takes `{"ms": N}`.
pub const SLEEP: &str = "/sleep";

/// How long a slow call is to take.
pub fn pause(body: &[u8]) -> Duration {
    #[derive(Deserialize)]
    struct Pause {
        ms: u64,
    }
    Duration::from_millis(serde_json::from_slice(body).map_or(0, |pause: Pause| pause.ms))
}
