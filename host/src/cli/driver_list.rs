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
    let rows: Vec<[String; 5]> = drivers
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
                place(&driver["isolation"]),
                text(&driver["description"]),
            ]
        })
        .collect();
    let header = ["NAME", "VERSION", "HOSTS", "ISOLATION", "DESCRIPTION"];
    Ok(table(header, &rows, width))
}

/// Where a driver runs, and how that stands, in a few words.
fn place(isolation: &Value) -> String {
    if isolation.is_null() {
        return "in-process".to_owned();
    }
    if !isolation["quarantined"].is_null() {
        return "quarantined".to_owned();
    }
    let up = isolation["processes"].as_array().map_or(0, Vec::len);
    match isolation["wanted"].as_u64() {
        Some(wanted) if usize::try_from(wanted) != Ok(up) => format!("process, {up} of {wanted} up"),
        _ => "process".to_owned(),
    }
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
        let detail = ask(Method::GET, &format!("{url}/v1/drivers/{name}")).await?;
        let manifest = ask(Method::GET, &format!("{url}/v1/drivers/{name}/manifest")).await?;
        drivers.push(json!({
            "name": name,
            "version": manifest["version"],
            "hosts": driver["hosts"],
            "isolation": detail["isolation"],
            "description": manifest["description"],
        }));
    }
    Ok(drivers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_driver_runs_is_said_in_a_few_words() {
        let process = |processes: &[u32], quarantined: Option<&str>| json!({"mode": "process", "processes": processes, "wanted": 2, "deaths": 0, "quarantined": quarantined});
        assert_eq!(place(&Value::Null), "in-process");
        assert_eq!(place(&process(&[7, 8], None)), "process");
        assert_eq!(place(&process(&[7], None)), "process, 1 of 2 up");
        assert_eq!(place(&process(&[], Some("it died"))), "quarantined");
    }
}
