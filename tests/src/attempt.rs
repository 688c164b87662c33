//! Requests to a host that may be killed under them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// Longer than anything that a host may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The whole reply to a request.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The HTTP status.
    pub status: u16,
    /// Where the call's record is.
    pub location: Option<String>,
    /// Head and body as they came.
    pub text: String,
}

/// POST of a JSON value, over a connection of its own. Nothing if the host was not there any more, or went before it had answered.
pub fn attempt(address: &str, target: &str, body: &Value) -> Option<Attempt> {
    exchange(address, &post(address, target, body))
}

/// GET with API version 1.77, as [`attempt`].
pub fn look(address: &str, target: &str) -> Option<Attempt> {
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nX-OpenStack-Ironic-API-Version: 1.77\r\n\r\n"
    );
    exchange(address, &request)
}

/// POST of a JSON value, as bytes.
pub(crate) fn post(address: &str, target: &str, body: &Value) -> String {
    let body = body.to_string();
    format!(
        "POST {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn exchange(address: &str, request: &str) -> Option<Attempt> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, _) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let location = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("location"))
        .map(|(_, value)| value.to_owned());
    Some(Attempt {
        status,
        location,
        text,
    })
}
