//! Bodies are held against the schemas of the manifest before the driver sees the call.

use serde_json::{Value, json};
use suite::{FAKE, HELLO, HostProcess, SCHEMAS, host_command};

use crate::listing::edited;

const LIGHT: &str = "/v1/nodes/n1/vendor_passthru/light";
const MEASURE: &str = "/v1/drivers/schemas/vendor_passthru/measure";

/// A host with the driver that has schemas, and a node of it.
fn host() -> HostProcess {
    let host = HostProcess::builder().driver(SCHEMAS).driver(FAKE).start();
    let node = json!({"driver": "schemas", "name": "n1", "driver_info": {"schemas_address": "192.0.2.7", "schemas_word": "open-sesame"}});
    host.post("/v1/nodes", node).expect(201);
    host
}

/// How many calls the driver has seen.
fn seen(host: &HostProcess) -> Value {
    host.get("/v1/drivers/schemas/vendor_passthru/seen")
        .expect(200)
        .json()
}

#[test]
fn a_body_that_does_not_fit_is_400_with_pointer_rule_and_what_was_found_and_never_reaches_the_driver() {
    let host = host();
    for (body, text) in [
        (json!({}), "at /brightness: expected it (required), found nothing"),
        (
            json!({"brightness": 101}),
            "at /brightness: expected at most 100 (maximum), found 101",
        ),
        (
            json!({"brightness": "x"}),
            "at /brightness: expected an integer (type), found the string \"x\"",
        ),
        (
            json!({"brightness": 1, "colour": "red"}),
            "at /colour: expected one of \"blue\", \"amber\", null (enum), found the string \"red\"",
        ),
        (
            json!({"brightness": 1, "zones": [{"port": 1}, {"port": -1}]}),
            "at /zones/1/port: expected at least 0 (minimum), found -1",
        ),
        (
            json!({"brightness": 1, "bright": 2}),
            "at its top level: expected only the keys brightness, colour, zones, code (additionalProperties), found bright",
        ),
        (
            json!([1]),
            "at its top level: expected an object (type), found an array of 1",
        ),
    ] {
        let sentence = format!("the body of light does not fit its schema: {text}");
        assert_eq!(host.post(LIGHT, body.clone()).refused(400, text), sentence);
        host.request("PUT", LIGHT).json(&body).send().refused(400, text);
        // Answered before it runs: the check comes first there too.
        let later = LIGHT.replace("light", "light_later");
        host.post(&later, body).refused(400, text);
    }
    host.request("PUT", MEASURE)
        .json(&json!({"sensors": ["fan1", "NOPE"]}))
        .send()
        .refused(400, "at /sensors/1: expected a text that matches \"^[a-z]{1,8}[0-9]?$\" (pattern), found the string \"NOPE\"");
    assert_eq!(seen(&host), 0);
}

#[test]
fn a_body_that_fits_reaches_the_driver_as_it_was_sent() {
    let host = host();
    let light = json!({"brightness": 100, "colour": "amber", "zones": [{"port": 3}]});
    assert_eq!(host.post(LIGHT, light.clone()).expect(200).json(), light);
    // `null` and nothing are `{}`, which is checked like any other body.
    host.post(LIGHT, json!(null)).refused(400, "at /brightness");
    let spaced = "{ \"sensors\":  [\"fan1\" ] }";
    let reply = host.request("PUT", MEASURE).body(spaced).send().expect(200);
    assert_eq!(reply.text(), spaced);
}

#[test]
fn no_secret_is_in_a_refusal_and_no_long_value() {
    let host = host();
    let text = host
        .post(LIGHT, json!({"brightness": 1, "code": "hunter2hunter2"}))
        .refused(
            400,
            "at /code: expected at most 8 characters (maxLength), found a string",
        );
    assert!(!text.contains("hunter2"), "{text}");
    // What the node keeps secret is masked wherever a client repeats it.
    let text = host
        .post(LIGHT, json!({"brightness": "open-sesame"}))
        .refused(400, "******");
    assert!(!text.contains("open-sesame"), "{text}");
    let text = host
        .post(
            LIGHT,
            json!({"brightness": "x".repeat(100_000), "k".repeat(100_000): 1}),
        )
        .refused(400, "…");
    assert!(text.len() < 1000, "{}", text.len());
}

#[test]
fn a_key_that_is_there_twice_is_refused_where_there_is_a_schema_and_passed_on_where_there_is_none() {
    let host = host();
    let twice = r#"{"brightness": 1, "brightness": 900}"#;
    host.request("POST", LIGHT)
        .body(twice)
        .send()
        .refused(400, "the key \"brightness\" is there twice");
    let weigh = host.request("POST", "/v1/drivers/schemas/vendor_passthru/weigh");
    assert_eq!(weigh.body(twice).send().expect(200).json(), twice.len());
}

#[test]
fn methods_without_a_schema_take_what_is_sent_unread_as_those_of_fake_do() {
    let host = host();
    let manifest = host.get("/v1/drivers/fake/manifest").expect(200).json();
    for method in manifest["methods"].as_array().unwrap() {
        assert!(
            method.get("body_schema").is_none() && method.get("reply_schema").is_none(),
            "{method}"
        );
    }
    for body in ["[1e999]", "{\"a\":1,\"a\":2}", "\"text\"", " [ ] "] {
        let weigh = host.request("POST", "/v1/drivers/schemas/vendor_passthru/weigh");
        assert_eq!(weigh.body(body).send().expect(200).json(), body.len(), "{body}");
    }
}

