//! Creating nodes.

use serde_json::{Value, json};
use suite::HostProcess;

use super::{create, listed};

#[test]
fn creating_a_node_answers_201_with_its_place_and_all_of_it() {
    let host = HostProcess::with_fake();
    let wanted = json!({"driver": "fake", "name": "n1", "driver_info": {"a": 1}, "properties": {"cpus": 4},
        "extra": {"x": [1, null]}, "resource_class": "gold", "description": "rack 4"});
    let reply = create(&host, wanted.clone(), "1.77").expect(201);
    let node = reply.json();
    let uuid = node["uuid"].as_str().unwrap();
    assert_eq!(
        reply.must_have("Location"),
        format!("{}/v1/nodes/{uuid}", host.url())
    );
    for (key, value) in wanted.as_object().unwrap() {
        assert_eq!(&node[key], value, "{key}");
    }
    assert_eq!(node["provision_state"], "enroll");
    assert_eq!(node["maintenance"], false);
    assert_eq!(node["conductor"], "suite-host");
    for key in [
        "reservation",
        "last_error",
        "updated_at",
        "power_state",
        "instance_uuid",
        "chassis_uuid",
    ] {
        assert_eq!(node[key], Value::Null, "{key}");
    }
    let stamp = node["created_at"].as_str().unwrap();
    assert!(
        stamp.ends_with("+00:00") && stamp.len() == "2026-01-01T00:00:00.000000+00:00".len(),
        "{stamp}"
    );
    assert_eq!(host.get("/v1/nodes/n1").expect(200).json(), node);
    assert_eq!(host.get(&format!("/v1/nodes/{uuid}/")).expect(200).json(), node);
}

#[test]
fn a_uuid_may_be_chosen_and_neither_it_nor_a_name_can_be_taken_twice() {
    let host = HostProcess::with_fake();
    let uuid = "11111111-2222-3333-4444-555555555555";
    create(
        &host,
        json!({"driver": "fake", "uuid": uuid, "name": "n1"}),
        "1.77",
    )
    .expect(201);
    let text = format!("A node with UUID {uuid} already exists.");
    create(&host, json!({"driver": "fake", "uuid": uuid}), "1.77").refused(409, &text);
    create(&host, json!({"driver": "fake", "name": "n1"}), "1.77")
        .refused(409, "A node with name n1 already exists.");
    assert_eq!(listed(host.get("/v1/nodes"), "name"), ["n1"]);
}

#[test]
fn a_node_that_cannot_be_is_refused_with_the_reason() {
    let host = HostProcess::with_fake();
    let long = "n".repeat(256);
    for (node, text) in [
        (json!({}), "driver"),
        (json!({"driver": 1}), "is not of type 'string'"),
        (
            json!({"driver": "nope"}),
            "No valid host was found. Reason: No conductor service registered which supports driver nope",
        ),
        (
            json!({"driver": "fake", "uuid": "zzz"}),
            "Expected UUID for uuid: zzz",
        ),
        (json!({"driver": "fake", "bogus": 1}), "bogus"),
        (json!({"driver": "fake", "last_error": "x"}), "last_error"),
        (json!({"driver": "fake", "reservation": "x"}), "reservation"),
        (
            json!({"driver": "fake", "driver_info": "str"}),
            "'str' is not of type 'object'",
        ),
        (
            json!({"driver": "fake", "properties": [1]}),
            "is not of type 'object'",
        ),
        (json!({"driver": "fake", "extra": 1}), "1 is not of type 'object'"),
        (json!({"driver": "fake", "maintenance": "maybe"}), "maybe"),
        (
            json!({"driver": "fake", "name": "bad name"}),
            "Cannot create node with invalid name 'bad name'",
        ),
        (
            json!({"driver": "fake", "name": "a/b"}),
            "Cannot create node with invalid name 'a/b'",
        ),
        (
            json!({"driver": "fake", "name": uuid_like()}),
            "Cannot create node with invalid name",
        ),
        (json!({"driver": "fake", "name": long}), "255"),
        (json!([1]), ""),
        (json!("x"), ""),
    ] {
        create(&host, node, "1.77").refused(400, text);
    }
    let words = [
        "maintenance",
        "management",
        "states",
        "vendor_passthru",
        "detail",
        "validate",
        "nodes",
        "drivers",
        "calls",
    ];
    for word in words {
        let text = format!("The word \"{word}\" is reserved and can not be used as a node name.");
        create(&host, json!({"driver": "fake", "name": word}), "1.77").refused(400, &text);
    }
    assert!(listed(host.get("/v1/nodes"), "uuid").is_empty());
}

fn uuid_like() -> &'static str {
    "11111111-2222-3333-4444-555555555556"
}
