//! Methods of nodes: forms, answers, kinds of fault, and what they leave on the node.

use std::time::Duration;

use serde_json::{Value, json};
use suite::{HostProcess, eventually};

fn call(host: &HostProcess, method: &str, body: Value) -> suite::Reply {
    host.post(&format!("/v1/nodes/n1/vendor_passthru/{method}"), body)
}

fn host_with_node() -> (HostProcess, String) {
    let host = HostProcess::with_fake();
    let uuid = host.create_node("n1");
    (host, uuid)
}

#[test]
fn all_forms_of_the_path_are_one_call() {
    let (host, uuid) = host_with_node();
    for prefix in [
        "/v1/nodes/n1",
        &format!("/v1/nodes/{uuid}"),
        "/v1/n1",
        &format!("/v1/{uuid}"),
    ] {
        for form in [
            "/echo_sync",
            "/echo_sync/",
            "?method=echo_sync",
            "/?method=echo_sync",
        ] {
            let target = format!("{prefix}/vendor_passthru{form}");
            let reply = host.post(&target, json!({"a": 1})).expect(200);
            assert_eq!(reply.json()["args"], json!({"a": 1}), "{target}");
        }
        let methods = host
            .get(&format!("{prefix}/vendor_passthru/methods"))
            .expect(200)
            .json();
        assert!(methods.get("first_method").is_some(), "{prefix}");
        for verb in ["GET", "PUT", "PATCH", "DELETE"] {
            let target = format!("{prefix}/vendor_passthru/echo_sync");
            let reply = host
                .request(verb, &target)
                .json(&json!({"a": 1}))
                .send()
                .expect(200);
            assert_eq!(reply.json()["http_method"], verb, "{target}");
        }
    }
}

#[test]
fn a_node_is_found_by_name_from_1_5_and_by_uuid_always() {
    let (host, uuid) = host_with_node();
    let methods = |node: &str, version: &str| {
        host.request("GET", &format!("/v1/nodes/{node}/vendor_passthru/methods"))
            .version(version)
            .send()
    };
    methods(&uuid, "1.1").expect(200);
    methods("n1", "1.4").refused(404, "Node n1 could not be found.");
    methods("n1", "1.5").expect(200);
    host.post("/v1/nodes/nope/vendor_passthru/echo_sync", json!({}))
        .refused(404, "Node nope could not be found.");
    host.post("/v1/nope/vendor_passthru/echo_sync", json!({}))
        .refused(404, "Node nope could not be found.");
}

#[test]
fn the_method_list_says_how_each_method_is_called() {
    let (host, _) = host_with_node();
    let methods = host
        .get("/v1/nodes/n1/vendor_passthru/methods")
        .expect(200)
        .json();
    for (name, is_async, exclusive) in [
        ("first_method", true, true),
        ("second_method", true, true),
        ("third_method_sync", false, true),
        ("fourth_method_shared_lock", true, false),
        ("log_passthrough", true, true),
        ("echo_sync", false, true),
        ("echo_shared", false, false),
        ("sleep_async", true, true),
        ("sleep_sync", false, true),
        ("fail_async", true, true),
        ("fail_sync", false, true),
    ] {
        let method = methods[name]
            .as_object()
            .unwrap_or_else(|| panic!("no {name} in {methods}"));
        let keys: Vec<&str> = method.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "http_methods",
                "async",
                "description",
                "attach",
                "require_exclusive_lock"
            ],
            "{name}"
        );
        assert_eq!(method["async"], is_async, "{name}");
        assert_eq!(method["require_exclusive_lock"], exclusive, "{name}");
        assert_eq!(method["attach"], false, "{name}");
    }
    for name in [
        "first_method",
        "second_method",
        "third_method_sync",
        "fourth_method_shared_lock",
    ] {
        assert_eq!(methods[name]["http_methods"], json!(["POST"]), "{name}");
    }
    assert_eq!(methods["attach"]["attach"], true);
    assert_eq!(methods["attach"]["http_methods"], json!(["GET"]));
    assert!(
        methods.get("echo").is_none(),
        "methods of the driver are listed with the driver"
    );
}

