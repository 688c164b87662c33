//! Single requests, for what the run needs to know and for the first answer of a host.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// The body of a 200.
pub(crate) fn get(address: &str, target: &str) -> Result<Vec<u8>> {
    let (head, body) = ask(address, "GET", target)?;
    let status = head.lines().next().unwrap_or_default();
    ensure!(status.contains(" 200 "), "{target}: {status}");
    Ok(body)
}

/// Head and body of an answer to a request without a body.
pub(crate) fn ask(address: &str, verb: &str, target: &str) -> Result<(String, Vec<u8>)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(
        stream,
        "{verb} {target} HTTP/1.1\r\nHost: {address}\r\nX-OpenStack-Ironic-API-Version: 1.77\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let head_length = end.context("an answer without an end of its head")? + 4;
    let body = answer.split_off(head_length);
    Ok((String::from_utf8_lossy(&answer).into_owned(), body))
}
