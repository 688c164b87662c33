//! What bodies look like.

use serde_json::{Map, Value, json};

use super::operation::schema;
use crate::call::record::RecordState;
use crate::http::nodes::fields::{Accepts, FIELDS, Field};

/// All schemas but the drivers'.
pub(super) fn all() -> Map<String, Value> {
    let entries = [
        ("Error", error()),
        ("Links", links()),
        ("Root", root()),
        ("V1", v1()),
        ("Version", version()),
        ("Health", closed(json!({"status": {"const": "ok"}}), &["status"])),
        ("Ready", ready()),
        ("Driver", driver()),
        (
            "Drivers",
            closed(json!({"drivers": list_of("Driver")}), &["drivers"]),
        ),
        ("Isolation", isolation()),
        (
            "Reset",
            closed(
                json!({"was_quarantined": {"type": "boolean"}}),
                &["was_quarantined"],
            ),
        ),
        ("Manifest", manifest()),
        ("Methods", methods()),
        ("Node", node()),
        (
            "Nodes",
            closed(json!({"nodes": list_of("Node"), "next": url()}), &["nodes"]),
        ),
        ("NodeCreate", node_create()),
        ("NodePatch", node_patch()),
        ("States", states()),
        ("Maintenance", maintenance()),
        ("Validation", validation()),
        ("Call", call()),
        (
            "Calls",
            closed(json!({"calls": list_of("Call"), "next": url()}), &["calls"]),
        ),
        ("CallEnding", call_ending()),
        ("CallError", call_error()),
    ];
    entries
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect()
}

/// An object that has no other keys.
fn closed(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn list_of(name: &str) -> Value {
    json!({"type": "array", "items": schema(name)})
}

fn texts() -> Value {
    json!({"type": "array", "items": {"type": "string"}})
}

fn url() -> Value {
    json!({"type": "string", "description": "The URL of the next page."})
}

fn maybe_text() -> Value {
    json!({"type": ["string", "null"]})
}

fn uuid() -> Value {
    json!({"type": "string", "format": "uuid"})
}

fn time() -> Value {
    json!({"type": "string", "format": "date-time"})
}

fn maybe_time() -> Value {
    json!({"type": ["string", "null"], "format": "date-time"})
}

fn error() -> Value {
    let inner = "A JSON document with `faultcode` (`Client` or `Server`), `faultstring` (for people) and `debuginfo` (null).";
    let text = json!({"type": "string", "contentMediaType": "application/json", "description": inner});
    closed(json!({"error_message": text}), &["error_message"])
}

fn links() -> Value {
    let link = closed(
        json!({"href": {"type": "string"}, "rel": {"enum": ["self", "bookmark"]}}),
        &["href", "rel"],
    );
    json!({"type": "array", "items": link})
}

fn version() -> Value {
    let text = json!({"type": "string"});
    closed(
        json!({"id": text, "links": schema("Links"), "status": text, "min_version": text, "version": text}),
        &["id", "links", "status", "min_version", "version"],
    )
}

fn root() -> Value {
    let text = json!({"type": "string"});
    closed(
        json!({
            "name": text, "description": text, "default_version": schema("Version"), "versions": list_of("Version"),
        }),
        &["name", "description", "default_version", "versions"],
    )
}

fn v1() -> Value {
    let text = json!({"type": "string"});
    let media = closed(json!({"base": text, "type": text}), &["base", "type"]);
    closed(
        json!({
            "id": text, "links": schema("Links"), "media_types": media, "nodes": schema("Links"),
            "drivers": schema("Links"), "version": schema("Version"),
        }),
        &["id", "links", "media_types", "nodes", "drivers", "version"],
    )
}

fn driver() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "hosts": texts(),
            "links": schema("Links"),
            "properties": schema("Links"),
            "type": {"const": "dynamic"},
            "isolation": schema("Isolation"),
        },
        "patternProperties": {
            "^default_[a-z]+_interface$": maybe_text(),
            "^enabled_[a-z]+_interfaces$": {"type": ["array", "null"], "items": {"type": "string"}},
        },
        "required": ["links"],
        "additionalProperties": false,
    })
}

