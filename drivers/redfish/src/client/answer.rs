//! What a device answered: a success with JSON, or a fault that says what the device said.

use driver_sdk::{Fault, FaultKind, Value, json};
use hyper::{StatusCode, header};

use super::{Client, extended};
use crate::connection::Answer;
use crate::device::Request;

impl Client<'_> {
    /// The answer, if it is a success.
    pub(super) fn success(&self, request: &Request, answer: Answer) -> Result<Answer, Fault> {
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(self.refused(request, &answer))
    }

    /// The fault for an answer that is no success.
    pub(super) fn refused(&self, request: &Request, answer: &Answer) -> Fault {
        let status = answer.status();
        let body: Option<Value> = driver_sdk::serde_json::from_slice(answer.body()).ok();
        let said = body.as_ref().map(extended::messages).unwrap_or_default();
        let endpoint = &self.device.target().endpoint;
        let mut text = format!(
            "{endpoint}: {} {} failed with {status}",
            request.method, request.path
        );
        match status {
            StatusCode::UNAUTHORIZED if self.device.target().credentials.is_none() => {
                text.push_str(": it wants a login, and the node has no redfish_username");
            }
            StatusCode::UNAUTHORIZED => {
                text.push_str(": it refuses redfish_username and redfish_password");
            }
            StatusCode::FORBIDDEN => text.push_str(": redfish_username may not do that"),
            _ => {}
        }
        if !said.is_empty() {
            text.push_str(": ");
            text.push_str(&said);
        }
        let mut details = json!({"status": status.as_u16()});
        if let Some(error) = body.as_ref().and_then(|body| body.get("error")) {
            details["error"] = error.clone();
        }
        Fault::new(kind(status), text).with_details(details)
    }

    /// The fault for an answer that makes no sense.
    pub(super) fn garbled(&self, request: &Request, reason: &str) -> Fault {
        let endpoint = &self.device.target().endpoint;
        Fault::unavailable(format!(
            "{endpoint}: the answer to {} {} makes no sense: {reason}",
            request.method, request.path
        ))
    }
}

/// The JSON of an answer; null if there is none.
///
/// # Errors
/// Something else than JSON, in one line.
pub(super) fn json_of(answer: &Answer) -> Result<Value, String> {
    if answer.body().is_empty() {
        return Ok(Value::Null);
    }
    driver_sdk::serde_json::from_slice(answer.body()).map_err(|error| {
        let media = answer.headers().get(header::CONTENT_TYPE);
        let media = media
            .and_then(|media| media.to_str().ok())
            .unwrap_or("no media type");
        let start = String::from_utf8_lossy(&answer.body()[..answer.body().len().min(60)]).into_owned();
        format!(
            "expected JSON, found {media} that begins with '{}': {error}",
            crate::text::excerpt(&start, 40)
        )
    })
}

fn kind(status: StatusCode) -> FaultKind {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => FaultKind::InvalidParameter,
        StatusCode::NOT_FOUND | StatusCode::GONE => FaultKind::NotFound,
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED | StatusCode::PRECONDITION_REQUIRED => {
            FaultKind::Conflict
        }
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => FaultKind::Unsupported,
        // It refuses to talk, or fails.
        _ => FaultKind::Unavailable,
    }
}
