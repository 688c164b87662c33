//! The drivers' own methods: for any driver, and for each that is there.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::operation::{Operation, Paths, schema, text};
use crate::http::error::documented::{CALL, NAMED};
use crate::http::vendor_passthru::VERBS;
use crate::plugin::manifest::{CalledOn, Method, Property, PropertyKind};
use crate::plugin::{DriverManifest, Schema};

/// Any driver's.
const TAG: &str = "vendor_passthru";

/// The tag of a driver's methods.
pub(super) fn tag(manifest: &DriverManifest) -> String {
    format!("driver {}", manifest.name)
}

pub(super) fn add(paths: &mut Paths, schemas: &mut Map<String, Value>, manifests: &[&DriverManifest]) {
    any(paths, "drivers", "/v1/drivers/{driver}", "a driver");
    any(paths, "nodes", "/v1/nodes/{node}", "a node's driver");
    any(paths, "node", "/v1/{node}", "a node's driver, at a shorter path,");
    let mut of_nodes: BTreeMap<&str, Vec<Declared<'_>>> = BTreeMap::new();
    for manifest in manifests {
        if !manifest.properties.is_empty() {
            schemas.insert(format!("{}.driver_info", manifest.name), driver_info(manifest));
        }
        for method in &manifest.methods {
            let declared = Declared::new(manifest, method, schemas);
            match method.on {
                CalledOn::Driver => declared.add(paths),
                CalledOn::Node => of_nodes.entry(&method.name).or_default().push(declared),
            }
        }
    }
    for (name, declared) in of_nodes {
        add_of_nodes(paths, name, &declared);
    }
}

/// The calls of methods that this document does not know by name, in Ironic's two forms, and their list.
fn any(paths: &mut Paths, id: &str, subject: &str, whose: &str) {
    for verb in VERBS {
        let call = |form: &str| {
            let summary = format!("Call a method of {whose} with {verb}");
            answers_of_any(Operation::new(&format!("{id}.{form}.{verb}"), TAG, &summary))
                .body(json!({}), false)
        };
        let by_argument = call("vendor_passthru").required_query(
            "method",
            json!({"type": "string", "minLength": 1}),
            "The method's name.",
        );
        paths.add(verb, &format!("{subject}/vendor_passthru"), by_argument);
        paths.add(
            verb,
            &format!("{subject}/vendor_passthru/{{method}}"),
            call("method"),
        );
    }
    paths.add(
        "GET",
        &format!("{subject}/vendor_passthru/methods"),
        Operation::new(
            &format!("{id}.methods"),
            TAG,
            &format!("List the methods of {whose}"),
        )
        .answers(200, "The methods by name.", schema("Methods"))
        .refuses(&NAMED),
    );
}

fn answers_of_any(operation: Operation) -> Operation {
    accepted(
        operation
            .answers_with(200, "The reply of a sync method.", "*/*", json!({}), &[])
            .refuses(&CALL),
    )
}

fn accepted(operation: Operation) -> Operation {
    let text = "The async method has begun; `Location` points at the record that will have its result.";
    operation.answers_nothing(202, text, &[("Location", "CallLocation")])
}

/// A method as one driver declares it, with its schemas in the document.
struct Declared<'a> {
    manifest: &'a DriverManifest,
    method: &'a Method,
    body: Option<Value>,
    reply: Option<Value>,
}

impl<'a> Declared<'a> {
    fn new(manifest: &'a DriverManifest, method: &'a Method, schemas: &mut Map<String, Value>) -> Self {
        let on = match method.on {
            CalledOn::Node => "node",
            CalledOn::Driver => "driver",
        };
        let mut place = |what: &str, of: Option<&Schema>| {
            let name = format!("{}.{on}.{}.{what}", manifest.name, method.name);
            let reference = schema(&name);
            schemas.insert(
                name.clone(),
                of?.placed_at(&format!("#/components/schemas/{name}")),
            );
            Some(reference)
        };
        Declared {
            manifest,
            method,
            body: place("body", method.body_schema.as_ref()),
            reply: place("reply", method.reply_schema.as_ref()),
        }
    }