#[test]
fn the_fake_methods_answer_as_ironics_do() {
    let (host, _) = host_with_node();
    for (method, word) in [
        ("first_method", "baz"),
        ("second_method", "kazoo"),
        ("fourth_method_shared_lock", "woof"),
    ] {
        let reply = call(&host, method, json!({"bar": word})).expect(202);
        assert!(reply.body.is_empty(), "{method}: {}", reply.text());
        assert_eq!(reply.must_have("Content-Length"), "0", "{method}");
        assert_eq!(reply.header("Content-Type"), None, "{method}");
    }
    for (bar, answer) in [("meow", true), ("x", false)] {
        assert_eq!(
            call(&host, "third_method_sync", json!({"bar": bar}))
                .expect(200)
                .json(),
            answer
        );
    }
    for method in [
        "first_method",
        "second_method",
        "third_method_sync",
        "fourth_method_shared_lock",
    ] {
        let missing = format!("Parameter 'bar' not passed to method '{method}'.");
        for body in [
            json!({}),
            json!({"bar": null}),
            json!({"bar": ""}),
            json!({"bar": false}),
            json!({"bar": 0}),
        ] {
            assert_eq!(
                call(&host, method, body.clone()).refused(400, &missing),
                missing,
                "{body}"
            );
        }
        call(&host, method, json!({"bar": "x", "zz": 1})).refused(400, "zz");
        let get = host.get(&format!("/v1/nodes/n1/vendor_passthru/{method}"));
        get.refused(400, &format!("The method {method} does not support HTTP GET"));
    }
    call(
        &host,
        "log_passthrough",
        json!({"bar": 1, "anything": [1, {"x": null}]}),
    )
    .expect(202);
    host.logged(&["anything"]);
}

#[test]
fn a_method_with_attach_answers_bytes_of_its_own_type() {
    let (host, _) = host_with_node();
    let reply = host.get("/v1/nodes/n1/vendor_passthru/attach").expect(200);
    let kind = reply.must_have("Content-Type");
    assert!(kind.contains('/') && kind != "application/json", "{kind}");
    assert!(!reply.body.is_empty());
    assert_eq!(reply.must_have("Content-Length"), reply.body.len().to_string());
}

#[test]
fn the_kind_of_a_fault_decides_the_status_and_its_text_reaches_the_client() {
    let (host, _) = host_with_node();
    for (kind, status) in [
        ("invalid_parameter", 400),
        ("missing_parameter", 400),
        ("conflict", 400),
        ("not_found", 404),
        ("unavailable", 502),
        ("timeout", 504),
        ("internal", 500),
    ] {
        let text = format!("the {kind} of it");
        call(&host, "fail_sync", json!({"kind": kind, "message": text})).refused(status, &text);
    }
}

#[test]
fn a_failed_async_call_is_202_and_its_error_stays_until_the_next_success() {
    let (host, _) = host_with_node();
    let last_error = || host.node_field("n1", "last_error");
    let becomes = |expected: Value| {
        eventually(
            &format!("last_error is {expected}"),
            Duration::from_secs(60),
            || (last_error() == expected).then_some(()),
        );
    };
    assert_eq!(last_error(), Value::Null);
    call(&host, "fail_async", json!({"kind": "internal", "message": "one"})).expect(202);
    becomes(json!("Async execution of fail_async failed with error: one"));
    call(&host, "fail_async", json!({"kind": "internal", "message": "two"})).expect(202);
    becomes(json!("Async execution of fail_async failed with error: two"));
    call(&host, "echo_shared", json!({})).expect(200);
    assert_ne!(last_error(), Value::Null, "a shared call does not clear it");
    call(&host, "echo_sync", json!({})).expect(200);
    becomes(Value::Null);
}

#[test]
fn a_node_whose_driver_is_not_enabled_any_more_stays_visible_and_answers_calls_with_400() {
    let host = HostProcess::builder()
        .driver(suite::FAKE)
        .driver(suite::HELLO)
        .start();
    let node = json!({"driver": "fake", "name": "n1", "driver_info": {"fake_password": "canary-6c1f"}});
    host.post("/v1/nodes", node).expect(201);
    let host = host.restart(|builder| builder.nothing_enabled().enable("hello"));
    let shown = host.get("/v1/nodes/n1").expect(200);
    assert_eq!(shown.json()["driver"], "fake");
    assert!(!shown.text().contains("canary"), "{}", shown.text());
    call(&host, "echo_sync", json!({})).refused(400, "fake");
    host.get("/v1/nodes/n1/vendor_passthru/methods")
        .refused(400, "fake");
    host.request("DELETE", "/v1/nodes/n1").send().expect(204);
}
