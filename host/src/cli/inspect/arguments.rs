//! The arguments of methods, as far as their schemas list them.

use serde_json::{Map, Value};

use crate::cli::table::table;
use crate::plugin::{DriverManifest, Method, Schema, printable};

/// One table for each method whose arguments are an object with known keys.
pub(super) fn tables(manifest: &DriverManifest, width: usize) -> String {
    let tables = manifest.methods.iter().filter_map(|method| {
        let rows = rows(method.body_schema.as_ref()?);
        let title = format!("ARGUMENT OF {}", method.name);
        (!rows.is_empty()).then(|| {
            format!(
                "\n{}",
                table([&title, "TYPE", "NEEDED", "DESCRIPTION"], &rows, width)
            )
        })
    });
    tables.collect()
}

/// Whether the arguments of a method have a table of their own.
pub(super) fn are_listed(method: &Method) -> bool {
    method
        .body_schema
        .as_ref()
        .is_some_and(|schema| !rows(schema).is_empty())
}

fn rows(schema: &Schema) -> Vec<[String; 4]> {
    let whole = schema.json();
    let top = followed(whole, whole);
    let required: Vec<&str> = array(top, "required").iter().filter_map(Value::as_str).collect();
    let properties = top.get("properties").and_then(Value::as_object);
    let properties = properties.map(Map::iter).into_iter().flatten();
    let row = |(name, property): (&String, &Value)| {
        let property = followed(whole, property);
        let needed = if required.contains(&name.as_str()) {
            "required"
        } else {
            "optional"
        };
        [
            printable(name),
            kind(property),
            needed.to_owned(),
            printable(&facts(property)),
        ]
    };
    properties.map(row).collect()
}

/// What a reference leads to. Schemas do not refer to themselves, so this ends.
fn followed<'a>(whole: &'a Value, mut schema: &'a Value) -> &'a Value {
    while let Some(target) = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| whole.pointer(reference.strip_prefix('#')?))
    {
        schema = target;
    }
    schema
}

fn array<'a>(schema: &'a Value, key: &str) -> &'a [Value] {
    schema
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn kind(schema: &Value) -> String {
    match schema.get("type") {
        Some(Value::String(kind)) => printable(kind),
        // That it may be null says no more than that it may be left out.
        Some(Value::Array(kinds)) => {
            let kinds = kinds
                .iter()
                .filter_map(Value::as_str)
                .filter(|kind| *kind != "null");
            printable(&kinds.collect::<Vec<_>>().join("|"))
        }
        _ => "any".to_owned(),
    }
}

fn facts(schema: &Value) -> String {
    let mut facts: Vec<String> = schema
        .get("description")
        .and_then(Value::as_str)
        .map(str::to_owned)
        .into_iter()
        .collect();
    if schema.get("writeOnly") == Some(&Value::Bool(true)) {
        facts.push("[secret]".to_owned());
    }
    facts.extend(super::choices(array(schema, "enum")));
    for [least, most, unit] in [
        ["minimum", "maximum", ""],
        ["minLength", "maxLength", " characters"],
        ["minItems", "maxItems", " items"],
    ] {
        let bounds = [least, most].map(|key| schema.get(key).map(Value::to_string));
        facts.extend(super::bounds(&bounds, unit));
    }
    for (key, word) in [("pattern", "matches"), ("default", "default")] {
        facts.extend(schema.get(key).map(|value| format!("[{word} {value}]")));
    }
    facts.join(" ")
}
