//! Whether the host is alive, and whether it can do its work. Neither asks a driver.

use std::collections::BTreeMap;
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

/// `GET /readyz`: drivers are loaded, not all of them quarantined, and the store can be written.
///
/// # Errors
/// 503 with every reason.
pub(super) async fn readyz(State(api): State<Arc<Api>>) -> Result<Response<Body>, ApiError> {
    let loaded = api.registry.snapshot();
    let drivers: Vec<&str> = loaded.keys().map(String::as_str).collect();
    let standings = loaded
        .iter()
        .filter_map(|(name, driver)| Some((name, driver.standing()?)));
    let mut quarantined = BTreeMap::new();
    let mut usable = drivers.len();
    for (name, standing) in standings {
        if let Some(why) = standing.quarantined {
            usable -= usize::from(standing.processes.is_empty());
            quarantined.insert(name, why);
        }
    }
    let mut reasons = Vec::new();
    if drivers.is_empty() {
        reasons.push("no driver is loaded".to_owned());
    } else if usable == 0 {
        let why: Vec<&str> = quarantined.values().map(String::as_str).collect();
        reasons.push(format!(
            "every driver is quarantined; `host driver-reset` releases one: {}",
            why.join(", ")
        ));
    }
    if let Err(error) = api.database.writable().await {
        reasons.push(error.to_string());
    }
    if reasons.is_empty() {
        Ok(super::json(&json!({
            "status": "ok", "drivers": drivers, "quarantined": quarantined,
        })))
    } else {
        Err(ApiError::not_ready(&reasons.join("; ")))
    }
}
