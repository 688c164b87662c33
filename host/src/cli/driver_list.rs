//! `host driver-list`: what a running host has loaded, asked over its API.

use anyhow::{Context, bail};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::Uri;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use std::time::Duration;

use super::table::table;

/// How long a running host may take to answer: it never waits for a driver here.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than a thousand manifests; a server that sends more is not a host.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// The text that `host driver-list` prints.
///
/// # Errors
/// One line: no host answers there, or it does not answer as one.
pub fn driver_list(url: &str, json: bool, width: usize) -> anyhow::Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let drivers = runtime.block_on(drivers(url.trim_end_matches('/')))?;
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
    let list = get(&format!("{url}/v1/drivers")).await?;
    let Some(list) = list["drivers"].as_array() else {
        bail!(
            "{url} does not answer as a host: expected a list of drivers, found something else; check --url"
        );
    };
    let mut drivers = Vec::with_capacity(list.len());
    for driver in list {
        let name = driver["name"].as_str().unwrap_or("");
        // Driver names need no escapes in a URL.
        let manifest = get(&format!("{url}/v1/drivers/{name}/manifest")).await?;
        drivers.push(json!({
            "name": name,
            "version": manifest["version"],
            "hosts": driver["hosts"],
            "description": manifest["description"],
        }));
    }
    Ok(drivers)
}

async fn get(url: &str) -> anyhow::Result<Value> {
    let address: Uri = url
        .parse()
        .with_context(|| format!("{url} is not a URL; expected http://HOST:PORT"))?;
    if address.scheme_str() != Some("http") {
        bail!("{url} cannot be asked: expected a URL that starts with http://");
    }
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<bytes::Bytes>>();
    let work = async {
        let response = client
            .get(address)
            .await
            .with_context(|| format!("no host answers at {url}; is it running?"))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await;
        let Ok(body) = body else {
            bail!("{url} stopped in the middle of its answer")
        };
        if !status.is_success() {
            bail!("{url} answered {status}; is it a host?");
        }
        serde_json::from_slice(&body.to_bytes())
            .with_context(|| format!("{url} did not answer JSON; is it a host?"))
    };
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(result) => result,
        Err(_) => bail!("{url} did not answer within {} s", PATIENCE.as_secs()),
    }
}
