//! One connection to a device: opened, perhaps with TLS, and one exchange after the other on it.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::address::Endpoint;

/// The largest reply of a device. The largest known resources, logs, have a few megabytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// A request as it goes onto the wire.
pub(crate) type Message = hyper::Request<Full<Bytes>>;
/// A reply, whole.
pub(crate) type Answer = hyper::Response<Bytes>;

/// Why there is no answer.
#[derive(Debug, Error)]
pub(crate) enum ExchangeError {
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    #[error("no connection within {0:?}")]
    ConnectTimeout(Duration),
    #[error("its certificate is not trusted: {0}")]
    Certificate(String),
    #[error("TLS failed: {0}")]
    Tls(rustls::Error),
    #[error("it closed the connection before the request was sent")]
    Unsent,
    #[error("it closed the connection before it had answered: {0}")]
    Broken(String),
    #[error("it sent nothing for {0:?}")]
    Silent(Duration),
    #[error("it does not speak HTTP: {0}")]
    NotHttp(String),
    #[error("its answer is larger than {LARGEST} bytes")]
    TooLarge,
}

impl ExchangeError {
    /// Whether the device cannot have begun with the request.
    pub(crate) fn is_unsent(&self) -> bool {
        matches!(
            self,
            ExchangeError::Connect(_)
                | ExchangeError::ConnectTimeout(_)
                | ExchangeError::Certificate(_)
                | ExchangeError::Tls(_)
                | ExchangeError::Unsent
        )
    }

    /// Whether it may be gone in a moment.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(
            self,
            ExchangeError::Connect(_)
                | ExchangeError::ConnectTimeout(_)
                | ExchangeError::Unsent
                | ExchangeError::Broken(_)
        )
    }

    /// Whether the device was too slow, rather than not there.
    pub(crate) fn is_silence(&self) -> bool {
        matches!(self, ExchangeError::Silent(_))
    }

    fn of_hyper(error: &hyper::Error) -> Self {
        let reason = deepest(error);
        if error.is_parse() {
            ExchangeError::NotHttp(reason)
        } else {
            ExchangeError::Broken(reason)
        }
    }
}

/// An open connection. It is closed when it is dropped.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    used: Instant,
}

impl Connection {
    /// Connects, and begins with TLS if there is a configuration for it.
    pub(crate) async fn open(
        endpoint: &Endpoint,
        tls: Option<Arc<ClientConfig>>,
        patience: Duration,
    ) -> Result<Self, ExchangeError> {
        let opened = timeout(patience, async {
            let stream = TcpStream::connect((endpoint.host(), endpoint.port()))
                .await
                .map_err(ExchangeError::Connect)?;
            // Small requests, each waited for.
            stream.set_nodelay(true).map_err(ExchangeError::Connect)?;
            match tls {
                None => drive(stream).await,
                Some(config) => {
                    let name = ServerName::try_from(endpoint.host().to_owned())
                        .map_err(|error| ExchangeError::Certificate(error.to_string()))?;
                    let connecting = TlsConnector::from(config).connect(name, stream);
                    drive(connecting.await.map_err(tls_failed)?).await
                }
            }
        });
        let sender = opened
            .await
            .unwrap_or(Err(ExchangeError::ConnectTimeout(patience)))?;
        Ok(Connection {
            sender,
            used: Instant::now(),
        })
    }

    /// Whether another request can be sent, and how long ago the last one was answered.
    pub(crate) fn idle(&self) -> Option<Duration> {
        (!self.sender.is_closed()).then(|| self.used.elapsed())
    }

    /// Sends one request and reads the whole answer. A connection that failed, or that the device closes, is closed afterwards.
    pub(crate) async fn exchange(
        &mut self,
        message: Message,
        patience: Duration,
    ) -> Result<Answer, ExchangeError> {
        let silent = |_| ExchangeError::Silent(patience);
        timeout(patience, self.sender.ready())
            .await
            .map_err(silent)?
            .map_err(|_| ExchangeError::Unsent)?;
        let answered = timeout(patience, self.sender.try_send_request(message))
            .await
            .map_err(silent)?;
        let answer = answered.map_err(|mut error| match error.take_message() {
            Some(_) => ExchangeError::Unsent,
            None => ExchangeError::of_hyper(&error.into_error()),
        })?;
        let (head, body) = answer.into_parts();
        let body = whole(body, patience).await?;
        self.used = Instant::now();
        Ok(Answer::from_parts(head, body))
    }
}

/// Reads a body, frame by frame, each within `patience`.
async fn whole(mut body: Incoming, patience: Duration) -> Result<Bytes, ExchangeError> {
    let mut bytes = BytesMut::new();
    if body.size_hint().lower() > LARGEST as u64 {
        return Err(ExchangeError::TooLarge);
    }
    loop {
        let frame = timeout(patience, body.frame())
            .await
            .map_err(|_| ExchangeError::Silent(patience))?;
        let Some(frame) = frame else {
            return Ok(bytes.freeze());
        };
        let frame = frame.map_err(|error| ExchangeError::of_hyper(&error))?;
        if let Ok(data) = frame.into_data() {
            if bytes.len() + data.len() > LARGEST {
                return Err(ExchangeError::TooLarge);
            }
            bytes.extend_from_slice(&data);
        }
    }
}

/// Starts HTTP on a stream. The task that moves its bytes ends with the connection.
async fn drive<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, ExchangeError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| ExchangeError::of_hyper(&error))?;
    tokio::spawn(async move {
        // Whoever waits for an answer hears of the failure too.
        let _ = connection.await;
    });
    Ok(sender)
}

/// What rustls said inside of what tokio-rustls says.
fn tls_failed(error: io::Error) -> ExchangeError {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(reason)) => ExchangeError::Certificate(untrusted(reason)),
        Some(reason) => ExchangeError::Tls(reason.clone()),
        None => ExchangeError::Connect(error),
    }
}

fn untrusted(reason: &CertificateError) -> String {
    match reason {
        // A CA of the same name with another key shows as a bad signature.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "it is not signed by a CA that redfish_verify_ca names".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name than that in redfish_address".to_owned()
        }
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "it is a CA's own, which a server must not use".to_owned()
        }
        other => other.to_string(),
    }
}

/// The innermost cause: hyper's own words say little.
fn deepest(error: &hyper::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    match cause.downcast_ref::<io::Error>() {
        // With TLS: it went without the farewell that tells an end from an interruption.
        Some(error) if error.kind() == io::ErrorKind::UnexpectedEof => "unexpected end".to_owned(),
        _ => crate::text::excerpt(&cause.to_string(), 200),
    }
}
