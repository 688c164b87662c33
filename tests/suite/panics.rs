//! A panic in any entry point of a driver costs that call, and nothing else.

use serde_json::{Value, json};
use suite::{FAKE, HostProcess, PANICS, Reply};

fn host() -> HostProcess {
    let host = HostProcess::builder()
        .driver(PANICS)
        .driver(FAKE)
        .driver_panics_expected()
        .start();
    host.create_node_of(PANICS, "n1");
    host
}

fn on_driver(host: &HostProcess, method: &str, body: Value) -> Reply {
    host.post(&format!("/v1/drivers/panics/vendor_passthru/{method}"), body)
}

fn on_node(host: &HostProcess, method: &str, body: Value) -> Reply {
    host.post(&format!("/v1/nodes/n1/vendor_passthru/{method}"), body)
}

fn works(host: &HostProcess, pid: u32) {
    assert_eq!(host.pid(), pid);
    on_driver(host, "fine", json!({})).expect(200);
    on_node(host, "fine_on_node", json!({})).expect(200);
    host.post("/v1/drivers/fake/vendor_passthru/echo", json!({}))
        .expect(200);
}

#[test]
fn in_a_blocking_method() {
    let host = host();
    let pid = host.pid();
    for _ in 0..20 {
        on_driver(&host, "blocking", json!({})).refused(500, "panicked");
        works(&host, pid);
    }
    host.logged(&["panicked", "panics"]);
}

#[test]
fn in_a_node_method_and_the_lock_is_free_afterwards() {
    let host = host();
    let pid = host.pid();
    on_node(&host, "blocking_on_node", json!({})).refused(500, "panicked");
    assert_eq!(host.node_field("n1", "reservation"), Value::Null);
    works(&host, pid);
}

#[test]
fn in_an_async_method_and_the_node_says_so() {
    let host = host();
    let pid = host.pid();
    on_node(&host, "async_on_node", json!({})).expect(202);
    let last_error = suite::eventually(
        "the node has the error",
        std::time::Duration::from_secs(60),
        || host.node_field("n1", "last_error").as_str().map(str::to_owned),
    );
    assert!(
        last_error.starts_with("Async execution of async_on_node failed with error: "),
        "{last_error}"
    );
    assert!(last_error.contains("panicked"), "{last_error}");
    works(&host, pid);
}

#[test]
fn while_a_deferred_method_starts_and_on_the_thread_that_should_answer_it() {
    let host = host();
    let pid = host.pid();
    on_driver(&host, "deferred_start", json!({})).refused(500, "panicked");
    works(&host, pid);
    on_driver(&host, "deferred_thread", json!({})).refused(500, "");
    works(&host, pid);
}

#[test]
fn while_arguments_are_read_or_the_answer_is_written() {
    let host = host();
    let pid = host.pid();
    on_driver(&host, "arguments", json!({"value": "boom"})).refused(500, "panicked");
    works(&host, pid);
    on_driver(&host, "answer", json!({})).refused(500, "panicked");
    works(&host, pid);
}

#[test]
fn while_a_node_is_validated() {
    let host = host();
    let pid = host.pid();
    let patch = json!([{"op": "add", "path": "/driver_info/panic", "value": true}]);
    host.request("PATCH", "/v1/nodes/n1").json(&patch).send();
    on_node(&host, "fine_on_node", json!({})).refused(500, "panicked");
    let report = host.get("/v1/nodes/n1/validate").expect(200).json();
    assert_eq!(report["vendor"]["result"], false, "{report}");
    assert!(
        report["vendor"]["reason"].as_str().unwrap().contains("panicked"),
        "{report}"
    );
    let patch = json!([{"op": "remove", "path": "/driver_info/panic"}]);
    host.request("PATCH", "/v1/nodes/n1")
        .json(&patch)
        .send()
        .expect(200);
    works(&host, pid);
}

#[test]
fn with_a_payload_that_panics_when_it_is_dropped() {
    let host = host();
    let pid = host.pid();
    on_driver(&host, "payload", json!({})).refused(500, "panicked");
    works(&host, pid);
}

#[test]
fn while_the_driver_is_created_the_host_does_not_start_and_says_why() {
    let builder = HostProcess::builder()
        .driver(PANICS)
        .set("drivers.panics.config.panic", true);
    let output = builder.serve_to_end();
    assert_eq!(output.code, 4, "{}", output.everything());
    assert!(
        output.everything().contains("panicked"),
        "{}",
        output.everything()
    );
    assert!(output.everything().contains("panics"), "{}", output.everything());
}

#[test]
fn while_the_driver_ends_the_host_still_ends_well() {
    let mut host = HostProcess::builder()
        .driver(PANICS)
        .set("drivers.panics.config.panic_at_end", true)
        .driver_panics_expected()
        .start();
    on_driver(&host, "fine", json!({})).expect(200);
    host.terminate();
    assert_eq!(host.wait().code(), Some(0), "{}", host.log.text());
}
