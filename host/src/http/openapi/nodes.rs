//! The resources of nodes.

use serde_json::json;

use super::host::{boolean, limit};
use super::operation::{Operation, Paths, schema, text};
use crate::http::error::documented::{CALL, CHANGE, DELETION, NAMED, READ};

pub(super) fn add(paths: &mut Paths) {
    lists(paths);
    one(paths);
    paths.add(
        "POST",
        "/v1/nodes",
        Operation::new("nodes.create", "nodes", "Create a node")
            .description(
                "What the node's `driver_info` lacks is not refused, as in Ironic: `validate` tells it, and so does every call.",
            )
            .body(schema("NodeCreate"), true)
            .answers_with(201, "The node.", "application/json", schema("Node"), &[("Location", "NodeLocation")])
            .refuses(&CHANGE),
    );
    maintenance(paths);
    validation(paths);
}

fn lists(paths: &mut Paths) {
    let list = |id: &str, summary: &str| {
        let mut operation = Operation::new(id, "nodes", summary)
            .query("limit", limit(), "How many, at most 1000.")
            .query(
                "marker",
                json!({"type": "string", "format": "uuid"}),
                "The UUID of the last one of the page before.",
            )
            .query("sort_key", text(), "The field to sort by.")
            .query("sort_dir", json!({"enum": ["asc", "desc"]}), "Up or down.");
        for (name, since) in [("maintenance", 1), ("associated", 1), ("retired", 61)] {
            operation = operation.query(
                name,
                boolean(),
                &format!("Only such nodes; from version 1.{since} on."),
            );
        }
        for (name, since) in [("instance_uuid", 1), ("chassis_uuid", 1)] {
            let uuid = json!({"type": "string", "format": "uuid"});
            operation = operation.query(
                name,
                uuid,
                &format!("Only such nodes; from version 1.{since} on."),
            );
        }
        for (name, since) in [
            ("driver", 16),
            ("provision_state", 9),
            ("resource_class", 21),
            ("fault", 42),
            ("conductor_group", 46),
            ("conductor", 49),
            ("owner", 50),
            ("description_contains", 51),
            ("lessee", 65),
            ("project", 65),
        ] {
            operation = operation.query(
                name,
                text(),
                &format!("Only such nodes; from version 1.{since} on."),
            );
        }
        operation
            .answers(200, "A page of nodes.", schema("Nodes"))
            .refuses(&NAMED)
    };
    paths.add(
        "GET",
        "/v1/nodes",
        list("nodes.list", "List nodes in short")
            .query(
                "fields",
                text(),
                "These fields and the links, with commas between them; from version 1.8 on.",
            )
            .query(
                "detail",
                boolean(),
                "In full; from version 1.43 on. Not together with `fields`.",
            ),
    );
    paths.add(
        "GET",
        "/v1/nodes/detail",
        list("nodes.detail", "List nodes in full"),
    );
}

fn one(paths: &mut Paths) {
    let path = "/v1/nodes/{node}";
    paths.add(
        "GET",
        path,
        Operation::new("nodes.show", "nodes", "Show a node")
            .query(
                "fields",
                text(),
                "Only these fields and the links, with commas between them; from version 1.8 on.",
            )
            .answers(200, "The node.", schema("Node"))
            .refuses(&NAMED),
    );
    paths.add(
        "PATCH",
        path,
        Operation::new("nodes.update", "nodes", "Change a node")
            .query(
                "reset_interfaces",
                boolean(),
                "Only when the driver changes; from version 1.45 on.",
            )
            .body(schema("NodePatch"), true)
            .answers(200, "The node.", schema("Node"))
            .refuses(&NAMED)
            .refuses(&CHANGE),
    );
    paths.add(
        "DELETE",
        path,
        Operation::new("nodes.delete", "nodes", "Delete a node")
            .answers_nothing(204, "It is gone.", &[])
            .refuses(&NAMED)
            .refuses(&CHANGE)
            .refuses(&DELETION),
    );
}

fn maintenance(paths: &mut Paths) {
    let path = "/v1/nodes/{node}/maintenance";
    paths.add(
        "PUT",
        path,
        Operation::new("nodes.set_maintenance", "nodes", "Put a node into maintenance")
            .body(schema("Maintenance"), false)
            .answers_nothing(202, "It is in maintenance.", &[])
            .refuses(&NAMED)
            .refuses(&CHANGE),
    );
    paths.add(
        "DELETE",
        path,
        Operation::new(
            "nodes.clear_maintenance",
            "nodes",
            "Take a node out of maintenance",
        )
        .answers_nothing(202, "It is out of maintenance.", &[])
        .refuses(&NAMED)
        .refuses(&CHANGE),
    );
}

fn validation(paths: &mut Paths) {
    let validate = |id: &str, summary: &str| {
        Operation::new(id, "nodes", summary)
            .answers(
                200,
                "For each interface, whether it can work with what the node says.",
                schema("Validation"),
            )
            .refuses(&READ)
            .refuses(&CALL)
    };
    paths.add(
        "GET",
        "/v1/nodes/{node}/validate",
        validate("nodes.validate", "Ask the driver whether it can work with a node"),
    );
    paths.add(
        "GET",
        "/v1/nodes/validate",
        validate("nodes.validate_by_argument", "The same, in Ironic's older form")
            .query("node", text(), "The node's UUID or name; wins over `node_uuid`.")
            .query(
                "node_uuid",
                json!({"type": "string", "format": "uuid"}),
                "The node's UUID.",
            ),
    );
}
