//! The host's own resources: versions, drivers, records, health.

use serde_json::{Value, json};

use super::operation::{Operation, Paths, schema, text};
use crate::call::record::RecordState;
use crate::http::error::documented::{CANCELLATION, NAMED, READ};

pub(super) fn add(paths: &mut Paths) {
    let get = |paths: &mut Paths, path: &str, operation| paths.add("GET", path, operation);
    get(
        paths,
        "/",
        Operation::new("root", "host", "The versions of the API").answers(
            200,
            "The version document.",
            schema("Root"),
        ),
    );
    get(
        paths,
        "/v1",
        Operation::new("v1", "host", "Version 1 of the API").answers(
            200,
            "The version document.",
            schema("V1"),
        ),
    );
    get(
        paths,
        "/healthz",
        Operation::new("healthz", "host", "Whether the process answers").answers(
            200,
            "It does.",
            schema("Health"),
        ),
    );
    get(
        paths,
        "/readyz",
        Operation::new(
            "readyz",
            "host",
            "Whether drivers are loaded, not all of them quarantined, and the database can be written",
        )
        .answers(200, "All of that.", schema("Ready")),
    );
    get(
        paths,
        "/metrics",
        Operation::new("metrics", "host", "Figures in Prometheus' text format").answers_with(
            200,
            "The page.",
            "text/plain; version=0.0.4",
            text(),
            &[],
        ),
    );
    get(
        paths,
        "/openapi.json",
        Operation::new("openapi", "host", "This document").answers(
            200,
            "The document.",
            json!({"type": "object", "required": ["openapi", "paths"]}),
        ),
    );
    drivers(paths);
    calls(paths);
}

fn drivers(paths: &mut Paths) {
    let fields = "Only these fields and the links, with commas between them; from version 1.77 on.";
    paths.add(
        "GET",
        "/v1/drivers",
        Operation::new("drivers.list", "drivers", "List the enabled drivers")
            .query(
                "detail",
                boolean(),
                "With the interfaces; from version 1.30 on. Not together with `fields`.",
            )
            .query(
                "type",
                json!({"enum": ["dynamic", "classic"]}),
                "All drivers here are dynamic; from version 1.30 on.",
            )
            .query("fields", text(), fields)
            .answers(200, "The drivers, sorted by name.", schema("Drivers")),
    );
    let one = "/v1/drivers/{driver}";
    paths.add(
        "GET",
        one,
        Operation::new("drivers.show", "drivers", "Show a driver")
            .query("fields", text(), fields)
            .answers(200, "The driver.", schema("Driver"))
            .refuses(&NAMED),
    );
    paths.add(
        "GET",
        &format!("{one}/properties"),
        Operation::new(
            "drivers.properties",
            "drivers",
            "What a node's `driver_info` takes",
        )
        .answers(
            200,
            "A description for each property.",
            json!({"type": "object", "additionalProperties": {"type": "string"}}),
        )
        .refuses(&NAMED),
    );
    paths.add(
        "POST",
        &format!("{one}/reset"),
        Operation::new(
            "drivers.reset",
            "drivers",
            "Let a driver be started again that was quarantined",
        )
        .description(
            "Its processes died too often, and none is started until now; their deaths are forgotten. A driver in the host's own process \
             has nothing to reset: 400.",
        )
        .answers(200, "Whether it was quarantined.", schema("Reset"))
        .refuses(&NAMED),
    );
    paths.add(
        "GET",
        &format!("{one}/manifest"),
        Operation::new("drivers.manifest", "drivers", "All that a driver says of itself")
            .answers(
                200,
                "The manifest, as it is in the driver's file.",
                schema("Manifest"),
            )
            .refuses(&NAMED),
    );
}

fn calls(paths: &mut Paths) {
    let list = |id: &str, summary: &str| {
        let states: Vec<&str> = RecordState::ALL.iter().map(|state| state.word()).collect();
        Operation::new(id, "calls", summary)
            .query("limit", limit(), "How many, at most 1000.")
            .query("marker", text(), "The id of the last one of the page before.")
            .query("state", json!({"enum": states}), "Only those in this state.")
            .answers(
                200,
                "A page of records, newest first, without their results.",
                schema("Calls"),
            )
            .refuses(&NAMED)
    };
    paths.add(
        "GET",
        "/v1/calls",
        list("calls.list", "List the records of calls"),
    );
    paths.add(
        "GET",
        "/v1/nodes/{node}/calls",
        list("calls.list_of_node", "List the records of a node's calls"),
    );
    paths.add(
        "GET",
        "/v1/calls/{id}",
        Operation::new(
            "calls.show",
            "calls",
            "Show the record of a call, with its result",
        )
        .answers(200, "The record.", schema("Call"))
        .refuses(&NAMED)
        .refuses(&READ),
    );
    paths.add(
        "DELETE",
        "/v1/calls/{id}",
        Operation::new(
            "calls.cancel",
            "calls",
            "Ask a running call to stop; its driver may go on",
        )
        .answers(202, "The record as it is now.", schema("Call"))
        .refuses(&NAMED)
        .refuses(&CANCELLATION)
        .refuses(&READ),
    );
}

pub(super) fn boolean() -> Value {
    json!({"type": "boolean"})
}

pub(super) fn limit() -> Value {
    json!({"type": "integer", "minimum": 1})
}