#[test]
fn the_schema_comes_after_lock_and_limits_and_before_the_driver_has_its_say() {
    // The node lacks what the driver needs of it, which only the driver knows.
    let host = host();
    host.post("/v1/nodes", json!({"driver": "schemas", "name": "n2"}))
        .expect(201);
    let light = LIGHT.replace("n1", "n2");
    host.post(&light, json!({"brightness": 101}))
        .refused(400, "at /brightness");
    host.post(&light, json!({"brightness": 1})).refused(
        400,
        "Missing the following driver_info properties: schemas_address",
    );
    assert_eq!(seen(&host), 0);
}

#[test]
fn a_broken_schema_is_the_files_verdict_and_says_where_before_any_code_runs() {
    let folder = tempfile::tempdir().unwrap();
    for (text, other, place) in [
        (
            "\"sensors\":{\"type\":\"array\"",
            "\"sensors\":{\"type\":\"arrow\"",
            "at methods[2].body_schema/properties/sensors/type: expected what JSON Schema 2020-12 allows there",
        ),
        (
            "{\"$ref\":\"#/$defs/sensor\"}",
            "{\"$ref\":\"#/$defs/censor\"}",
            "at methods[2].body_schema/properties/sensors/items/$ref: expected a reference to a schema that is there",
        ),
        (
            "{\"$ref\":\"#/$defs/sensor\"}",
            "{\"$ref\":\"http://e.org/s\"}",
            "nothing is fetched",
        ),
    ] {
        std::fs::write(folder.path().join("libschemas.so"), edited(SCHEMAS, text, other)).unwrap();
        let dir = folder.path().to_str().unwrap();
        let list = host_command(&["list-available", "--plugin-dir", dir, "--json"])
            .succeeded()
            .json();
        assert_eq!(list[0]["state"], "refused", "{list}");
        assert_eq!(list[0]["code"], "broken-manifest", "{list}");
        assert!(list[0]["reason"].as_str().unwrap().contains(place), "{list}");
        let inspected = host_command(&["inspect", "schemas", "--plugin-dir", dir]);
        assert_eq!(inspected.code, 4, "{inspected:?}");
        assert!(
            inspected.stderr.contains(place) && inspected.stderr.lines().count() == 1,
            "{inspected:?}"
        );
    }
}

#[test]
fn the_template_brings_the_schema_of_its_arguments() {
    let host = HostProcess::builder().driver(HELLO).start();
    let node = json!({"driver": "hello", "name": "n1", "driver_info": {"hello_address": "192.0.2.7"}});
    host.post("/v1/nodes", node).expect(201);
    let greet = |body: Value| host.post("/v1/nodes/n1/vendor_passthru/greet", body);
    greet(json!({"name": 7})).refused(400, "at /name: expected a string (type), found 7");
    assert_eq!(
        greet(json!({"name": "Ada"})).expect(200).json()["greeting"],
        "Hello, Ada!"
    );
}

#[test]
fn properties_have_one_source_for_listing_validation_and_calls_and_none_of_it_refuses_a_node() {
    let host = host();
    let listed = host.get("/v1/drivers/schemas/properties").expect(200).json();
    assert_eq!(listed["schemas_address"], "Address of the lamp. Required.");
    assert_eq!(
        listed["schemas_port"],
        "Port of the lamp. Optional. From 1 to 65535. Default: 623."
    );
    assert_eq!(
        listed["schemas_protocol"],
        "What the lamp speaks. Optional. One of \"1.5\", \"2.0\". Default: \"2.0\"."
    );
    for (driver_info, reason) in [
        (
            json!({}),
            "Missing the following driver_info properties: schemas_address",
        ),
        (
            json!({"schemas_address": "a", "schemas_port": 0}),
            "driver_info property 'schemas_port' must be an integer from 1 to 65535, found 0",
        ),
        (
            json!({"schemas_address": "a", "schemas_protocol": "3.0"}),
            "driver_info property 'schemas_protocol' must be one of \"1.5\", \"2.0\", found the string \"3.0\"",
        ),
        (
            json!({"schemas_address": "a", "schemas_word": ["open-sesame"]}),
            "driver_info property 'schemas_word' must be a string, found an array",
        ),
    ] {
        // As in Ironic: a node may be created, and changed, with what its driver cannot use; validation says so.
        let node = host.post(
            "/v1/nodes",
            json!({"driver": "schemas", "driver_info": driver_info}),
        );
        let uuid = node.expect(201).json()["uuid"].as_str().unwrap().to_owned();
        let validation = host.get(&format!("/v1/nodes/{uuid}/validate")).expect(200).json();
        assert_eq!(validation["vendor"], json!({"result": false, "reason": reason}));
        let light = format!("/v1/nodes/{uuid}/vendor_passthru/light");
        host.post(&light, json!({"brightness": 1})).refused(400, reason);
        let sound = json!([{"op": "replace", "path": "/driver_info", "value": {"schemas_address": "a"}}]);
        let patch = |patch: &Value| {
            host.request("PATCH", &format!("/v1/nodes/{uuid}"))
                .json(patch)
                .send()
        };
        patch(&sound).expect(200);
        host.post(&light, json!({"brightness": 1})).expect(200);
        let broken = json!([{"op": "replace", "path": "/driver_info", "value": driver_info}]);
        patch(&broken).expect(200);
        host.post(&light, json!({"brightness": 1})).refused(400, reason);
    }
}
