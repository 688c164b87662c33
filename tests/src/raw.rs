//! Bytes on a connection, for requests that no client library would send.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Sends `request` as it is and returns everything that comes back until the host closes the connection, or until
/// nothing comes for `patience`.
pub fn raw_exchange(address: &str, request: &[u8], patience: Duration) -> String {
    let mut stream = TcpStream::connect(address).expect("the host accepts a connection");
    stream.set_read_timeout(Some(patience)).expect("a read timeout");
    // the host may answer and close before it has read everything
    let _refused_early = stream.write_all(request);
    let mut reply = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(count) = stream.read(&mut chunk) {
        if count == 0 {
            break;
        }
        reply.extend_from_slice(&chunk[..count]);
    }
    String::from_utf8_lossy(&reply).into_owned()
}
