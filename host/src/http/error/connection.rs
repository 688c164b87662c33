//! Which status a request has that could not be read, and a connection that is one too many.

use axum::http::StatusCode;

use super::{ApiError, RETRY_AFTER_SECONDS};
use crate::http::connection::HeadError;
use crate::request_id::RequestId;

impl ApiError {
    /// What is left of the request is not read, so the connection cannot be used again.
    fn closing(self) -> Self {
        ApiError { close: true, ..self }
    }

    pub(in crate::http) fn body_too_large(limit: u64) -> Self {
        let text = format!("Request body is too large: at most {limit} bytes are taken");
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, text).closing()
    }

    pub(in crate::http) fn body_timed_out(idle_ms: u64) -> Self {
        let text = format!("Request body stopped: nothing came for {idle_ms} ms");
        ApiError::new(StatusCode::REQUEST_TIMEOUT, text).closing()
    }

    pub(in crate::http) fn body_too_slow(bytes_per_s: u32) -> Self {
        let text = format!("Request body came too slowly: expected {bytes_per_s} bytes per second at least");
        ApiError::new(StatusCode::REQUEST_TIMEOUT, text).closing()
    }

    pub(in crate::http) fn body_broken(reason: &str) -> Self {
        ApiError::bad_request(format!("Request body could not be read: {reason}")).closing()
    }

    pub(in crate::http) fn too_many_connections() -> Self {
        let text = "Too many connections are open, please retry later";
        ApiError::busy(StatusCode::SERVICE_UNAVAILABLE, text).closing()
    }

    /// The whole reply as bytes, for a connection that no HTTP server takes.
    pub(in crate::http) fn into_raw(self, request_id: RequestId) -> Vec<u8> {
        let body = self.body();
        format!(
            "HTTP/1.1 {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nretry-after: {}\r\n\
             x-openstack-request-id: {request_id}\r\nopenstack-request-id: {request_id}\r\nconnection: close\r\n\r\n{body}",
            self.status,
            body.len(),
            self.retry_after.unwrap_or(RETRY_AFTER_SECONDS)
        )
        .into_bytes()
    }
}

impl From<HeadError> for ApiError {
    fn from(error: HeadError) -> Self {
        let status = match error {
            HeadError::Malformed(_) => StatusCode::BAD_REQUEST,
            HeadError::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            HeadError::LongTarget => StatusCode::URI_TOO_LONG,
            HeadError::Large | HeadError::ManyFields => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            HeadError::Overdue { .. } => StatusCode::REQUEST_TIMEOUT,
        };
        ApiError::new(status, error.to_string()).closing()
    }
}
