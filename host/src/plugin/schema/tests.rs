//! What a schema may be, and what a body that does not fit is told.

use serde_json::json;

use super::*;

fn schema(json: Value) -> Schema {
    Schema::new(json, &mut Budget::default()).unwrap()
}

fn refused(json: Value) -> SchemaFault {
    Schema::new(json, &mut Budget::default()).unwrap_err()
}

fn light() -> Schema {
    schema(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://example.org/light",
        "type": "object",
        "properties": {
            "brightness": {"type": "integer", "minimum": 0, "maximum": 100},
            "colour": {"enum": ["blue", "amber"]},
            "code": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 4},
            "zone": {"$ref": "#/$defs/zone"},
            "hidden": {"type": "string", "writeOnly": true, "maxLength": 3},
            "bmc_password": {"type": "string", "maxLength": 3},
        },
        "required": ["brightness"],
        "additionalProperties": false,
        "$defs": {"zone": {"type": ["object", "null"], "properties": {"a/b": {"type": "array", "items": {"type": "number"}}}}},
    }))
}

#[track_caller]
fn misfit(body: &str, expected: &str) {
    let is_secret = |key: &str| key.contains("password");
    let text = light()
        .check(body.as_bytes(), &is_secret)
        .unwrap_err()
        .to_string();
    assert_eq!(text, expected);
}

#[test]
fn a_body_that_fits_passes() {
    for body in [
        r#"{"brightness": 50}"#,
        r#"{"brightness": 0, "colour": "blue", "code": "abc", "zone": {"a/b": [1, 2.5]}}"#,
        r#"{"brightness": 100.0, "zone": null}"#,
    ] {
        light().check(body.as_bytes(), &|_| false).unwrap();
    }
}

#[test]
fn a_misfit_says_where_and_which_rule_and_what_was_found() {
    misfit("{}", "at /brightness: expected it (required), found nothing");
    misfit("7", "at its top level: expected an object (type), found 7");
    misfit(
        "[1, 2]",
        "at its top level: expected an object (type), found an array of 2",
    );
    misfit(
        r#"{"brightness": 101}"#,
        "at /brightness: expected at most 100 (maximum), found 101",
    );
    misfit(
        r#"{"brightness": "x"}"#,
        r#"at /brightness: expected an integer (type), found the string "x""#,
    );
    misfit(
        r#"{"brightness": 1, "colour": "red"}"#,
        r#"at /colour: expected one of "blue", "amber" (enum), found the string "red""#,
    );
    misfit(
        r#"{"brightness": 1, "code": "A"}"#,
        r#"at /code: expected a text that matches "^[a-z]+$" (pattern), found the string "A""#,
    );
    misfit(
        r#"{"brightness": 1, "zone": {"a/b": [1, "two"]}}"#,
        r#"at /zone/a~1b/1: expected a number (type), found the string "two""#,
    );
    misfit(
        r#"{"brightness": 1, "zone": 5}"#,
        "at /zone: expected an object or null (type), found 5",
    );
    misfit(
        r#"{"brightness": 1, "bright": 2, "dark": 3}"#,
        "at its top level: expected only the keys brightness, colour, code, zone, hidden, bmc_password (additionalProperties), found bright, dark",
    );
}