    fn add(self, paths: &mut Paths) {
        let (driver, name) = (&self.manifest.name, &self.method.name);
        for verb in &self.method.http_methods {
            let id = format!("drivers.{driver}.{name}.{verb}");
            let operation = self.answers(Operation::new(&id, &tag(self.manifest), &self.summary()));
            let body = self.body.clone().unwrap_or_else(|| json!({}));
            let operation = operation.body(body, self.body.is_some()).refuses(&CALL);
            paths.add(
                verb,
                &format!("/v1/drivers/{driver}/vendor_passthru/{name}"),
                operation,
            );
        }
    }

    fn summary(&self) -> String {
        match self.method.description.as_str() {
            "" => format!("Call {} of the driver {}", self.method.name, self.manifest.name),
            text => text.to_owned(),
        }
    }

    /// What it answers, besides its faults.
    fn answers(&self, operation: Operation) -> Operation {
        if self.method.is_async {
            return accepted(operation);
        }
        if self.method.attach {
            return operation.answers_with(
                200,
                "Bytes, with the media type that the driver names.",
                "*/*",
                json!({}),
                &[],
            );
        }
        operation.answers(
            200,
            "The driver's reply.",
            self.reply.clone().unwrap_or_else(|| json!({})),
        )
    }
}

/// A method of nodes: which driver answers depends on the node.
fn add_of_nodes(paths: &mut Paths, name: &str, declared: &[Declared<'_>]) {
    let mut verbs: Vec<&str> = declared
        .iter()
        .flat_map(|one| one.method.http_methods.iter().map(String::as_str))
        .collect();
    verbs.sort_unstable();
    verbs.dedup();
    for verb in verbs {
        let having: Vec<&Declared<'_>> = declared
            .iter()
            .filter(|one| one.method.http_methods.iter().any(|known| known == verb))
            .collect();
        let [first, others @ ..] = having.as_slice() else {
            continue;
        };
        let drivers: Vec<&str> = having.iter().map(|one| one.manifest.name.as_str()).collect();
        let mut operation = Operation::new(
            &format!("nodes.{name}.{verb}"),
            &tag(first.manifest),
            &first.summary(),
        )
        .description(&format!("Of nodes whose driver is {}.", drivers.join(" or ")));
        // One that takes anything takes what the others take.
        let bodies: Option<Vec<Value>> = having.iter().map(|one| one.body.clone()).collect();
        let required = bodies.is_some();
        let body = match bodies.as_deref() {
            None => json!({}),
            Some([body]) => body.clone(),
            Some(bodies) => json!({"anyOf": bodies}),
        };
        operation = operation.body(body, required);
        operation = match others {
            [] => first.answers(operation),
            _ if having.iter().all(|one| one.method.is_async) => accepted(operation),
            _ => answers_of_any(operation),
        };
        paths.add(
            verb,
            &format!("/v1/nodes/{{node}}/vendor_passthru/{name}"),
            operation.refuses(&CALL),
        );
    }
}

/// What a node's `driver_info` may say to a driver. Other keys are left alone.
fn driver_info(manifest: &DriverManifest) -> Value {
    let properties: Map<String, Value> = manifest
        .properties
        .iter()
        .map(|(name, property)| (name.clone(), described(property)))
        .collect();
    let required = manifest
        .properties
        .iter()
        .filter(|(_, property)| property.required);
    let required: Vec<&str> = required.map(|(name, _)| name.as_str()).collect();
    json!({
        "type": "object",
        "description": format!("What the driver {} reads from a node's `driver_info`.", manifest.name),
        "properties": properties,
        "required": required,
    })
}

fn described(property: &Property) -> Value {
    let mut whole = text();
    match property.kind {
        PropertyKind::Any => {
            whole = json!({});
        }
        kind => whole["type"] = kind.word().into(),
    }
    whole["description"] = property.description.as_str().into();
    if property.secret {
        whole["writeOnly"] = true.into();
    }
    if let Some(default) = property.default.as_ref().filter(|_| !property.secret) {
        whole["default"] = default.clone();
    }
    if !property.choices.is_empty() {
        whole["enum"] = property.choices.clone().into();
    }
    for (key, bound) in [("minimum", &property.minimum), ("maximum", &property.maximum)] {
        if let Some(bound) = bound {
            whole[key] = Value::Number(bound.clone());
        }
    }
    whole
}
