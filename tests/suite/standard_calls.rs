//! Power and management, as Ironic's clients know them.
//!
//! - `moody`: machines whose power lies in files, so that the tests see what the device was told.
//! - `changes`: what a change of power does on the device, on the node and in its record.
//! - `failures`: changes that fail, take too long or are cut off.
//! - `refused`: what never reaches a driver.
//! - `reading`: when the power state is read.
//! - `management`: boot devices and interrupts.
//! - `clients`: Ironic's own clients.

mod changes;
mod clients;
mod failures;
mod management;
mod moody;
mod reading;
mod refused;

use std::time::Duration;

use serde_json::{Value, json};
use suite::{HostProcess, Reply, eventually};

/// Generous: the machine may be busy with other tests.
const SOON: Duration = Duration::from_secs(30);

/// Asks for a change of power.
fn power(host: &HostProcess, node: &str, target: &str) -> Reply {
    host.request("PUT", &format!("/v1/nodes/{node}/states/power"))
        .json(&json!({ "target": target }))
        .send()
}

fn states(host: &HostProcess, node: &str) -> Value {
    host.get(&format!("/v1/nodes/{node}/states")).expect(200).json()
}

/// Waits until no change of power is under way, and answers the states.
fn settled(host: &HostProcess, node: &str) -> Value {
    eventually("the change of power is over", SOON, || {
        let free = host.node_field(node, "reservation") == Value::Null;
        free.then(|| states(host, node))
    })
}

/// The latest record of a node.
fn record(host: &HostProcess, node: &str) -> Value {
    let records = host
        .get(&format!("/v1/nodes/{node}/calls?limit=1"))
        .expect(200)
        .json();
    records["calls"][0].clone()
}

/// The latest record of a node, once it is in a state.
fn recorded(host: &HostProcess, node: &str, state: &str) -> Value {
    eventually(&format!("the latest call of {node} is {state}"), SOON, || {
        let found = record(host, node);
        let path = format!("/v1/calls/{}", found["id"].as_str()?);
        (found["state"] == state).then(|| host.get(&path).expect(200).json())
    })
}
