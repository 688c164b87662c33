//! Changing nodes with JSON Patch.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use suite::{HostProcess, Reply};

fn patch(host: &HostProcess, operations: Value) -> Reply {
    host.request("PATCH", "/v1/nodes/n1").json(&operations).send()
}

fn host_with_node() -> HostProcess {
    let host = HostProcess::with_fake();
    host.create_node("n1");
    host
}

#[test]
fn add_replace_and_remove_change_the_node_and_answer_all_of_it() {
    let host = host_with_node();
    for (operations, extra) in [
        (
            json!([{"op": "add", "path": "/extra/a", "value": {"b": 1}}]),
            json!({"a": {"b": 1}}),
        ),
        (
            json!([{"op": "replace", "path": "/extra/a/b", "value": 2}]),
            json!({"a": {"b": 2}}),
        ),
        (json!([{"op": "remove", "path": "/extra/a/b"}]), json!({"a": {}})),
        (
            json!([{"op": "replace", "path": "/extra", "value": {"z": 1}}]),
            json!({"z": 1}),
        ),
        (
            json!([{"op": "add", "path": "/extra/l", "value": [1]}, {"op": "add", "path": "/extra/l/-", "value": 2}]),
            json!({"z": 1, "l": [1, 2]}),
        ),
        (json!([{"op": "remove", "path": "/extra"}]), json!({})),
        (json!([]), json!({})),
    ] {
        let node = patch(&host, operations.clone()).expect(200).json();
        assert_eq!(node["extra"], extra, "{operations}");
        assert_eq!(node, host.get("/v1/nodes/n1").expect(200).json(), "{operations}");
    }
    assert!(host.node_field("n1", "updated_at").is_string());
}

#[test]
fn a_refused_patch_changes_nothing() {
    let host = host_with_node();
    let before = host.get("/v1/nodes/n1").json();
    for (operations, status, text) in [
        (
            json!([{"op": "test", "path": "/name", "value": "n1"}]),
            400,
            "test",
        ),
        (
            json!([{"op": "move", "from": "/extra", "path": "/extra/b"}]),
            400,
            "",
        ),
        (
            json!([{"op": "copy", "from": "/extra", "path": "/extra/b"}]),
            400,
            "",
        ),
        (json!([{"op": "add", "path": "/extra/q"}]), 400, "value"),
        (
            json!([{"op": "add", "path": "extra/q", "value": 1}]),
            400,
            "extra/q",
        ),
        (
            json!([{"op": "add", "path": "/bogus", "value": 1}]),
            400,
            "Cannot patch /bogus.",
        ),
        (
            json!([{"op": "replace", "path": "/uuid", "value": "11111111-2222-3333-4444-555555555550"}]),
            400,
            "Cannot patch /uuid.",
        ),
        (
            json!([{"op": "replace", "path": "/reservation", "value": "x"}]),
            400,
            "Cannot patch /reservation.",
        ),
        (
            json!([{"op": "replace", "path": "/last_error", "value": "x"}]),
            400,
            "Cannot patch /last_error.",
        ),
        (json!([{"op": "remove", "path": "/driver"}]), 400, "driver"),
        (
            json!([{"op": "replace", "path": "/driver", "value": "nope"}]),
            400,
            "No valid host was found.",
        ),
        (
            json!([{"op": "replace", "path": "/driver_info", "value": "str"}]),
            400,
            "'str' is not of type 'object'",
        ),
        (
            json!([{"op": "add", "path": "/name", "value": "a b"}]),
            400,
            "Node n1: Cannot change name to invalid name 'a b'",
        ),
        (
            json!([{"op": "add", "path": "/extra/x", "value": 1}, {"op": "remove", "path": "/extra/nokey"}]),
            400,
            "nokey",
        ),
        (
            json!([{"op": "replace", "path": "/extra/nokey", "value": 1}]),
            400,
            "nokey",
        ),
        (json!({"op": "add"}), 400, ""),
        (json!([1]), 400, ""),
        (json!("x"), 400, ""),
    ] {
        patch(&host, operations.clone()).refused(status, text);
        assert_eq!(host.get("/v1/nodes/n1").json(), before, "{operations}");
    }
    host.request("PATCH", "/v1/nodes/n1")
        .body("[{")
        .send()
        .refused(400, "line 1 column");
    host.request("PATCH", "/v1/nodes/nope")
        .json(&json!([]))
        .send()
        .refused(404, "Node nope could not be found.");
}

