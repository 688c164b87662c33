//! The document says what the router knows, and nothing else.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::document;
use crate::http::routes;
use crate::plugin::DriverManifest;
use crate::plugin::manifest::parse;

fn manifest(name: &str, methods: &Value) -> DriverManifest {
    let manifest = json!({
        "manifest": 1, "abi": "1.0.0", "target": "any", "name": name, "version": "1.0.0", "description": "Does.",
        "properties": {"port": {"type": "integer", "default": 623, "minimum": 1}, "pin": {"required": true, "secret": true}},
        "methods": methods,
    });
    parse(manifest.to_string().as_bytes()).unwrap()
}

fn body(document: &Value, path: &str, verb: &str) -> Value {
    document["paths"][path][verb]["requestBody"]["content"]["application/json"]["schema"].clone()
}

/// All references of the document.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_route_is_in_the_document_and_nothing_else_but_the_calls_of_drivers() {
    let document = document(&[], "http://localhost");
    let documented: BTreeSet<&str> = document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .filter(|path| !path.contains("/vendor_passthru"))
        .collect();
    let known: BTreeSet<&str> = routes::paths().into_iter().collect();
    assert_eq!(documented, known);
}

#[test]
fn the_methods_of_drivers_stand_under_their_names_with_their_schemas() {
    let methods = json!([
        {"name": "blink", "on": "driver", "http_methods": ["PUT"], "body_schema":
            {"properties": {"how": {"$ref": "#/$defs/how"}}, "$defs": {"how": {"type": "string"}}}},
        {"name": "light", "on": "node", "async": false, "body_schema": {"type": "object"}, "reply_schema": {"type": "integer"}},
    ]);
    let other = json!([{"name": "light", "on": "node", "http_methods": ["POST", "GET"]}]);
    let (one, two) = (manifest("one", &methods), manifest("two", &other));
    let whole = document(&[&one], "");
    assert_eq!(
        body(&whole, "/v1/drivers/one/vendor_passthru/blink", "put"),
        json!({"$ref": "#/components/schemas/one.driver.blink.body"})
    );
    assert_eq!(
        whole["components"]["schemas"]["one.driver.blink.body"]["properties"]["how"]["$ref"],
        "#/components/schemas/one.driver.blink.body/$defs/how"
    );
    let light = "/v1/nodes/{node}/vendor_passthru/light";
    assert_eq!(
        body(&whole, light, "post"),
        json!({"$ref": "#/components/schemas/one.node.light.body"})
    );
    assert_eq!(
        whole["paths"][light]["post"]["responses"]["200"]["content"]["application/json"]["schema"],
        json!({"$ref": "#/components/schemas/one.node.light.reply"})
    );
    assert_eq!(
        whole["components"]["schemas"]["one.driver_info"]["required"],
        json!(["pin"])
    );
    assert_eq!(
        whole["components"]["schemas"]["one.driver_info"]["properties"]["port"],
        json!({"type": "integer", "description": "", "default": 623, "minimum": 1})
    );
    // The same method of another driver, which takes anything.
    let both = document(&[&one, &two], "");
    assert_eq!(body(&both, light, "post"), json!({}));
    assert!(both["paths"][light]["get"].is_object());
    let responses = &both["paths"][light]["post"]["responses"];
    assert!(
        responses["200"].is_object() && responses["202"].is_object(),
        "{responses}"
    );
}

#[test]
fn every_reference_leads_somewhere_and_every_operation_has_an_id_of_its_own() {
    let methods = json!([{"name": "a", "on": "node", "body_schema": {"$ref": "#/$defs/~0~1", "$defs": {"~/": {"type": "null"}}}}]);
    let manifest = manifest("one", &methods);
    let document = document(&[&manifest], "http://localhost");
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 500, "{}", found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let operations = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap());
    let ids: Vec<&str> = operations
        .filter_map(|(_, operation)| operation["operationId"].as_str())
        .collect();
    let distinct: BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(ids.len(), distinct.len());
    assert!(ids.len() > 50, "{}", ids.len());
}
