//! Which status a refused request for a record has.

use axum::http::StatusCode;
use uuid::Uuid;

use super::ApiError;

impl ApiError {
    /// A record that is not there, or no longer.
    pub(in crate::http) fn call_not_found(id: &str) -> Self {
        ApiError::new(StatusCode::NOT_FOUND, format!("Call {id} could not be found."))
    }

    /// A call that the driver is done with.
    pub(in crate::http) fn call_over(id: Uuid) -> Self {
        let text = format!("Call {id} cannot be cancelled: the driver is not busy with it any more");
        ApiError::new(StatusCode::CONFLICT, text)
    }
}
