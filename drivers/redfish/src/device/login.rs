//! Who asks: Basic authentication, or a session that is created once, used by all calls, renewed when the device forgets it, and closed.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use driver_sdk::{Value, json};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};

use super::{AskError, Device, Request};
use crate::path::{PathError, ServicePath};
use crate::properties::{AuthType, Credentials};

/// The header that carries a session's token (DSP0266, "Redfish session login authentication").
const TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

/// What a request carries to prove who asks.
pub(crate) type Proof = Option<(HeaderName, HeaderValue)>;

/// How a device's calls log in.
#[derive(Default)]
pub(super) enum Login {
    /// Nobody has tried yet, or the session is gone.
    #[default]
    Undecided,
    Basic,
    Session(Session),
}

/// A session of ours on the device.
pub(super) struct Session {
    token: HeaderValue,
    /// What is deleted to close it; a device may not say.
    resource: Option<ServicePath>,
}

/// Why nobody could log in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginError {
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error("it refuses redfish_username and redfish_password")]
    Refused,
    #[error("it creates no session: {0}; set redfish_auth_type to basic or auto if it has none")]
    NoSession(String),
    #[error(transparent)]
    Link(#[from] PathError),
    #[error("redfish_username or redfish_password has a character that cannot be sent")]
    Unsendable,
    #[error("the login was broken off")]
    BrokenOff,
}

impl Device {
    /// Whether the service root has to be known before anybody can log in.
    pub(crate) async fn needs_root(&self) -> bool {
        let session = self.target.credentials.is_some() && self.target.auth_type != AuthType::Basic;
        session && matches!(*self.login.lock().await, Login::Undecided)
    }

    /// What the next request has to carry. Logs in if nobody has.
    pub(crate) async fn proof(self: &Arc<Self>, root: Option<&Value>) -> Result<Proof, LoginError> {
        let Some(credentials) = &self.target.credentials else {
            return Ok(None);
        };
        if self.target.auth_type == AuthType::Basic {
            return basic(credentials).map(Some);
        }
        if let Some(proof) = known(&*self.login.lock().await, credentials)? {
            return Ok(Some(proof));
        }
        let sessions = root.and_then(|root| root.pointer("/Links/Sessions/@odata.id")?.as_str());
        let sessions = match sessions {
            Some(link) => Some(self.target.endpoint.path(link)?),
            None if self.target.auth_type == AuthType::Auto => None,
            None => return Err(LoginError::NoSession("its service root links to none".to_owned())),
        };
        // On a task of its own: a caller who leaves meanwhile must not leave a session behind that nobody knows.
        let device = Arc::clone(self);
        let login = tokio::spawn(async move { device.log_in(sessions).await });
        login.await.map_err(|_| LoginError::BrokenOff)?.map(Some)
    }

    async fn log_in(
        self: &Arc<Self>,
        sessions: Option<ServicePath>,
    ) -> Result<(HeaderName, HeaderValue), LoginError> {
        let credentials = self.target.credentials.as_ref().ok_or(LoginError::Refused)?;
        let mut login = self.login.lock().await;
        // Another call may have been quicker.
        if let Some(proof) = known(&login, credentials)? {
            return Ok(proof);
        }
        *login = match sessions {
            Some(sessions) => match self.create_session(&sessions, credentials).await {
                Ok(session) => Login::Session(session),
                Err(LoginError::NoSession(_)) if self.target.auth_type == AuthType::Auto => Login::Basic,
                Err(error) => return Err(error),
            },
            None => Login::Basic,
        };
        known(&login, credentials)?.ok_or(LoginError::BrokenOff)
    }

    async fn create_session(
        self: &Arc<Self>,
        sessions: &ServicePath,
        credentials: &Credentials,
    ) -> Result<Session, LoginError> {
        let body = json!({"UserName": credentials.username, "Password": credentials.password});
        let request = Request::with_body(Method::POST, sessions, &body);
        let answer = self.ask(&request, None).await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            return Err(LoginError::Refused);
        }
        let token = answer.headers().get(TOKEN).cloned();
        let (true, Some(mut token)) = (answer.status().is_success(), token) else {
            return Err(LoginError::NoSession(format!("it answered {}", answer.status())));
        };
        token.set_sensitive(true);
        let location = answer.headers().get(header::LOCATION);
        let body: Option<Value> = driver_sdk::serde_json::from_slice(answer.body()).ok();
        let named = location
            .and_then(|location| location.to_str().ok())
            .or_else(|| body.as_ref()?.get("@odata.id")?.as_str());
        Ok(Session {
            token,
            resource: named.and_then(|link| self.target.endpoint.path(link).ok()),
        })
    }

    /// The device no longer knows this proof. Gives whether another one can be had.
    pub(crate) async fn forget(&self, proof: &Proof) -> bool {
        let mut login = self.login.lock().await;
        match (&*login, proof) {
            (Login::Session(session), Some((_, value))) => {
                if session.token == value {
                    *login = Login::Undecided;
                }
                true
            }
            // Another call has found out already.
            (Login::Undecided, Some((name, _))) => *name == TOKEN,
            _ => false,
        }
    }

    /// Closes the session, if there is one. What the device says to that is of no use to anybody.
    pub(super) async fn log_out(self: &Arc<Self>) {
        let mut login = self.login.lock().await;
        let Login::Session(session) = std::mem::take(&mut *login) else {
            return;
        };
        if let Some(resource) = session.resource {
            let request = Request {
                method: Method::DELETE,
                path: resource,
                headers: Vec::new(),
                body: None,
            };
            let _ = self.ask(&request, Some(&(TOKEN, session.token))).await;
        }
    }
}

fn known(login: &Login, credentials: &Credentials) -> Result<Proof, LoginError> {
    match login {
        Login::Undecided => Ok(None),
        Login::Basic => basic(credentials).map(Some),
        Login::Session(session) => Ok(Some((TOKEN, session.token.clone()))),
    }
}

fn basic(credentials: &Credentials) -> Result<(HeaderName, HeaderValue), LoginError> {
    let Credentials { username, password } = credentials;
    if username.contains(':') {
        return Err(LoginError::Unsendable);
    }
    let text = format!("Basic {}", STANDARD.encode(format!("{username}:{password}")));
    let mut value = HeaderValue::try_from(text).map_err(|_| LoginError::Unsendable)?;
    value.set_sensitive(true);
    Ok((header::AUTHORIZATION, value))
}
