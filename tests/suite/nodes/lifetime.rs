//! What becomes of a node: maintenance, a crash of the host, its end.

use serde_json::{Value, json};
use suite::HostProcess;

#[test]
fn maintenance_is_set_and_unset_with_and_without_a_reason_and_blocks_no_call() {
    let host = HostProcess::with_fake();
    host.create_node("n1");
    let state = || {
        (
            host.node_field("n1", "maintenance"),
            host.node_field("n1", "maintenance_reason"),
        )
    };
    let put = |body: &str| {
        let reply = host
            .request("PUT", "/v1/nodes/n1/maintenance")
            .body(body.to_owned())
            .send()
            .expect(202);
        assert!(reply.body.is_empty());
    };
    put("{\"reason\": \"broken fan\"}");
    assert_eq!(state(), (json!(true), json!("broken fan")));
    host.post("/v1/nodes/n1/vendor_passthru/echo_sync", json!({}))
        .expect(200);
    for body in ["", "{}", "{\"reason\": null}"] {
        put(body);
        assert_eq!(state(), (json!(true), Value::Null), "{body:?}");
    }
    host.request("DELETE", "/v1/nodes/n1/maintenance")
        .send()
        .expect(202);
    assert_eq!(state(), (json!(false), Value::Null));
    host.request("PUT", "/v1/nodes/nope/maintenance")
        .send()
        .refused(404, "Node nope could not be found.");
    host.request("PUT", "/v1/nodes/n1/maintenance")
        .json(&json!({"reason": 1}))
        .send()
        .refused(400, "reason");
}

#[test]
fn nodes_survive_a_crash_of_the_host_and_locks_do_not() {
    let host = HostProcess::with_fake();
    let uuid = host.create_node("n1");
    let held = host.post("/v1/nodes/n1/vendor_passthru/sleep_async", json!({"seconds": 60}));
    held.expect(202);
    assert_eq!(host.node_field("n1", "reservation"), "suite-host");
    let host = host.crash_and_restart();
    assert_eq!(host.node_field("n1", "uuid"), json!(uuid));
    assert_eq!(host.node_field("n1", "reservation"), Value::Null);
    host.post("/v1/nodes/n1/vendor_passthru/echo_sync", json!({}))
        .expect(200);
}

#[test]
fn deleting_a_node_is_204_and_then_it_is_gone() {
    let host = HostProcess::with_fake();
    let uuid = host.create_node("n1");
    let reply = host.request("DELETE", "/v1/nodes/n1").send().expect(204);
    assert!(reply.body.is_empty());
    for target in [
        "/v1/nodes/n1",
        &format!("/v1/nodes/{uuid}"),
        "/v1/nodes/n1/validate",
    ] {
        host.get(target).refused(404, "could not be found.");
    }
    host.request("DELETE", "/v1/nodes/n1")
        .send()
        .refused(404, "Node n1 could not be found.");
    host.create_node("n1");
}
