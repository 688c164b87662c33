//! The schemas that types bring into the manifest.

// Functions beside the tests are part of them.
#![allow(clippy::unwrap_used)]

use std::borrow::Cow;
use std::collections::BTreeMap;

use driver_sdk::prelude::*;

/// All kinds of fields.
#[derive(Deserialize, Serialize, Schema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Everything {
    /// A text with "quotes".
    plain_text: String,
    r#type: bool,
    #[serde(rename = "in")]
    place: Box<str>,
    #[schema(length = 1..=8, pattern = "^[a-z]+$")]
    code: String,
    #[schema(secret)]
    password: Option<String>,
    #[schema(range = -5..)]
    offset: i32,
    factor: f64,
    #[serde(default)]
    absent: u64,
    colour: Option<Colour>,
    #[schema(length = ..=3)]
    zones: Vec<Zone>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<BTreeMap<String, i8>>,
    anything: Value,
    name: Name,
    inner: Option<Box<Zone>>,
}

#[derive(Deserialize, Serialize, Schema)]
#[serde(default)]
struct Zone {
    port: u16,
}

impl Default for Zone {
    fn default() -> Self {
        Zone { port: 80 }
    }
}

#[derive(Deserialize, Serialize, Schema)]
#[serde(rename_all = "kebab-case")]
enum Colour {
    DarkBlue,
    #[serde(rename = "AMBER")]
    Amber,
}

/// Not empty.
#[derive(Deserialize, Serialize, Schema)]
struct Name(#[schema(length = 1..)] String);

#[derive(Deserialize, Schema)]
struct Borrowed<'a> {
    #[serde(borrow)]
    word: Cow<'a, str>,
}

#[derive(Deserialize, Serialize)]
struct Without {
    word: String,
}

struct Schemas;

/// Shows schemas.
#[driver(name = "schemas")]
impl Schemas {
    #[create]
    fn new() -> Result<Self, Fault> {
        Ok(Schemas)
    }

    /// Takes and gives a type with a schema.
    #[node_method(async = false)]
    fn everything(&self, args: Everything) -> Result<Everything, Fault> {
        Ok(args)
    }

    /// Gives a list.
    #[driver_method]
    fn list(&self, args: Borrowed<'_>) -> Result<Vec<Zone>, Fault> {
        let _ = args.word;
        Ok(vec![Zone::default()])
    }

    /// Takes and gives types without one.
    #[driver_method]
    fn without(&self, args: Without) -> Result<String, Fault> {
        Ok(args.word)
    }

    /// Takes what is passed on.
    #[driver_method]
    fn raw(&self, args: RawJson) -> Result<Value, Fault> {
        Ok(json!(args.as_bytes().len()))
    }

    /// The file wins.
    #[driver_method(body_schema = "tests/light.json", reply_schema = "tests/light.json")]
    fn file(&self, args: Zone) -> Result<Zone, Fault> {
        Ok(args)
    }

    /// Answers later.
    #[node_method]
    fn later(&self, args: Colour, completion: Completion<Zone>) {
        let _ = args;
        completion.complete(Ok(Zone::default()));
    }

    /// Answers bytes.
    #[driver_method(attach)]
    fn bytes(&self) -> Result<Attachment, Fault> {
        Err(Fault::unsupported("no bytes"))
    }
}

fn method(name: &str) -> Value {
    let manifest: Value = serde_json::from_str(<Schemas as driver_sdk::Driver>::MANIFEST).unwrap();
    let methods = manifest["methods"].as_array().unwrap();
    methods
        .iter()
        .find(|method| method["name"] == name)
        .unwrap()
        .clone()
}

fn zone() -> Value {
    json!({"type": "object", "properties": {"port": {"type": "integer", "minimum": 0, "maximum": 65535}}})
}

#[test]
fn the_schema_of_a_type_follows_its_fields_and_serdes_attributes() {
    let expected = json!({
        "type": "object",
        "description": "All kinds of fields.",
        "properties": {
            "plainText": {"type": "string", "description": "A text with \"quotes\"."},
            "type": {"type": "boolean"},
            "in": {"type": "string"},
            "code": {"type": "string", "minLength": 1, "maxLength": 8, "pattern": "^[a-z]+$"},
            "password": {"type": ["string", "null"], "writeOnly": true},
            "offset": {"type": "integer", "minimum": -5, "maximum": 2_147_483_647},
            "factor": {"type": "number"},
            "absent": {"type": "integer", "minimum": 0, "maximum": u64::MAX},
            "colour": {"type": ["string", "null"], "enum": ["dark-blue", "AMBER", null]},
            "zones": {"type": "array", "maxItems": 3, "items": zone()},
            "labels": {
                "type": ["object", "null"],
                "additionalProperties": {"type": "integer", "minimum": -128, "maximum": 127},
            },
            "anything": {},
            "name": {"type": "string", "description": "Not empty.", "minLength": 1},
            "inner": {
                "type": ["object", "null"],
                "properties": {"port": {"type": "integer", "minimum": 0, "maximum": 65535}},
            },
        },
        "required": ["plainText", "type", "in", "code", "offset", "factor", "zones", "anything", "name"],
        "additionalProperties": false,
    });
    let method = method("everything");
    assert_eq!(method["body_schema"], expected);
    assert_eq!(method["reply_schema"], expected);
}

#[test]
fn what_the_schema_calls_optional_serde_can_do_without() {
    let bench = driver_sdk::TestBench::new::<Schemas>(json!({})).unwrap();
    let least = json!({
        "plainText": "a", "type": true, "in": "b", "code": "c", "offset": 1, "factor": 1, "zones": [{}],
        "anything": null, "name": "d",
    });
    let call = |args: &Value| {
        bench
            .node_method("everything", json!({}))
            .args(args.clone())
            .run()
    };
    assert_eq!(call(&least).unwrap()["zones"], json!([{"port": 80}]));
    for required in least.as_object().unwrap().keys() {
        let mut less = least.clone();
        less.as_object_mut().unwrap().remove(required);
        let fault = call(&less).unwrap_err();
        let text = format!("Parameter '{required}' not passed to method 'everything'.");
        assert_eq!(fault.message(), text);
    }
}

#[test]
fn only_types_that_derive_it_bring_a_schema() {
    let list = method("list");
    let word = json!({"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]});
    assert_eq!(list["body_schema"], word);
    assert_eq!(list["reply_schema"], json!({"type": "array", "items": zone()}));
    for name in ["without", "raw", "bytes"] {
        let method = method(name);
        assert!(
            method.get("body_schema").is_none() && method.get("reply_schema").is_none(),
            "{method}"
        );
    }
    let later = method("later");
    assert_eq!(
        later["body_schema"],
        json!({"type": "string", "enum": ["dark-blue", "AMBER"]})
    );
    assert_eq!(later["reply_schema"], zone());
}

#[test]
fn a_schema_from_a_file_takes_the_place_of_the_types_own() {
    let file: Value = serde_json::from_str(include_str!("light.json")).unwrap();
    let method = method("file");
    assert_eq!((&method["body_schema"], &method["reply_schema"]), (&file, &file));
}
