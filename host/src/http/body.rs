//! Reading a body: bounded in size, never without progress, and without a copy when it comes in one piece.

use std::error::Error;

use axum::body::HttpBody;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use super::connection::Pace;
use super::error::ApiError;
use crate::call::json;
use crate::config::Limits;

/// What a method gets when the client sent nothing, or `null`.
const NO_ARGUMENTS: Bytes = Bytes::from_static(b"{}");

/// Reads a body that must be JSON. Nothing and `null` are `{}`, as in Ironic; the media type does not matter.
///
/// # Errors
/// Too large, stopped or broken, not JSON, nested too deeply.
pub(super) async fn arguments<B>(headers: &HeaderMap, body: B, limits: &Limits) -> Result<Bytes, ApiError>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Error + 'static,
{
    let bytes = read(headers, body, limits).await?;
    let trimmed = bytes.trim_ascii();
    if trimmed.is_empty() || trimmed == b"null" {
        return Ok(NO_ARGUMENTS);
    }
    json::check(&bytes, limits.max_json_depth)?;
    Ok(bytes)
}

async fn read<B>(headers: &HeaderMap, mut body: B, limits: &Limits) -> Result<Bytes, ApiError>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Error + 'static,
{
    let limit = limits.max_body_bytes;
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(ApiError::body_too_large(limit));
    }
    let pace = Pace::new(limits);
    let since = Instant::now();
    let mut moved = since;
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut size: u64 = 0;
    loop {
        let frame = timeout_at(pace.transfer(since, moved, size), body.frame()).await;
        let Ok(frame) = frame else {
            return Err(
                if moved.elapsed().as_millis() >= u128::from(limits.idle_timeout_ms) {
                    ApiError::body_timed_out(limits.idle_timeout_ms)
                } else {
                    ApiError::body_too_slow(limits.min_bytes_per_s)
                },
            );
        };
        let Some(frame) = frame else { break };
        let Ok(data) = frame
            .map_err(|error| ApiError::body_broken(&innermost(&error)))?
            .into_data()
        else {
            continue;
        };
        moved = Instant::now();
        size = size.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        if size > limit {
            return Err(ApiError::body_too_large(limit));
        }
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

/// What the HTTP library says is only that reading failed; why stands at the end of the chain.
fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
