//! The `redfish` driver in a host, against sushy-emulator with TLS and a login. What a call has done is asked of the emulator.
//!
//! The emulator has no sessions, event subscriptions, tasks, ETags and NMI, and does not fail on demand: where a test starts it
//! with extras, that part is the project's own (`tests/simulators/redfish_extras.py`).

mod certificates;
mod changes;
mod command_line;
mod failures;
mod login;
mod many;
mod media;
mod power;
mod requests;
mod subscriptions;
mod validation;

use std::time::Duration;

use serde_json::{Value, json};
use suite::{HostBuilder, HostProcess, REDFISH, Reply, Request, Sushy, eventually};

/// Generous: the emulator takes up to eleven seconds for a change of power, and the machine may be busy.
const SOON: Duration = Duration::from_secs(60);

/// A host with a driver that pauses shortly.
fn builder() -> HostBuilder {
    HostProcess::builder()
        .driver(REDFISH)
        .set("drivers.redfish.config.connection_retry_interval_ms", 20)
        .set("drivers.redfish.config.poll_interval_ms", 50)
}

/// A host and its node `n1`, which is the emulator's system.
fn host_of(sushy: &Sushy) -> HostProcess {
    let host = builder().start();
    create(&host, "n1", sushy.driver_info());
    host
}

fn create(host: &HostProcess, name: &str, driver_info: Value) {
    let node = json!({"driver": "redfish", "name": name, "driver_info": driver_info});
    host.post("/v1/nodes", node).expect(201);
}

/// What a node says of an emulator, with other values for some properties.
fn info(sushy: &Sushy, changes: Value) -> Value {
    let mut info = sushy.driver_info();
    for (key, value) in changes.as_object().expect("an object") {
        info[key] = value.clone();
    }
    info
}

fn request(host: &HostProcess, verb: &str, method: &str, arguments: &Value) -> Request {
    let target = format!("/v1/nodes/n1/vendor_passthru?method={method}");
    host.request(verb, &target).json(arguments)
}

/// Calls a method of the node `n1`.
fn call(host: &HostProcess, verb: &str, method: &str, arguments: Value) -> Reply {
    request(host, verb, method, &arguments).send()
}

/// GET of a path of the device, through the driver.
fn read(host: &HostProcess, path: &str) -> Reply {
    call(host, "GET", "request", json!({ "path": path }))
}

/// The record of an async call, once it has ended.
fn ended(host: &HostProcess, accepted: &Reply) -> Value {
    let path = accepted.must_have("Location");
    eventually(&format!("{path} ends"), SOON, || {
        let record = host.get(path).expect(200).json();
        (record["state"] != "running").then_some(record)
    })
}

/// Makes an async call, which must succeed, and gives its result.
fn succeeds(host: &HostProcess, method: &str, arguments: Value) -> Value {
    let accepted = call(host, "POST", method, arguments).expect(202);
    let record = ended(host, &accepted);
    assert_eq!(record["state"], "succeeded", "{record}");
    record["result"].clone()
}

/// Makes an async call, which must fail so.
fn fails(host: &HostProcess, method: &str, arguments: Value, kind: &str, text: &str) {
    let accepted = call(host, "POST", method, arguments).expect(202);
    let record = ended(host, &accepted);
    assert_eq!(
        (&record["state"], &record["error"]["kind"]),
        (&json!("failed"), &json!(kind)),
        "{record}"
    );
    let message = record["error"]["message"].as_str().expect("a message");
    assert!(message.contains(text), "{message:?} lacks {text:?}");
}
