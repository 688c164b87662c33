//! `host driver-reset`: a quarantined driver is started again by a running host, asked over its API.

use hyper::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::running_host::{ask, wait_for};

/// Asks, and answers the text that `host driver-reset` prints.
///
/// # Errors
/// One line: no host answers there, it has no such driver, or the driver has no processes of its own.
pub fn driver_reset(url: &str, driver: &str) -> anyhow::Result<String> {
    let url = url.trim_end_matches('/');
    let name = utf8_percent_encode(driver, NON_ALPHANUMERIC);
    let answer = wait_for(ask(Method::POST, &format!("{url}/v1/drivers/{name}/reset")))?;
    Ok(match answer["was_quarantined"].as_bool() {
        Some(true) => format!("{driver}: released; its processes are started again\n"),
        _ => format!("{driver}: was not quarantined; its deaths are forgotten\n"),
    })
}
