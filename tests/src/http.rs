//! Requests to a host and its replies, over one connection each: no reply depends on an earlier request.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

const VERSION: &str = "X-OpenStack-Ironic-API-Version";
/// Longer than anything that a host may take; a test that wants less says so.
const PATIENCE: Duration = Duration::from_secs(120);

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().expect("a runtime"))
}

/// A request that has not been sent yet.
#[derive(Debug)]
pub struct Request {
    address: String,
    verb: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Request {
    pub(crate) fn new(address: &str, verb: &str, target: &str) -> Self {
        let headers = vec![(VERSION.to_owned(), "1.77".to_owned())];
        Request {
            address: address.to_owned(),
            verb: verb.to_owned(),
            target: target.to_owned(),
            headers,
            body: Bytes::new(),
        }
    }

    /// Asks for this API version; the default is 1.77.
    pub fn version(self, version: &str) -> Self {
        self.without_version().header(VERSION, version)
    }

    /// Names no API version at all.
    pub fn without_version(mut self) -> Self {
        self.headers.retain(|(name, _)| name != VERSION);
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends a JSON value.
    pub fn json(self, body: &Value) -> Self {
        let text = body.to_string();
        self.header("Content-Type", "application/json").body(text)
    }

    /// Sends these bytes, without a content type.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it and waits for the whole reply.
    pub fn send(self) -> Reply {
        self.start().wait()
    }

    /// Sends it; the reply is collected while the test goes on.
    pub fn start(self) -> Pending {
        let what = format!("{} {}", self.verb, self.target);
        Pending {
            what,
            task: runtime().spawn(exchange(self)),
        }
    }
}

async fn exchange(request: Request) -> Reply {
    let what = format!("{} {}", request.verb, request.target);
    let started = Instant::now();
    let stream = TcpStream::connect(&request.address)
        .await
        .expect("the host accepts a connection");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .expect("a connection");
    let mut message = hyper::Request::builder()
        .method(request.verb.as_str())
        .uri(&request.target)
        .header("Host", &request.address)
        .header("Connection", "close");
    for (name, value) in &request.headers {
        message = message.header(name, value);
    }
    if !request.body.is_empty() {
        message = message.header("Content-Length", request.body.len());
    }
    let message = message
        .body(Full::new(request.body))
        .expect("a request that can be sent");
    let reply = async {
        let reply = sender
            .send_request(message)
            .await
            .unwrap_or_else(|e| panic!("{what}: no reply: {e:?}"));
        let (head, body) = reply.into_parts();
        let body = body
            .collect()
            .await
            .unwrap_or_else(|e| panic!("{what}: half a reply: {e:?}"))
            .to_bytes();
        Reply {
            what: what.clone(),
            status: head.status.as_u16(),
            headers: head.headers,
            body,
            took: started.elapsed(),
        }
    };
    tokio::pin!(reply);
    let mut connection = std::pin::pin!(connection);
    let whole = async {
        tokio::select! {
            reply = &mut reply => reply,
            _ = &mut connection => reply.await,
        }
    };
    tokio::time::timeout(PATIENCE, whole)
        .await
        .unwrap_or_else(|_| panic!("{what}: no reply within {PATIENCE:?}"))
}

/// A request whose reply is on its way.
#[derive(Debug)]
pub struct Pending {
    what: String,
    task: JoinHandle<Reply>,
}

impl Pending {
    /// The reply.
    pub fn wait(self) -> Reply {
        runtime()
            .block_on(self.task)
            .unwrap_or_else(|error| panic!("{}: {error}", self.what))
    }

    /// Whether the reply is there.
    pub fn is_answered(&self) -> bool {
        self.task.is_finished()
    }

    /// Closes the connection without waiting for the reply.
    pub fn go_away(self) {
        self.task.abort();
        let _gone = runtime().block_on(self.task);
    }
}

/// A whole reply.
#[derive(Debug, Clone)]
pub struct Reply {
    what: String,
    /// The HTTP status.
    pub status: u16,
    headers: hyper::HeaderMap,
    /// The body as it came.
    pub body: Bytes,
    /// From the first byte sent to the last byte received, with the connection: at least what the host was made to wait,
    /// and on a busy machine any time more.
    pub took: Duration,
}

/// An error body in the one shape that every error has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `Client` or `Server`.
    pub code: String,
    /// The sentence for people.
    pub text: String,
}

impl Reply {
    pub(crate) fn new(
        what: String,
        status: u16,
        headers: hyper::HeaderMap,
        body: Bytes,
        took: Duration,
    ) -> Self {
        Reply {
            what,
            status,
            headers,
            body,
            took,
        }
    }

    /// A header, if the reply has it.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("a header in ASCII"))
    }

    /// A header that has to be there.
    pub fn must_have(&self, name: &str) -> &str {
        self.header(name).unwrap_or_else(|| {
            panic!(
                "{}: {} without {name}: {:?}",
                self.what, self.status, self.headers
            )
        })
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| {
            panic!(
                "{}: {} with a body that is not JSON ({e}): {}",
                self.what,
                self.status,
                self.text()
            )
        })
    }

    /// This reply, if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} answered {}", self.what, self.text());
        self
    }

    /// The error, which must have Ironic's envelope and nothing beside it.
    #[track_caller]
    pub fn fault(&self) -> Fault {
        let body = self.json();
        let envelope = body
            .as_object()
            .unwrap_or_else(|| panic!("{}: {body}", self.what));
        assert_eq!(
            envelope.len(),
            1,
            "{}: more than error_message: {body}",
            self.what
        );
        let inner = envelope["error_message"]
            .as_str()
            .unwrap_or_else(|| panic!("{}: {body}", self.what));
        let inner: Value =
            serde_json::from_str(inner).unwrap_or_else(|e| panic!("{}: {e}: {inner}", self.what));
        let keys: Vec<&str> = inner
            .as_object()
            .expect("an object")
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(keys, ["faultcode", "faultstring", "debuginfo"], "{}", self.what);
        assert_eq!(inner["debuginfo"], Value::Null, "{}", self.what);
        assert_eq!(
            self.header("Content-Type"),
            Some("application/json"),
            "{}",
            self.what
        );
        let field = |name: &str| {
            inner[name]
                .as_str()
                .unwrap_or_else(|| panic!("{}: {inner}", self.what))
                .to_owned()
        };
        Fault {
            code: field("faultcode"),
            text: field("faultstring"),
        }
    }

    /// Checks status and error; `text` is a part of the sentence. Returns the whole sentence.
    #[track_caller]
    pub fn refused(&self, status: u16, text: &str) -> String {
        assert_eq!(self.status, status, "{} answered {}", self.what, self.text());
        let fault = self.fault();
        let code = if status < 500 { "Client" } else { "Server" };
        assert_eq!(fault.code, code, "{}: {fault:?}", self.what);
        assert!(
            fault.text.contains(text),
            "{}: {:?} lacks {text:?}",
            self.what,
            fault.text
        );
        assert!(
            !fault.text.contains('\n'),
            "{}: one line: {:?}",
            self.what,
            fault.text
        );
        fault.text
    }
}