fn ready() -> Value {
    let quarantined = json!({
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "Why no process of a driver is started, for each driver that is quarantined.",
    });
    closed(
        json!({"status": {"const": "ok"}, "drivers": texts(), "quarantined": quarantined}),
        &["status", "drivers", "quarantined"],
    )
}

fn isolation() -> Value {
    let count = |least: u32, text: &str| json!({"type": "integer", "minimum": least, "description": text});
    let processes = json!({
        "type": "array", "items": {"type": "integer"}, "description": "The ids of those that are up.",
    });
    let quarantined = json!({
        "type": ["string", "null"],
        "description": "Why none is started until somebody resets the driver; null if it is not quarantined.",
    });
    let mut whole = closed(
        json!({
            "mode": {"const": "process"},
            "processes": processes,
            "wanted": count(1, "How many there should be."),
            "deaths": count(0, "How many have died since the host started."),
            "quarantined": quarantined,
        }),
        &["mode", "processes", "wanted", "deaths", "quarantined"],
    );
    whole["description"] =
        "The processes of a driver that has some. One in the host's own process has none of this.".into();
    whole
}

fn manifest() -> Value {
    json!({
        "type": "object",
        "description": "Later versions may have more keys.",
        "properties": {
            "manifest": {"const": 1}, "abi": {"type": "string"}, "target": {"type": "string"}, "name": {"type": "string"},
            "version": {"type": "string"}, "description": {"type": ["string", "null"]},
            "properties": {"type": ["object", "null"]}, "methods": {"type": ["array", "null"]},
        },
        "required": ["manifest", "abi", "target", "name", "version"],
    })
}

fn methods() -> Value {
    let method = closed(
        json!({
            "http_methods": texts(), "async": {"type": "boolean"}, "description": {"type": "string"}, "attach": {"type": "boolean"},
            "require_exclusive_lock": {"type": "boolean", "description": "Only methods of nodes have it."},
        }),
        &["http_methods", "async", "description", "attach"],
    );
    json!({"type": "object", "additionalProperties": method})
}

fn node() -> Value {
    let mut properties: Map<String, Value> = FIELDS
        .iter()
        .map(|field| (field.name.to_owned(), shown(field)))
        .collect();
    properties.insert("links".to_owned(), schema("Links"));
    closed(properties.into(), &["links"])
}

/// A field as it is shown.
fn shown(field: &Field) -> Value {
    let mut whole = match (field.name, field.accepts) {
        ("uuid", _) => uuid(),
        ("created_at", _) => time(),
        ("updated_at" | "inspection_finished_at" | "inspection_started_at" | "provision_updated_at", _) => {
            maybe_time()
        }
        ("driver" | "provision_state", _) => json!({"type": "string"}),
        ("maintenance" | "protected" | "retired" | "console_enabled", _) => json!({"type": "boolean"}),
        ("secure_boot", _) | (_, Some(Accepts::Bool)) => json!({"type": ["boolean", "null"]}),
        ("traits", _) => texts(),
        ("states", _) => schema("Links"),
        ("clean_step" | "deploy_step" | "driver_internal_info" | "raid_config" | "target_raid_config", _)
        | (_, Some(Accepts::Object)) => json!({"type": "object"}),
        (_, Some(Accepts::Uuid)) => json!({"type": ["string", "null"], "format": "uuid"}),
        _ => maybe_text(),
    };
    let mut text = format!("From version 1.{} on.", field.since);
    if field.accepts.is_none() {
        text.push_str(" Only the host sets it.");
        whole["readOnly"] = true.into();
    }
    whole["description"] = text.into();
    whole
}

fn node_create() -> Value {
    let mut properties: Map<String, Value> = FIELDS
        .iter()
        .filter_map(|field| Some((field.name.to_owned(), taken(field, field.accepts?))))
        .collect();
    properties.insert(
        "uuid".to_owned(),
        json!({"type": ["string", "null"], "format": "uuid"}),
    );
    closed(properties.into(), &["driver"])
}

