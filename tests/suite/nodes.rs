//! Nodes over the API, one subject in each file.

use serde_json::Value;
use suite::{HostProcess, Reply};

mod create;
mod fields;
mod lifetime;
mod lists;
mod patch;
mod secrets;
mod validate;

fn create(host: &HostProcess, node: Value, version: &str) -> Reply {
    host.request("POST", "/v1/nodes")
        .version(version)
        .json(&node)
        .send()
}

fn listed(reply: Reply, key: &str) -> Vec<String> {
    let list = reply.expect(200).json();
    let nodes = list["nodes"].as_array().expect("nodes");
    nodes
        .iter()
        .map(|node| node[key].as_str().unwrap_or("null").to_owned())
        .collect()
}
