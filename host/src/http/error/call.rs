//! Which status a failed call has.
//!
//! 409 and 503 only before the driver has begun: Ironic's client repeats them, and a reset must not be repeated.

use std::time::Duration;

use axum::http::StatusCode;

use super::ApiError;
use crate::call::CallError;
use crate::call::json::JsonError;
use crate::call::limits::Busy;
use crate::node::lock::LockError;
use crate::plugin::loaded::{Fault, FaultKind};

/// Ironic's `NoFreeConductorWorker`.
const NO_FREE_WORKER: &str = "Requested action cannot be performed due to lack of free conductor workers.";

/// When a client may look again whether an operator has released a driver.
const QUARANTINE: Duration = Duration::from_secs(60);

impl ApiError {
    /// The driver's reply cannot be sent under the media type that it names.
    pub(in crate::http) fn content_type_of_driver(text: &str) -> Self {
        let shown = &text[..text.floor_char_boundary(60)];
        let text = format!(
            "the content type of the driver's reply cannot be sent: expected one such as text/plain, found {shown:?}"
        );
        tracing::warn!("{text}");
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, text)
    }
}

impl From<CallError> for ApiError {
    fn from(error: CallError) -> Self {
        let text = error.to_string();
        match error {
            CallError::Locked(error) => error.into(),
            CallError::Busy(busy) => busy.into(),
            CallError::DriverDown(unavailable) => {
                let retry_after = unavailable.retry_after.unwrap_or(QUARANTINE);
                ApiError::busy_for(StatusCode::SERVICE_UNAVAILABLE, text, retry_after)
            }
            CallError::Fault(fault) => fault.into(),
            CallError::DriverNotEnabled { .. }
            | CallError::NoHandler { .. }
            | CallError::WrongVerb { .. }
            | CallError::Body { .. }
            | CallError::Unsupported { .. }
            | CallError::UnsupportedTarget { .. } => ApiError::bad_request(text),
            CallError::NodeGone { .. } => ApiError::new(StatusCode::NOT_FOUND, text),
            CallError::DriverChanged { .. } => ApiError::busy(StatusCode::CONFLICT, text),
            CallError::BadReply { .. }
            | CallError::UnknownAnswer { .. }
            | CallError::LargeReply { .. }
            | CallError::NotReached { .. }
            | CallError::Lost { .. } => ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, text),
            CallError::Unrecorded(cause) => {
                // The path and SQLite's words are the operator's.
                tracing::error!("a call could not be recorded: {cause}");
                let text = "The call could not be recorded, so it was not begun; the host's log says why";
                ApiError::busy(StatusCode::SERVICE_UNAVAILABLE, text)
            }
            CallError::Deadline { record, .. } => ApiError {
                record,
                ..ApiError::new(StatusCode::GATEWAY_TIMEOUT, text)
            },
            CallError::NotBegun { .. } | CallError::ClientGone { .. } => {
                ApiError::new(StatusCode::GATEWAY_TIMEOUT, text)
            }
        }
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        let status = match fault.kind {
            FaultKind::InvalidParameter | FaultKind::MissingParameter | FaultKind::Conflict => {
                StatusCode::BAD_REQUEST
            }
            FaultKind::NotFound => StatusCode::NOT_FOUND,
            FaultKind::Unavailable => StatusCode::BAD_GATEWAY,
            FaultKind::Timeout | FaultKind::TooLate => StatusCode::GATEWAY_TIMEOUT,
            // What was not begun is `CallError::DriverDown`.
            FaultKind::Internal
            | FaultKind::Panicked
            | FaultKind::WorkerDied
            | FaultKind::NotBegun
            | FaultKind::LargeReply
            | FaultKind::Unsupported => StatusCode::INTERNAL_SERVER_ERROR,
        };
        ApiError::new(status, fault.message)
    }
}

impl From<Busy> for ApiError {
    fn from(busy: Busy) -> Self {
        ApiError::busy(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{NO_FREE_WORKER} Here {busy}."),
        )
    }
}

impl From<LockError> for ApiError {
    fn from(error: LockError) -> Self {
        ApiError::busy(StatusCode::CONFLICT, error.to_string())
    }
}

impl From<JsonError> for ApiError {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::Depth { limit } => ApiError::bad_request(format!(
                "Request body JSON is nested too deeply: at most {limit} levels are taken"
            )),
            error => ApiError::bad_request(format!("Request body is {error}")),
        }
    }
}
