//! Every key of the manifest, right and wrong.

use serde_json::{Value, json};

use super::*;

fn complete() -> Value {
    json!({
        "manifest": 1, "abi": "1.0.0", "sdk": "1.0.0", "target": "x86_64-unknown-linux-gnu",
        "name": "fake", "version": "2.1.0", "description": "Does nothing.",
        "properties": {
            "zulu": {"description": "Last letter.", "type": "string", "required": true, "secret": true, "default": null},
            "alpha": {"type": "integer", "default": 623},
        },
        "methods": [
            {"name": "reset", "on": "node", "http_methods": ["POST", "PUT"], "async": true, "require_exclusive_lock": false,
             "attach": false, "description": "Resets.", "run": "deferred", "time_limit_ms": 1500,
             "body_schema": {"type": "object"}},
            {"name": "echo", "on": "driver"},
        ],
        "a_later_key": [1],
    })
}

/// The complete manifest with one value replaced; `null` stands for its absence.
fn with(pointer: &str, value: Value) -> Vec<u8> {
    let mut manifest = complete();
    *manifest.pointer_mut(pointer).unwrap() = value;
    manifest.to_string().into_bytes()
}

fn refused(bytes: &[u8]) -> (&'static str, String) {
    let unfit = parse(bytes).unwrap_err();
    (unfit.error.code(), unfit.error.to_string())
}

#[test]
fn a_complete_manifest_is_read_in_the_authors_order() {
    let manifest = parse(complete().to_string().as_bytes()).unwrap();
    assert_eq!(
        (manifest.name.as_str(), manifest.version.to_string().as_str()),
        ("fake", "2.1.0")
    );
    assert_eq!(manifest.properties.keys().collect::<Vec<_>>(), ["zulu", "alpha"]);
    let zulu = &manifest.properties["zulu"];
    assert!(zulu.required && zulu.secret && zulu.default.is_none() && zulu.kind == PropertyKind::String);
    assert_eq!(manifest.properties["alpha"].default, Some(json!(623)));
    let reset = &manifest.methods[0];
    assert!(reset.is_async && !reset.require_exclusive_lock && reset.run == RunKind::Deferred);
    assert_eq!(reset.http_methods, ["POST", "PUT"]);
    assert_eq!(reset.time_limit, Some(Duration::from_millis(1500)));
    let raw: Value = serde_json::from_str(&manifest.raw).unwrap();
    assert_eq!(raw, complete());
}

