//! Which fields a node has in which API version.

use serde_json::json;
use suite::HostProcess;

use super::create;

#[test]
fn fields_appear_with_the_version_that_introduced_them() {
    let host = HostProcess::with_fake();
    host.create_node("n1");
    let uuid = host.node_field("n1", "uuid");
    let target = format!("/v1/nodes/{}", uuid.as_str().unwrap());
    let has = |version: &str, field: &str| {
        let node = host
            .request("GET", &target)
            .version(version)
            .send()
            .expect(200)
            .json();
        node.as_object().unwrap().contains_key(field)
    };
    let introduced = [
        (3, "driver_internal_info"),
        (5, "name"),
        (6, "inspection_started_at"),
        (6, "inspection_finished_at"),
        (7, "clean_step"),
        (12, "raid_config"),
        (12, "target_raid_config"),
        (20, "network_interface"),
        (21, "resource_class"),
        (31, "boot_interface"),
        (31, "console_interface"),
        (31, "deploy_interface"),
        (31, "inspect_interface"),
        (31, "management_interface"),
        (31, "power_interface"),
        (31, "raid_interface"),
        (31, "vendor_interface"),
        (33, "storage_interface"),
        (37, "traits"),
        (38, "rescue_interface"),
        (40, "bios_interface"),
        (42, "fault"),
        (44, "deploy_step"),
        (46, "conductor_group"),
        (47, "automated_clean"),
        (48, "protected"),
        (48, "protected_reason"),
        (49, "conductor"),
        (50, "owner"),
        (51, "description"),
        (52, "allocation_uuid"),
        (61, "retired"),
        (61, "retired_reason"),
        (65, "lessee"),
        (66, "network_data"),
        (75, "boot_mode"),
        (75, "secure_boot"),
    ];
    for (minor, field) in introduced {
        assert!(
            !has(&format!("1.{}", minor - 1), field),
            "{field} before 1.{minor}"
        );
        assert!(has(&format!("1.{minor}"), field), "{field} from 1.{minor}");
    }
    let base = [
        "uuid",
        "created_at",
        "updated_at",
        "chassis_uuid",
        "console_enabled",
        "driver",
        "driver_info",
        "extra",
        "instance_info",
        "instance_uuid",
        "last_error",
        "maintenance",
        "maintenance_reason",
        "power_state",
        "properties",
        "provision_state",
        "provision_updated_at",
        "reservation",
        "target_power_state",
        "target_provision_state",
        "links",
    ];
    let oldest = host
        .request("GET", &target)
        .version("1.1")
        .send()
        .expect(200)
        .json();
    let mut keys: Vec<&str> = oldest.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let mut expected = base.to_vec();
    expected.sort_unstable();
    assert_eq!(keys, expected);
}

#[test]
fn a_field_above_the_version_asked_for_is_406_and_names_are_for_1_5() {
    let host = HostProcess::with_fake();
    create(&host, json!({"driver": "fake", "name": "x1"}), "1.4").refused(406, "Request not acceptable.");
    create(&host, json!({"driver": "fake", "description": "d"}), "1.50")
        .refused(406, "Request not acceptable.");
    create(&host, json!({"driver": "fake", "name": "x1"}), "1.5").expect(201);
    let show = |version: &str| host.request("GET", "/v1/nodes/x1").version(version).send();
    show("1.4").refused(404, "Node x1 could not be found.");
    show("1.5").expect(200);
}
