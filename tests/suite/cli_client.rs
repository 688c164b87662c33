//! The `openstack baremetal` command, unmodified.

use serde_json::{Value, json};
use suite::{CLIENTS_PATIENCE, Gate, HostProcess, SLOW, eventually, openstack};

/// The value of a row of the command's two-column JSON.
fn shown(host: &HostProcess, arguments: &[&str]) -> Value {
    let mut all = arguments.to_vec();
    all.extend(["-f", "json"]);
    openstack(host, &all).succeeded().json()
}

#[test]
fn drivers_list_show_properties_methods_and_calls() {
    let host = HostProcess::with_fake();
    let list = shown(&host, &["driver", "list"]);
    assert_eq!(list, json!([{"name": "fake", "hosts": "suite-host"}]));
    let driver = shown(&host, &["driver", "show", "fake"]);
    assert_eq!(
        (&driver["name"], &driver["type"]),
        (&json!("fake"), &json!("dynamic"))
    );
    let long = shown(&host, &["driver", "list", "--long", "--type", "dynamic"]);
    assert_eq!(long.as_array().unwrap().len(), 1, "{long}");
    let properties = shown(&host, &["driver", "property", "list", "fake"]);
    assert!(properties.is_array(), "{properties}");
    let methods = shown(&host, &["driver", "passthru", "list", "fake"]);
    let echo = methods
        .as_array()
        .unwrap()
        .iter()
        .find(|method| method["name"] == "echo");
    assert!(echo.is_some(), "{methods}");

    // this command fails on every sync answer that is not empty, whatever the server says, except for DELETE
    let call = [
        "driver",
        "passthru",
        "call",
        "fake",
        "echo",
        "--arg",
        "a=1",
        "--http-method",
        "DELETE",
    ];
    openstack(&host, &call).succeeded();
    let unknown = openstack(&host, &["driver", "passthru", "call", "fake", "nope"]);
    unknown.failed(1, "No handler for method nope");
    openstack(&host, &["driver", "show", "nope"]).failed(
        1,
        "Could not find the following driver(s) or hardware type(s): nope.",
    );
}

#[test]
fn nodes_from_create_to_delete() {
    let host = HostProcess::with_fake();
    let create = [
        "node",
        "create",
        "--driver",
        "fake",
        "--name",
        "n1",
        "--driver-info",
        "fake_password=canary-9",
    ];
    let created = shown(&host, &create);
    assert_eq!(
        (&created["name"], &created["driver"]),
        (&json!("n1"), &json!("fake"))
    );
    assert!(!created.to_string().contains("canary"), "{created}");
    let list = shown(&host, &["node", "list"]);
    assert_eq!(
        (&list[0]["name"], &list[0]["uuid"]),
        (&json!("n1"), &created["uuid"])
    );
    let long = shown(&host, &["node", "list", "--long"]);
    assert_eq!(long[0]["driver"], "fake", "{long}");
    openstack(
        &host,
        &[
            "node",
            "set",
            "n1",
            "--extra",
            "a=1",
            "--property",
            "cpus=4",
            "--description",
            "rack 4",
        ],
    )
    .succeeded();
    openstack(&host, &["node", "unset", "n1", "--property", "cpus"]).succeeded();
    let node = shown(&host, &["node", "show", "n1"]);
    assert_eq!(node["description"], "rack 4");
    assert_eq!(
        (&node["extra"], &node["properties"]),
        (&json!({"a": 1}), &json!({}))
    );
    let report = shown(&host, &["node", "validate", "n1"]);
    let vendor = report
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["Interface"] == "vendor")
        .expect("vendor");
    assert_eq!(vendor["Result"], true, "{report}");
    openstack(&host, &["node", "maintenance", "set", "n1", "--reason", "fan"]).succeeded();
    let fields = [
        "node",
        "show",
        "n1",
        "--fields",
        "maintenance",
        "maintenance_reason",
    ];
    assert_eq!(
        shown(&host, &fields),
        json!({"maintenance": true, "maintenance_reason": "fan"})
    );
    openstack(&host, &["node", "maintenance", "unset", "n1"]).succeeded();
    assert_eq!(
        shown(&host, &fields),
        json!({"maintenance": false, "maintenance_reason": null})
    );
    openstack(&host, &["node", "delete", "n1"]).succeeded();
    openstack(&host, &["node", "show", "n1"]).failed(1, "Node n1 could not be found.");
}

#[test]
fn methods_of_nodes_are_listed_and_called() {
    let host = HostProcess::with_fake();
    host.create_node("n1");
    let methods = shown(&host, &["node", "passthru", "list", "n1"]);
    let first = methods
        .as_array()
        .unwrap()
        .iter()
        .find(|method| method["Name"] == "first_method");
    assert_eq!(first.expect("first_method")["Async"], true, "{methods}");
    openstack(
        &host,
        &[
            "node",
            "passthru",
            "call",
            "n1",
            "first_method",
            "--arg",
            "bar=baz",
        ],
    )
    .succeeded();
    let call = [
        "node",
        "passthru",
        "call",
        "n1",
        "echo_sync",
        "--arg",
        "a=1",
        "--arg",
        "j={\"x\": [1,2]}",
    ];
    let echo = openstack(&host, &call).succeeded();
    assert!(
        echo.stdout.contains("'args': {'a': 1, 'j': {'x': [1, 2]}}"),
        "{}",
        echo.stdout
    );
    let put = [
        "node",
        "passthru",
        "call",
        "n1",
        "echo_sync",
        "--arg",
        "a=1",
        "--http-method",
        "PUT",
    ];
    assert!(
        openstack(&host, &put)
            .succeeded()
            .stdout
            .contains("'http_method': 'PUT'")
    );
    openstack(&host, &["node", "passthru", "call", "n1", "second_method"])
        .failed(1, "Parameter 'bar' not passed to method 'second_method'.");
    let fail = [
        "node",
        "passthru",
        "call",
        "n1",
        "fail_sync",
        "--arg",
        "kind=internal",
        "--arg",
        "message=boom",
    ];
    openstack(&host, &fail).failed(1, "boom");
}

#[test]
fn a_locked_node_is_asked_again_by_the_client_until_it_is_free() {
    let host = HostProcess::builder()
        .driver(SLOW)
        .set("locks.wait_ms", 0)
        .argument("--log-level=debug")
        .start();
    host.create_node_of(SLOW, "n1");
    let gate = Gate::closed();
    host.post("/v1/nodes/n1/vendor_passthru/hold_async", gate.arguments())
        .expect(202);
    let call = [
        "node",
        "passthru",
        "call",
        "n1",
        "take_turn",
        "--arg",
        "name=turn-client",
    ];
    let client = || openstack(&host, &call);
    std::thread::scope(|scope| {
        let client = std::thread::Builder::new().spawn_scoped(scope, client).unwrap();
        eventually("the client is refused", CLIENTS_PATIENCE, || {
            host.log.lines_with(&["\"status\":409", "/take_turn\""]).pop()
        });
        gate.open();
        client.join().unwrap().succeeded();
    });
    host.logged(&["turn-client"]);
}
