//! `host driver-list`: what a running host has loaded, asked over its API.

use anyhow::bail;
use hyper::Method;
use serde_json::{Value, json};

use super::running_host::{ask, wait_for};
use super::table::table;

/// The text that `host driver-list` prints.
///
/// # Errors
/// One line: no host answers there, or it does not answer as one.
pub fn driver_list(url: &str, json: bool, width: usize) -> anyhow::Result<String> {
    let drivers = wait_for(drivers(url.trim_end_matches('/')))?;
    if json {
        return Ok(format!("{:#}\n", Value::Array(drivers)));
    }
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let rows: Vec<[String; 4]> = drivers
        .iter()
        .map(|driver| {
            let hosts = driver["hosts"]
                .as_array()
                .into_iter()
                .flatten()
                .map(text)
                .collect::<Vec<_>>()
                .join(", ");
            [
                text(&driver["name"]),
                text(&driver["version"]),
                hosts,
                text(&driver["description"]),
            ]
        })
        .collect();
    Ok(table(["NAME", "VERSION", "HOSTS", "DESCRIPTION"], &rows, width))
}

async fn drivers(url: &str) -> anyhow::Result<Vec<Value>> {
    let list = ask(Method::GET, &format!("{url}/v1/drivers")).await?;
    let Some(list) = list["drivers"].as_array() else {
        bail!(
            "{url} does not answer as a host: expected a list of drivers, found something else; check --url"
        );
    };
    let mut drivers = Vec::with_capacity(list.len());
    for driver in list {
        let name = driver["name"].as_str().unwrap_or("");
        // Driver names need no escapes in a URL.
        let manifest = ask(Method::GET, &format!("{url}/v1/drivers/{name}/manifest")).await?;
        drivers.push(json!({
            "name": name,
            "version": manifest["version"],
            "hosts": driver["hosts"],
            "description": manifest["description"],
        }));
    }
    Ok(drivers)
}