#[test]
fn several_misfits_are_told_at_once_but_not_all() {
    misfit(
        r#"{"colour": 1, "code": 2}"#,
        r#"at /colour: expected one of "blue", "amber" (enum), found 1; at /code: expected a string (type), found 2; at /brightness: expected it (required), found nothing"#,
    );
    let text = light()
        .check(br#"{"colour": 1, "code": 2, "zone": 3, "hidden": 4}"#, &|_| false)
        .unwrap_err()
        .to_string();
    assert!(text.ends_with("; and more"), "{text}");
}

#[test]
fn the_value_of_a_secret_is_in_no_misfit() {
    for key in ["hidden", "bmc_password"] {
        misfit(
            &json!({"brightness": 1, key: "hunter2"}).to_string(),
            &format!("at /{key}: expected at most 3 characters (maxLength), found a string"),
        );
        misfit(
            &json!({"brightness": 1, key: 12345}).to_string(),
            &format!("at /{key}: expected a string (type), found a number"),
        );
    }
}

#[test]
fn long_values_are_cut_and_control_characters_shown_as_escapes() {
    let body = json!({"brightness": 1, "code": format!("{}\u{202e}\n", "x".repeat(100_000))});
    let text = light()
        .check(body.to_string().as_bytes(), &|_| false)
        .unwrap_err()
        .to_string();
    assert!(
        text.len() < 400 && text.contains('…') && !text.contains('\n'),
        "{text}"
    );
    let body = json!({"brightness": 1, "x\ny": 1, "k".repeat(100_000): 2});
    let text = light()
        .check(body.to_string().as_bytes(), &|_| false)
        .unwrap_err()
        .to_string();
    assert!(text.len() < 500 && !text.contains('\n'), "{text}");
}

#[test]
fn a_key_that_is_there_twice_is_refused_since_the_driver_may_read_the_other() {
    misfit(
        r#"{"brightness": 1, "brightness": 900}"#,
        "the key \"brightness\" is there twice at line 1 column 30",
    );
}

#[test]
fn a_number_that_cannot_be_kept_is_refused() {
    misfit(
        r#"{"brightness": 1e400}"#,
        "number out of range at line 1 column 20",
    );
}

#[test]
fn a_schema_that_is_broken_says_where() {
    for (json, at, expected) in [
        (
            json!({"type": "objekt"}),
            "/type",
            "what JSON Schema 2020-12 allows there",
        ),
        (
            json!({"properties": {"a": {"minimum": "1"}}}),
            "/properties/a/minimum",
            "2020-12",
        ),
        (
            json!({"properties": {"a": 5}}),
            "/properties/a",
            "a schema: an object, true or false",
        ),
        (json!({"pattern": "("}), "/pattern", "2020-12"),
        (
            json!({"$ref": "https://example.org/x"}),
            "/$ref",
            "nothing is fetched",
        ),
        (
            json!({"$ref": "file:///etc/passwd"}),
            "/$ref",
            "nothing is fetched",
        ),
        (
            json!({"$ref": "#/$defs/none"}),
            "/$ref",
            "a reference to a schema that is there",
        ),
        (
            json!({"properties": {"a": {"$anchor": "x"}}}),
            "/properties/a/$anchor",
            "#/$defs/name",
        ),
        (
            json!({"properties": {"a": {"$id": "x"}}}),
            "/properties/a/$id",
            "an $id at the top level",
        ),
        (
            json!({"$schema": "http://json-schema.org/draft-07/schema#"}),
            "/$schema",
            "2020-12",
        ),
    ] {
        let fault = refused(json.clone());
        assert_eq!(fault.at, at, "{json}: {fault:?}");
        assert!(fault.expected.contains(expected), "{json}: {fault:?}");
    }
}

#[test]
fn a_schema_that_could_keep_the_host_busy_is_refused() {
    for json in [
        json!({"$ref": "#"}),
        json!({"items": {"$ref": "#"}}),
        json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}),
    ] {
        let fault = refused(json.clone());
        assert_eq!(fault.expected, "a schema that does not refer to itself", "{json}");
    }
    // Each one twice the one before.
    let mut defs = serde_json::Map::new();
    for i in 0..20 {
        let next = json!({"$ref": format!("#/$defs/{}", i + 1)});
        defs.insert(i.to_string(), json!({"allOf": [next, next]}));
    }
    defs.insert("20".to_owned(), json!({"type": "object"}));
    let fault = refused(json!({"$ref": "#/$defs/0", "$defs": defs}));
    assert!(fault.expected.starts_with("at most 10000 schemas"), "{fault:?}");
    let mut defs = serde_json::Map::new();
    for i in 0..5_000 {
        defs.insert(i.to_string(), json!({"$ref": format!("#/$defs/{}", i + 1)}));
    }
    defs.insert("5000".to_owned(), json!(true));
    let fault = refused(json!({"$ref": "#/$defs/0", "$defs": defs}));
    assert!(fault.expected.starts_with("at most 64 schemas"), "{fault:?}");
}

#[test]
fn regular_expressions_are_bounded_in_size_number_and_time() {
    let fault = refused(json!({"pattern": "((a{100}){100}){100}"}));
    assert_eq!(fault.at, "/pattern");
    let fault = refused(json!({"pattern": "(a)\\1"}));
    assert_eq!(fault.at, "/pattern");
    let many = (0..201)
        .map(|i| (format!("^{i}$"), json!(true)))
        .collect::<serde_json::Map<_, _>>();
    assert!(
        refused(json!({"patternProperties": many}))
            .expected
            .contains("at most 200 regular expressions")
    );
    // A text on which an engine that tries all ways would not end.
    let slow = schema(json!({"pattern": "^(a+)+$"}));
    let text = json!(format!("{}b", "a".repeat(50_000))).to_string();
    assert!(slow.check(text.as_bytes(), &|_| false).is_err());
}

#[test]
fn a_schema_in_a_larger_document_refers_to_its_own_place() {
    let placed = light().placed_at("#/components/schemas/light");
    assert!(placed.get("$id").is_none() && placed.get("$schema").is_none());
    assert_eq!(
        placed["properties"]["zone"]["$ref"],
        "#/components/schemas/light/$defs/zone"
    );
    let kept = schema(json!({"const": {"$ref": "#/x"}}));
    assert_eq!(
        kept.placed_at("#/y")["const"]["$ref"],
        "#/x",
        "a value is no schema"
    );
}