#[test]
fn escapes_are_read_and_of_a_key_that_is_there_twice_the_last_counts() {
    let text = complete().to_string();
    let text = text.replace(
        r#""description":"Does nothing.""#,
        r#""d\u0065scription":"Does \"nothing\".""#,
    );
    let text = text.replace(r#""name":"fake""#, r#""name":7,"name":"fake""#);
    let manifest = parse(text.as_bytes()).unwrap();
    assert_eq!(
        (manifest.name.as_str(), manifest.description.as_str()),
        ("fake", r#"Does "nothing"."#)
    );
}

#[test]
fn absent_keys_take_ironics_defaults() {
    let bytes = with(
        "/methods",
        json!([{"name": "a", "on": "node"}, {"name": "a", "on": "driver"}]),
    );
    let methods = parse(&bytes).unwrap().methods;
    let facts: Vec<_> = methods
        .iter()
        .map(|m| {
            (
                m.is_async,
                m.require_exclusive_lock,
                m.attach,
                m.run,
                m.http_methods.join(" "),
            )
        })
        .collect();
    assert_eq!(
        facts[0],
        (true, true, false, RunKind::Blocking, "POST".to_owned())
    );
    assert_eq!(
        facts[1],
        (false, false, false, RunKind::Blocking, "POST".to_owned())
    );

    let least = json!({"manifest": 1, "abi": "1.0.0", "target": "t", "name": "x", "version": "1.0.0"});
    let manifest = parse(least.to_string().as_bytes()).unwrap();
    assert!(manifest.properties.is_empty() && manifest.methods.is_empty() && manifest.sdk.is_none());
}

#[test]
fn a_wrong_value_is_named_with_its_place_and_what_belongs_there() {
    let cases = [
        (
            "/name",
            json!("Fake"),
            "at name: expected a driver's name",
            "found \"Fake\"",
        ),
        (
            "/name",
            json!(null),
            "at name: expected a string",
            "found nothing",
        ),
        (
            "/name",
            json!("x".repeat(256)),
            "at name: expected a driver's name",
            "...",
        ),
        (
            "/version",
            json!("1.0"),
            "at version: expected a version such as 1.0.0",
            "found \"1.0\"",
        ),
        ("/abi", json!(1), "at abi: expected a string", "found 1"),
        (
            "/target",
            json!(null),
            "at target: expected a string",
            "found nothing",
        ),
        (
            "/manifest",
            json!("1"),
            "at manifest: expected a whole number",
            "found \"1\"",
        ),
        ("/manifest", json!(0), "at manifest: expected 1", "found 0"),
        (
            "/properties",
            json!([]),
            "at properties: expected an object",
            "found []",
        ),
        (
            "/properties/zulu",
            json!("text"),
            "at properties.zulu: expected an object",
            "found \"text\"",
        ),
        (
            "/properties/zulu/secret",
            json!(1),
            "at properties.zulu.secret: expected true or false",
            "found 1",
        ),
        ("/methods", json!({}), "at methods: expected an array", "found {}"),
        (
            "/methods/1/on",
            json!(null),
            "at methods[1].on: expected a string",
            "found nothing",
        ),
        (
            "/methods/1/name",
            json!("methods"),
            "at methods[1].name: expected a method's name",
            "found \"methods\"",
        ),
        (
            "/methods/1/name",
            json!("a b"),
            "at methods[1].name: expected a method's name",
            "found \"a b\"",
        ),
        (
            "/methods/0/async",
            json!("yes"),
            "at methods[0].async: expected true or false",
            "found \"yes\"",
        ),
        (
            "/methods/0/attach",
            json!(true),
            "at methods[0].attach: expected false, because",
            "found true",
        ),
        (
            "/methods/0/time_limit_ms",
            json!(0),
            "at methods[0].time_limit_ms: expected at least 1",
            "found 0",
        ),
        (
            "/methods/0/time_limit_ms",
            json!(-1),
            "expected a whole number",
            "found -1",
        ),
        (
            "/methods/0/http_methods",
            json!([]),
            "at methods[0].http_methods: expected at least one",
            "found []",
        ),
        (
            "/methods/0/http_methods/0",
            json!("post"),
            "at methods[0].http_methods[0]: expected an HTTP verb",
            "\"post\"",
        ),
        (
            "/methods/0/body_schema",
            json!([]),
            "at methods[0].body_schema: expected a JSON Schema",
            "found []",
        ),
        (
            "/methods/0/body_schema",
            json!({"properties": {"a": {"type": "strin"}}}),
            "at methods[0].body_schema/properties/a/type: expected what JSON Schema 2020-12 allows there",
            "found \"strin\" is not valid",
        ),
        (
            "/methods/0/body_schema",
            json!({"items": {"$ref": "#"}}),
            "at methods[0].body_schema: expected a schema that does not refer to itself",
            "found one that does",
        ),
        (
            "/properties/alpha",
            json!({"minimum": "1"}),
            "at properties.alpha.minimum: expected a number",
            "found \"1\"",
        ),
    ];
    for (pointer, value, expected, found) in cases {
        let (code, text) = refused(&with(pointer, value));
        assert_eq!(code, "broken-manifest", "{pointer}: {text}");
        assert!(
            text.contains(expected) && text.contains(found),
            "{pointer}: {text}"
        );
        assert!(!text.contains('\n') && text.len() < 300, "{text}");
    }
}

#[test]
fn what_changes_how_a_call_runs_and_is_unknown_needs_a_newer_host() {
    let cases = [
        ("/manifest", json!(2), "manifest is 2"),
        ("/abi", json!("2.0.0"), "abi is 2.0.0"),
        ("/methods/0/on", json!("rack"), "methods[0].on is \"rack\""),
        (
            "/methods/0/run",
            json!("streaming"),
            "methods[0].run is \"streaming\"",
        ),
        (
            "/methods/0/name",
            json!("console:get"),
            "methods[0].name is \"console:get\"",
        ),
        (
            "/methods/0/http_methods/0",
            json!("QUERY"),
            "methods[0].http_methods[0] is \"QUERY\"",
        ),
    ];
    for (pointer, value, expected) in cases {
        let (code, text) = refused(&with(pointer, value));
        assert_eq!(code, "needs-newer-host", "{pointer}: {text}");
        assert!(text.contains(expected), "{pointer}: {text}");
    }
}

#[test]
fn the_boundary_is_the_same_within_a_major_version_only() {
    assert!(parse(&with("/abi", json!("1.9.0"))).is_ok());
    let (code, text) = refused(&with("/abi", json!("0.9.0")));
    assert_eq!(code, "needs-older-host", "{text}");
    assert!(
        text.contains("driver-abi 0.9.0") && text.contains("this host has 1."),
        "{text}"
    );
}

#[test]
fn a_file_that_cannot_be_used_still_says_who_it_is() {
    let unfit = parse(&with("/manifest", json!(7))).unwrap_err();
    assert_eq!(unfit.claim.name.as_deref(), Some("fake"));
    assert_eq!(unfit.claim.version, Some(Version::new(2, 1, 0)));
}

#[test]
fn two_methods_of_one_place_cannot_share_a_name() {
    let (code, text) = refused(&with(
        "/methods",
        json!([{"name": "a", "on": "node"}, {"name": "a", "on": "node"}]),
    ));
    assert_eq!(code, "broken-manifest");
    assert!(
        text.contains("methods[1].name") && text.contains("no other method"),
        "{text}"
    );
}

#[test]
fn text_that_is_no_json_object_is_named_with_its_place() {
    let cases: [(&[u8], &str); 5] = [
        (
            b"{\"manifest\": 1,\n \"abi\" 2}",
            "at line 2 column 8: expected JSON",
        ),
        (b"", "expected JSON"),
        (b"{\"a\": \"\xff\"}", "at byte 7: expected UTF-8"),
        (b"[1]", "at its top level: expected an object, found [1]"),
        (b"{} {}", "expected JSON"),
    ];
    for (bytes, expected) in cases {
        let (code, text) = refused(bytes);
        assert_eq!(code, "broken-manifest", "{text}");
        assert!(text.contains(expected), "{text}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(refused(deep.as_bytes()).1.contains("recursion limit"));
}

#[test]
fn a_property_type_of_a_later_version_is_taken_as_any() {
    let manifest = parse(&with("/properties/zulu/type", json!("duration"))).unwrap();
    assert_eq!(manifest.properties["zulu"].kind, PropertyKind::Any);
}

/// A manifest with a power interface, and this entry behind it.
fn with_standard(entry: serde_json::Value) -> Vec<u8> {
    with(
        "/methods",
        json!([
            {"name": "power:get", "on": "node", "run": "deferred", "time_limit_ms": 5, "description": "Reads."},
            {"name": "power:set", "on": "node", "targets": ["power on", "soft rebooting"], "async": false, "http_methods": ["GET"]},
            entry,
        ]),
    )
}

#[test]
fn standard_calls_are_apart_from_the_drivers_own_methods_and_their_manners_are_fixed() {
    let device = json!({"name": "management:set_boot_device", "on": "node", "devices": ["pxe", "x-1"]});
    let manifest = parse(&with_standard(device)).unwrap();
    assert!(manifest.methods.is_empty());
    let [get, set, device] = manifest.standard.as_slice() else {
        panic!("{:?}", manifest.standard)
    };
    assert_eq!(
        (get.call, get.method.run),
        (StandardCall::GetPower, RunKind::Deferred)
    );
    assert_eq!(get.method.time_limit, Some(Duration::from_millis(5)));
    assert!(!get.method.is_async && !get.method.require_exclusive_lock);
    assert_eq!(set.accepts, ["power on", "soft rebooting"]);
    assert!(set.method.is_async && set.method.require_exclusive_lock);
    assert_eq!(set.method.http_methods, ["PUT"]);
    assert_eq!(device.accepts, ["pxe", "x-1"]);
    assert!(!device.method.is_async && device.method.require_exclusive_lock);
}

#[test]
fn a_standard_call_that_cannot_be_is_named_with_its_place() {
    for (entry, code, expected) in [
        (
            json!({"name": "power:get", "on": "node"}),
            "broken-manifest",
            "methods[2].name: expected a name that no other",
        ),
        (
            json!({"name": "management:inject_nmi", "on": "driver"}),
            "needs-newer-host",
            "methods[2].on is \"driver\"",
        ),
        (
            json!({"name": "management:set_boot_device", "on": "node"}),
            "broken-manifest",
            "methods[2].devices: expected at least a boot device, found nothing",
        ),
        (
            json!({"name": "management:set_boot_device", "on": "node", "devices": ["A B"]}),
            "broken-manifest",
            "methods[2].devices[0]: expected a boot device",
        ),
        (
            json!({"name": "management:set_boot_device", "on": "node", "devices": ["pxe", "pxe"]}),
            "broken-manifest",
            "methods[2].devices[1]: expected a boot device that is not listed already",
        ),
    ] {
        let (found, text) = refused(&with_standard(entry));
        assert_eq!(found, code, "{text}");
        assert!(text.contains(expected), "{text}");
    }
    let (code, text) = refused(&with(
        "/methods",
        json!([{"name": "power:set", "on": "node", "targets": ["power on", "hibernate"]}]),
    ));
    assert_eq!(code, "needs-newer-host");
    assert!(text.contains("methods[0].targets[1] is \"hibernate\""), "{text}");
    let (code, text) = refused(&with("/methods", json!([{"name": "power:get", "on": "node"}])));
    assert_eq!(code, "broken-manifest");
    assert!(
        text.contains("at methods: expected power:get and power:set, or neither"),
        "{text}"
    );
}
