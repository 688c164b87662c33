//! Whether the host is alive, and whether it can do its work. Neither asks a driver.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use serde_json::json;

use super::{Api, ApiError};

/// `GET /healthz`: the process answers.
pub(super) async fn healthz() -> Response<Body> {
    super::json(&json!({"status": "ok"}))
}

/// `GET /readyz`: drivers are loaded and the store can be written.
///
/// # Errors
/// 503 with every reason.
pub(super) async fn readyz(State(api): State<Arc<Api>>) -> Result<Response<Body>, ApiError> {
    let loaded = api.registry.snapshot();
    let drivers: Vec<&str> = loaded.keys().map(String::as_str).collect();
    let mut reasons = Vec::new();
    for (name, driver) in loaded.iter() {
        if let Some(why) = driver.standing().and_then(|standing| standing.quarantined) {
            reasons.push(format!("the driver '{name}' is quarantined: {why}"));
        }
    }
    if drivers.is_empty() {
        reasons.push("no driver is loaded".to_owned());
    }
    if let Err(error) = api.database.writable().await {
        reasons.push(error.to_string());
    }
    if reasons.is_empty() {
        Ok(super::json(&json!({"status": "ok", "drivers": drivers})))
    } else {
        Err(ApiError::not_ready(&reasons.join("; ")))
    }
}
