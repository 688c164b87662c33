//! Every refusal and failure of the API: its status, its fault code and its text. No other file names an error status.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use uuid::Uuid;

use super::calls;

mod call;
mod connection;
pub(super) mod documented;
mod node;
mod record;

/// Seconds after which a client may ask again when something was busy.
const RETRY_AFTER_SECONDS: u64 = 1;

/// Rounded up: who comes back too early is refused again.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// An error reply in Ironic's first shape: `{"error_message": "<a JSON document, as a string>"}`.
#[derive(Debug, Clone)]
pub struct ApiError {
    status: StatusCode,
    text: String,
    retry_after: Option<u64>,
    allow: Option<HeaderValue>,
    record: Option<Uuid>,
    close: bool,
}

impl ApiError {
    fn new(status: StatusCode, text: impl Into<String>) -> Self {
        ApiError {
            status,
            text: text.into(),
            retry_after: None,
            allow: None,
            record: None,
            close: false,
        }
    }

    fn busy(status: StatusCode, text: impl Into<String>) -> Self {
        ApiError {
            retry_after: Some(RETRY_AFTER_SECONDS),
            ..ApiError::new(status, text)
        }
    }

    /// As [`busy`](Self::busy), until some time has passed.
    fn busy_for(status: StatusCode, text: impl Into<String>, wait: Duration) -> Self {
        ApiError {
            retry_after: Some(whole_seconds(wait).max(RETRY_AFTER_SECONDS)),
            ..ApiError::new(status, text)
        }
    }

    /// The text for the client, Ironic's `faultstring`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The request cannot be understood or holds a value that is not allowed.
    pub fn bad_request(text: impl Into<String>) -> Self {
        ApiError::new(StatusCode::BAD_REQUEST, text)
    }

    /// Query arguments that the resource does not take.
    pub fn unexpected_arguments(names: &[&str]) -> Self {
        ApiError::bad_request(format!("Unexpected arguments: {}", names.join(", ")))
    }

    /// A path that leads nowhere.
    pub fn no_such_resource(path: &str) -> Self {
        ApiError::new(
            StatusCode::NOT_FOUND,
            format!("The resource {path} could not be found."),
        )
    }

    /// A driver that is not loaded, asked for as a resource.
    pub fn driver_not_found(name: &str) -> Self {
        let text = format!("Could not find the following driver(s) or hardware type(s): {name}.");
        ApiError::new(StatusCode::NOT_FOUND, text)
    }

    /// A driver that is not loaded, asked for its properties or methods.
    pub fn driver_unknown(name: &str) -> Self {
        ApiError::new(StatusCode::NOT_FOUND, format!("The driver '{name}' is unknown."))
    }

    /// The verb is not one of the resource's.
    pub fn method_not_allowed(allow: HeaderValue) -> Self {
        let text = format!(
            "The method is not allowed for this resource; allowed: {}",
            allow.to_str().unwrap_or("")
        );
        ApiError {
            allow: Some(allow),
            ..ApiError::new(StatusCode::METHOD_NOT_ALLOWED, text)
        }
    }

    /// Gives axum's own 405, which has no body, ours. Anything else passes.
    pub(super) fn in_place_of_axum_s(response: axum::response::Response) -> axum::response::Response {
        let headers = response.headers();
        if response.status() != StatusCode::METHOD_NOT_ALLOWED || headers.contains_key(header::CONTENT_TYPE) {
            return response;
        }
        let allow = headers
            .get(header::ALLOW)
            .and_then(|allow| allow.to_str().ok())
            .unwrap_or("GET");
        // axum serves HEAD wherever it serves GET; Ironic does not, and neither do we.
        let verbs: Vec<_> = allow
            .split(',')
            .map(str::trim)
            .filter(|verb| *verb != "HEAD")
            .collect();
        let allow = HeaderValue::try_from(verbs.join(", ")).unwrap_or(HeaderValue::from_static("GET"));
        ApiError::method_not_allowed(allow).into_response()
    }

    /// A path whose escapes are not UTF-8.
    pub(super) fn unreadable_path(path: &str) -> Self {
        ApiError::bad_request(format!(
            "The path {path} cannot be read: expected UTF-8 behind its escapes"
        ))
    }

    /// The request needs a later version of the API.
    pub fn needs_version(minor: u16) -> Self {
        let text = format!("Request not acceptable. The minimal required API version should be 1.{minor}");
        ApiError::new(StatusCode::NOT_ACCEPTABLE, text)
    }

    pub(super) fn version_out_of_range(asked: &str) -> Self {
        let text = format!(
            "Version {asked} was requested but the minor version is not supported by this service. \
             The supported version range is: [1.1, 1.77]."
        );
        ApiError::new(StatusCode::NOT_ACCEPTABLE, text)
    }

    pub(super) fn other_major_version(asked: &str) -> Self {
        let text = format!(
            "Mutually exclusive versions requested. Version {asked} requested but not supported by this service. \
             The supported version range is: [1.1, 1.77]."
        );
        ApiError::new(StatusCode::NOT_ACCEPTABLE, text)
    }

    pub(super) fn unreadable_version(asked: &str) -> Self {
        let text = format!(
            "Invalid value for X-OpenStack-Ironic-API-Version header: expected 1.N or latest, found {asked:?}. \
             The supported version range is: [1.1, 1.77]."
        );
        ApiError::new(StatusCode::NOT_ACCEPTABLE, text)
    }

    pub(super) fn not_ready(reasons: &str) -> Self {
        ApiError::busy(StatusCode::SERVICE_UNAVAILABLE, reasons)
    }

    /// A failure of the host itself; the log says more than the client is told.
    pub(super) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!("a reply could not be made: {error}");
        ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The host failed; its log says why",
        )
    }

    /// Ironic's two fault codes.
    fn faultcode(&self) -> &'static str {
        if self.status.is_server_error() {
            "Server"
        } else {
            "Client"
        }
    }

    fn body(&self) -> String {
        let fault = serde_json::json!({
            "faultcode": self.faultcode(), "faultstring": self.text, "debuginfo": null,
        });
        serde_json::json!({ "error_message": fault.to_string() }).to_string()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> axum::response::Response {
        let mut response = Response::new(Body::from(self.body()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, allow);
        }
        if let Some(location) = self
            .record
            .and_then(|id| HeaderValue::try_from(calls::path(id)).ok())
        {
            headers.insert(header::LOCATION, location);
        }
        if self.close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