#[test]
fn a_patch_that_nests_ever_deeper_is_refused_and_the_host_lives_on() {
    let host = host_with_node();
    let (pid, before) = (host.pid(), host.get("/v1/nodes/n1").json());
    let levels = (0..21).fold(json!({}), |inner, _| json!({ "a": inner }));
    // Just below a megabyte, and together 4600 levels.
    let deeper: Value = (1..=208)
        .map(|n| json!({"op": "add", "path": format!("/extra{}", "/a".repeat(22 * n)), "value": levels}))
        .collect();
    patch(&host, deeper).refused(400, "extra is nested 66 levels deep, at most 64 are kept");
    let many = vec![json!({"op": "add", "path": "/extra/l/0", "value": 1}); 1001];
    patch(&host, json!(many)).refused(400, "1001 operations are too many, at most 1000 are taken");
    assert_eq!(host.get("/v1/nodes/n1").expect(200).json(), before);
    assert_eq!(host.pid(), pid);
}

#[test]
fn a_name_can_be_taken_away_and_given_but_not_twice() {
    let host = host_with_node();
    let uuid = host.node_field("n1", "uuid");
    let by_uuid = format!("/v1/nodes/{}", uuid.as_str().unwrap());
    host.create_node("n2");
    let taken = json!([{"op": "add", "path": "/name", "value": "n2"}]);
    patch(&host, taken).refused(409, "A node with name n2 already exists.");
    patch(&host, json!([{"op": "remove", "path": "/name"}])).expect(200);
    host.get("/v1/nodes/n1")
        .refused(404, "Node n1 could not be found.");
    let again = json!([{"op": "add", "path": "/name", "value": "n3"}]);
    host.request("PATCH", &by_uuid).json(&again).send().expect(200);
    assert_eq!(host.node_field("n3", "uuid"), uuid);
}

#[test]
fn a_field_above_the_version_asked_for_is_406() {
    let host = host_with_node();
    let uuid = host.node_field("n1", "uuid");
    let target = format!("/v1/nodes/{}", uuid.as_str().unwrap());
    let change = |version: &str| {
        let operations = json!([{"op": "add", "path": "/description", "value": "d"}]);
        host.request("PATCH", &target)
            .version(version)
            .json(&operations)
            .send()
    };
    change("1.50").refused(406, "Request not acceptable.");
    change("1.51").expect(200);
}

#[test]
fn reset_interfaces_is_accepted_from_1_45() {
    let host = host_with_node();
    let change = |version: &str| {
        let operations = json!([{"op": "replace", "path": "/driver", "value": "fake"}]);
        let request = host
            .request("PATCH", "/v1/nodes/n1?reset_interfaces=True")
            .version(version);
        request.json(&operations).send()
    };
    change("1.45").expect(200);
    change("1.44").expect(406);
}

#[test]
fn patches_at_the_same_time_all_take_effect() {
    let host = host_with_node();
    let all: Vec<_> = (0..50)
        .map(|n| {
            let operations = json!([{"op": "add", "path": format!("/extra/k{n}"), "value": n}]);
            host.request("PATCH", "/v1/nodes/n1").json(&operations).start()
        })
        .collect();
    for reply in all {
        reply.wait().expect(200);
    }
    let extra = host.node_field("n1", "extra");
    let keys: BTreeSet<&String> = extra.as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 50, "{extra}");
}
