//! A connection on which a test sends whatever bytes it likes, and reads the replies one by one.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

use crate::Reply;

/// How long the host may take to answer or to close. Generous: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// An open connection to a host.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
    opened: Instant,
}

impl Connection {
    /// Connects.
    pub fn open(address: &str) -> Connection {
        let stream = TcpStream::connect(address).expect("the host accepts a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a read timeout");
        stream.set_write_timeout(Some(PATIENCE)).expect("a write timeout");
        stream.set_nodelay(true).expect("no delay");
        Connection {
            stream,
            unread: Vec::new(),
            opened: Instant::now(),
        }
    }

    /// Sends these bytes as they are.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.stream
            .write_all(bytes.as_ref())
            .expect("the host takes what is sent");
        self
    }

    /// Sends what the host takes of these bytes: it may answer and close before it has read them all. False when it has
    /// closed.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// Ends the sending half; replies still come.
    pub fn finish(&mut self) -> &mut Self {
        self.stream.shutdown(Shutdown::Write).expect("an open connection");
        self
    }

    /// The next reply, which must come.
    #[track_caller]
    pub fn reply(&mut self) -> Reply {
        self.next().expect("a reply, not the end of the connection")
    }

    /// The next reply to a HEAD: a head without the body that it speaks of.
    #[track_caller]
    pub fn reply_to_head(&mut self) -> Reply {
        self.parse(true).expect("a reply, not the end of the connection")
    }

    /// Every reply until the host closes, which it must.
    #[track_caller]
    pub fn replies(&mut self) -> Vec<Reply> {
        std::iter::from_fn(|| self.next()).collect()
    }

    /// Checks that the host closes without another byte.
    #[track_caller]
    pub fn closes(&mut self) {
        let more = self.next();
        assert!(more.is_none(), "another reply: {more:?}");
    }

    /// Whether the host has closed or sent something, without waiting for either.
    pub fn is_quiet(&mut self) -> bool {
        self.stream.set_nonblocking(true).expect("a mode");
        let mut one = [0];
        let found = self.stream.peek(&mut one);
        self.stream.set_nonblocking(false).expect("a mode");
        self.unread.is_empty() && matches!(found, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    #[track_caller]
    fn next(&mut self) -> Option<Reply> {
        self.parse(false)
    }

    #[track_caller]
    fn parse(&mut self, no_body: bool) -> Option<Reply> {
        let end = loop {
            if let Some(end) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if !self.more() {
                let rest = String::from_utf8_lossy(&self.unread);
                assert!(rest.is_empty(), "half a reply: {rest:?}");
                return None;
            }
        };
        let head: Vec<u8> = self.unread.drain(..end).collect();
        let head = String::from_utf8(head).expect("a head in ASCII");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| {
            let mut words = line.split(' ');
            assert!(words.next()?.starts_with("HTTP/1."), "{line:?}");
            words.next()?.parse().ok()
        });
        let status = status.unwrap_or_else(|| panic!("a status in {head:?}"));
        let mut headers = HeaderMap::new();
        for line in lines.take_while(|line| !line.is_empty()) {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line:?}"));
            let name = HeaderName::try_from(name).expect("a header's name");
            headers.append(name, HeaderValue::try_from(value).expect("a header's value"));
        }
        let length = headers.get("content-length").map_or(0, |length| {
            length.to_str().expect("digits").parse().expect("a length")
        });
        let length = if no_body { 0 } else { length };
        while self.unread.len() < length {
            assert!(self.more(), "half a body behind {head:?}");
        }
        let body: Vec<u8> = self.unread.drain(..length).collect();
        let what = "a request of raw bytes".to_owned();
        Some(Reply::new(
            what,
            status,
            headers,
            Bytes::from(body),
            self.opened.elapsed(),
        ))
    }

    #[track_caller]
    fn more(&mut self) -> bool {
        let mut space = [0; 64 * 1024];
        match self.stream.read(&mut space) {
            Ok(count) => {
                self.unread.extend_from_slice(&space[..count]);
                count > 0
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                panic!("neither a reply nor the end of the connection within {PATIENCE:?}")
            }
            Err(error) => panic!("the connection broke: {error}"),
        }
    }
}
