//! Ironic's power and management, of nodes whose driver has them.

use serde_json::json;

use super::host::boolean;
use super::operation::{Operation, Paths, schema};
use crate::http::error::documented::{CALL, NAMED};
use crate::node::power::PowerTarget;

pub(super) fn add(paths: &mut Paths) {
    paths.add(
        "GET",
        "/v1/nodes/{node}/states",
        Operation::new("nodes.states", "nodes", "Show the states of a node")
            .query(
                "refresh",
                boolean(),
                "Whether the power state is read from the device first (not in Ironic).",
            )
            .answers(200, "The states.", schema("States"))
            .refuses(&CALL),
    );
    let targets = [
        PowerTarget::On,
        PowerTarget::Off,
        PowerTarget::Reboot,
        PowerTarget::SoftOff,
        PowerTarget::SoftReboot,
    ];
    let body = json!({
        "type": "object",
        "properties": {
            "target": {"enum": targets.map(PowerTarget::word)},
            "timeout": {
                "type": ["integer", "null"], "minimum": 1,
                "description": "Seconds that the change may take; from version 1.27 on, as are the soft targets.",
            },
        },
        "required": ["target"],
        "additionalProperties": false,
    });
    paths.add(
        "PUT",
        "/v1/nodes/{node}/states/power",
        Operation::new("nodes.set_power", "nodes", "Change the power of a node")
            .body(body, true)
            .answers_nothing(
                202,
                "The change has begun; the node's states say when it is over.",
                &[("Location", "NodeLocation")],
            )
            .refuses(&CALL),
    );
    boot_device(paths);
    paths.add(
        "PUT",
        "/v1/nodes/{node}/management/inject_nmi",
        Operation::new(
            "nodes.inject_nmi",
            "nodes",
            "Interrupt the processors of a node; from version 1.29 on",
        )
        .body(json!({"type": "object", "additionalProperties": false}), false)
        .answers_nothing(204, "It is done.", &[])
        .refuses(&CALL),
    );
}

fn boot_device(paths: &mut Paths) {
    let path = "/v1/nodes/{node}/management/boot_device";
    let shown = json!({
        "type": "object",
        "properties": {"boot_device": {"type": ["string", "null"]}, "persistent": {"type": ["boolean", "null"]}},
        "required": ["boot_device", "persistent"],
        "additionalProperties": false,
    });
    paths.add(
        "GET",
        path,
        Operation::new("nodes.boot_device", "nodes", "Read the boot device of a node")
            .answers(200, "The boot device, as far as the driver knows.", shown)
            .refuses(&CALL),
    );
    let body = json!({
        "type": "object",
        "properties": {"boot_device": {"type": "string"}, "persistent": {"type": ["boolean", "string", "null"]}},
        "required": ["boot_device"],
        "additionalProperties": false,
    });
    paths.add(
        "PUT",
        path,
        Operation::new(
            "nodes.set_boot_device",
            "nodes",
            "Change the boot device of a node",
        )
        .body(body, true)
        .answers_nothing(204, "It is done.", &[])
        .refuses(&CALL),
    );
    let supported = json!({
        "type": "object",
        "properties": {"supported_boot_devices": {"type": "array", "items": {"type": "string"}}},
        "required": ["supported_boot_devices"],
        "additionalProperties": false,
    });
    paths.add(
        "GET",
        &format!("{path}/supported"),
        Operation::new(
            "nodes.supported_boot_devices",
            "nodes",
            "List the boot devices that a node's driver can set",
        )
        .answers(
            200,
            "Ironic's words for them, from the driver's manifest.",
            supported,
        )
        .refuses(&NAMED),
    );
}
