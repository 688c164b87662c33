//! A device that nodes speak with: its connection that is kept, its login, its service root. Shared by all calls for it.

mod login;
mod registry;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use driver_sdk::Value;
use http_body_util::Full;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use parking_lot::Mutex;

use crate::connection::{Answer, Connection, ExchangeError, Message};
use crate::path::ServicePath;
use crate::properties::Target;
use crate::settings::Settings;
use crate::tls::{TlsConfigs, TlsError};
use login::Login;
pub(crate) use login::LoginError;
pub(crate) use registry::Devices;

/// How long a connection is kept that nobody uses: BMCs have few, and close them after some seconds.
const KEEP: Duration = Duration::from_secs(5);
/// How long ago a connection may have answered to be used for a request that must not be sent twice: the device may just be closing it.
const FRESH: Duration = Duration::from_secs(1);

/// A request, as often as it is sent.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: ServicePath,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// JSON.
    pub(crate) body: Option<Bytes>,
}

impl Request {
    pub(crate) fn get(path: &ServicePath) -> Self {
        Request {
            method: Method::GET,
            path: path.clone(),
            headers: Vec::new(),
            body: None,
        }
    }

    pub(crate) fn with_body(method: Method, path: &ServicePath, body: &Value) -> Self {
        Request {
            method,
            path: path.clone(),
            headers: Vec::new(),
            body: Some(body.to_string().into()),
        }
    }

    /// Whether it may be sent again although the device may have carried it out.
    pub(crate) fn is_safe(&self) -> bool {
        self.method == Method::GET
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    #[error("driver_info property 'redfish_verify_ca': {0}")]
    Tls(#[from] TlsError),
}

/// A device and what is known of it.
pub(crate) struct Device {
    target: Target,
    settings: Arc<Settings>,
    tls: Arc<TlsConfigs>,
    kept: Mutex<Option<Connection>>,
    login: tokio::sync::Mutex<Login>,
    /// The service root; its links do not change.
    root: Mutex<Option<Arc<Value>>>,
    used: Mutex<Instant>,
}

impl Device {
    fn new(target: Target, settings: Arc<Settings>, tls: Arc<TlsConfigs>) -> Self {
        Device {
            target,
            settings,
            tls,
            kept: Mutex::new(None),
            login: tokio::sync::Mutex::default(),
            root: Mutex::new(None),
            used: Mutex::new(Instant::now()),
        }
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The service root, if somebody has read it already.
    pub(crate) fn root(&self) -> Option<Arc<Value>> {
        self.root.lock().clone()
    }

    pub(crate) fn remember_root(&self, root: &Arc<Value>) {
        *self.root.lock() = Some(Arc::clone(root));
    }

    /// Sends a request once, with what proves who asks, and reads the answer, whatever it is.
    pub(crate) async fn ask(
        self: &Arc<Self>,
        request: &Request,
        proof: Option<&(HeaderName, HeaderValue)>,
    ) -> Result<Answer, AskError> {
        *self.used.lock() = Instant::now();
        let patience = self.settings.read_timeout;
        if let Some(mut connection) = self.take_kept(request.is_safe()) {
            match connection.exchange(self.message(request, proof), patience).await {
                Ok(answer) => return Ok(self.keep(connection, answer)),
                // The device has closed it while nobody looked.
                Err(ExchangeError::Unsent) => {}
                Err(ExchangeError::Broken(_)) if request.is_safe() => {}
                Err(error) => return Err(error.into()),
            }
        }
        let tls = match self.target.endpoint.tls() {
            true => Some(self.tls.get(&self.target.tls)?),
            false => None,
        };
        let mut connection =
            Connection::open(&self.target.endpoint, tls, self.settings.connect_timeout).await?;
        let answer = connection
            .exchange(self.message(request, proof), patience)
            .await?;
        Ok(self.keep(connection, answer))
    }

    fn take_kept(&self, safe: bool) -> Option<Connection> {
        let longest = if safe { KEEP } else { FRESH };
        let connection = self.kept.lock().take()?;
        connection
            .idle()
            .is_some_and(|idle| idle < longest)
            .then_some(connection)
    }

    /// Keeps a connection for the next request, and closes it when none comes.
    fn keep(self: &Arc<Self>, connection: Connection, answer: Answer) -> Answer {
        *self.used.lock() = Instant::now();
        *self.kept.lock() = Some(connection);
        let device = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(KEEP).await;
            if let Some(device) = device.upgrade() {
                let mut kept = device.kept.lock();
                if kept
                    .as_ref()
                    .is_some_and(|kept| kept.idle().is_none_or(|idle| idle >= KEEP))
                {
                    *kept = None;
                }
            }
        });
        answer
    }

    fn message(&self, request: &Request, proof: Option<&(HeaderName, HeaderValue)>) -> Message {
        let mut message = Message::new(Full::new(request.body.clone().unwrap_or_default()));
        *message.method_mut() = request.method.clone();
        // A service path has passed a stricter check than this one.
        *message.uri_mut() = request.path.as_str().parse().unwrap_or_default();
        let headers = message.headers_mut();
        let authority = self.target.endpoint.authority();
        if let Ok(host) = HeaderValue::from_str(&authority) {
            headers.insert(header::HOST, host);
        }
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(
            header::USER_AGENT,
            HeaderValue::from_static(concat!("redfish-driver/", env!("CARGO_PKG_VERSION"))),
        );
        headers.insert("OData-Version", HeaderValue::from_static("4.0"));
        if request.body.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        headers.extend(request.headers.iter().chain(proof).cloned());
        message
    }
}

/// Whether the answer says that the login is of no use.
pub(crate) fn is_unauthorized(answer: &Answer) -> bool {
    answer.status() == StatusCode::UNAUTHORIZED
}
