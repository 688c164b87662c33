//! What every handler may ask about its request: its id, its version, and what links start with.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::versions::ApiVersion;
use super::{Api, links::Links};
use crate::request_id::RequestId;

/// Set by the server on every request before it is routed.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestInfo {
    /// `req-<uuid>`; in the reply's headers and in every log line of the request.
    pub(super) id: RequestId,
    /// The version that the client speaks.
    pub(super) version: ApiVersion,
}

impl RequestInfo {
    fn of(parts: &Parts) -> RequestInfo {
        parts.extensions.get().copied().unwrap_or_else(|| RequestInfo {
            id: RequestId::random(),
            version: ApiVersion::MIN,
        })
    }
}

impl<S: Sync> FromRequestParts<S> for RequestInfo {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(RequestInfo::of(parts))
    }
}

impl FromRequestParts<Arc<Api>> for Links {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Infallible> {
        Ok(Links::new(
            api.config.public_url.as_deref(),
            &parts.headers,
            api.address,
        ))
    }
}