/// A field as it is given.
fn taken(field: &Field, accepts: Accepts) -> Value {
    let mut whole = match accepts {
        Accepts::Text(most) if field.name == "driver" => json!({"type": "string", "maxLength": most}),
        Accepts::Text(most) => json!({"type": ["string", "null"], "maxLength": most}),
        Accepts::Bool => json!({"type": ["boolean", "string", "null"]}),
        Accepts::Uuid => json!({"type": ["string", "null"], "format": "uuid"}),
        Accepts::Object => json!({"type": ["object", "null"]}),
        Accepts::Interface => maybe_text(),
    };
    let mut text = format!("From version 1.{} on.", field.since);
    if field.name == "driver_info" {
        text.push_str(" What each driver reads from it stands here as NAME.driver_info.");
    }
    whole["description"] = text.into();
    whole
}

fn node_patch() -> Value {
    let operation = closed(
        json!({
            "op": {"enum": ["add", "replace", "remove"]},
            "path": {"type": "string", "pattern": "^/", "description": "A JSON pointer into the node."},
            "value": {},
        }),
        &["op", "path"],
    );
    json!({
        "type": "array", "items": operation, "maxItems": 1000,
        "description": "RFC 6902. Removing a field itself resets it.",
    })
}

fn states() -> Value {
    closed(
        json!({
            "console_enabled": {"type": "boolean"},
            "last_error": maybe_text(),
            "power_state": maybe_text(),
            "provision_state": {"type": "string"},
            "target_power_state": maybe_text(),
            "target_provision_state": maybe_text(),
            "provision_updated_at": maybe_time(),
            "raid_config": {"type": "object"},
            "target_raid_config": {"type": "object"},
            "boot_mode": maybe_text(),
            "secure_boot": {"type": ["boolean", "null"]},
        }),
        &[
            "power_state",
            "provision_state",
            "last_error",
            "target_power_state",
        ],
    )
}

fn maintenance() -> Value {
    json!({"type": "object", "properties": {"reason": maybe_text()}, "additionalProperties": false})
}

fn validation() -> Value {
    let result = closed(
        json!({"result": {"type": ["boolean", "null"]}, "reason": {"type": "string"}}),
        &["result"],
    );
    json!({"type": "object", "additionalProperties": result})
}

fn call() -> Value {
    closed(
        json!({
            "id": uuid(),
            "state": {"enum": record_states()},
            "driver": {"type": "string"},
            "method": {"type": "string"},
            "node_uuid": {"type": ["string", "null"], "format": "uuid"},
            "host": {"type": "string"},
            "request_id": {"type": "string"},
            "started_at": time(),
            "stuck": {
                "type": "boolean",
                "description": "The driver has not returned long after the deadline, and nobody can end the call but the driver.",
            },
            "cancel_requested_at": maybe_time(),
            "finished_at": maybe_time(),
            "error": {"anyOf": [schema("CallError"), {"type": "null"}]},
            "result": {"description": "The driver's JSON. Only a single record is shown with it."},
            "late_outcome": {"anyOf": [schema("CallEnding"), {"type": "null"}]},
            "links": schema("Links"),
        }),
        &[
            "id",
            "state",
            "driver",
            "method",
            "node_uuid",
            "host",
            "request_id",
            "started_at",
            "stuck",
            "error",
            "links",
        ],
    )
}

fn call_ending() -> Value {
    closed(
        json!({
            "state": {"enum": record_states()},
            "finished_at": time(),
            "error": {"anyOf": [schema("CallError"), {"type": "null"}]},
            "result": {},
        }),
        &["state", "finished_at", "error"],
    )
}

fn call_error() -> Value {
    json!({
        "type": "object",
        "properties": {
            "kind": {"type": "string"}, "message": {"type": "string"}, "details": {"description": "For programs, if the driver gave some."},
        },
        "required": ["kind", "message"],
    })
}

fn record_states() -> Vec<&'static str> {
    RecordState::ALL.iter().map(|state| state.word()).collect()
}
