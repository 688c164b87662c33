//! The driver `ipmi` against simulators of BMCs, through the host's binary and over HTTP. What a BMC has done is asked of
//! the BMC's own machine.

mod children;
mod failures;
mod methods;
mod queue;
mod secrets;
mod standard_calls;
mod starting;

use std::time::Duration;

use serde_json::{Value, json};
use suite::{HostBuilder, HostProcess, IPMI, Reply, eventually};

/// How long a call may take to end. Generous: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(90);

/// A host whose driver does not wait between commands and fails at the first attempt.
fn builder() -> HostBuilder {
    HostProcess::builder()
        .driver(IPMI)
        .set("drivers.ipmi.config.min_command_interval_ms", 0)
        .set("drivers.ipmi.config.retry_window_ms", 0)
}

/// A host whose driver tries as long as it is worth while: for what must succeed on a busy machine too.
fn patient() -> HostProcess {
    builder()
        .set("drivers.ipmi.config.retry_window_ms", 60_000)
        .start()
}

/// Creates the node `name`; gives its path.
fn node(host: &HostProcess, name: &str, driver_info: Value) -> String {
    let node = json!({"driver": "ipmi", "name": name, "driver_info": driver_info});
    host.post("/v1/nodes", node).expect(201);
    format!("/v1/nodes/{name}")
}

/// `driver_info` with one key changed.
fn with(mut driver_info: Value, key: &str, value: impl Into<Value>) -> Value {
    driver_info[key] = value.into();
    driver_info
}

fn call(host: &HostProcess, verb: &str, node: &str, method: &str, body: Value) -> Reply {
    host.request(verb, &format!("{node}/vendor_passthru/{method}"))
        .json(&body)
        .send()
}

/// A raw request, answered at once.
fn raw(host: &HostProcess, node: &str, raw_bytes: &str) -> Reply {
    call(host, "POST", node, "raw", json!({ "raw_bytes": raw_bytes }))
}

/// The record of an async call, once it has ended.
fn ended(host: &HostProcess, accepted: Reply) -> Value {
    let record = accepted.expect(202).must_have("Location").to_owned();
    eventually("the call ends", PATIENCE, || {
        let record = host.get(&record).expect(200).json();
        (record["state"] != "running").then_some(record)
    })
}

/// The text of a failed call's record.
#[track_caller]
fn failure(record: &Value) -> &str {
    assert_eq!(record["state"], "failed", "{record}");
    record["error"]["message"].as_str().expect("a message")
}
