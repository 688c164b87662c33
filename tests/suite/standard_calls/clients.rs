//! Ironic's own clients, unmodified.

use serde_json::{Value, json};
use suite::{HELLO, HostProcess, openstack, python};

use super::{settled, states};

fn shown(host: &HostProcess, arguments: &[&str]) -> Value {
    let mut all = arguments.to_vec();
    all.extend(["-f", "json"]);
    openstack(host, &all).succeeded().json()
}

#[test]
fn the_command_line_switches_reboots_and_chooses_what_to_boot_from() {
    let host = HostProcess::with_fake();
    host.create_node("n1");
    for (arguments, state) in [
        (&["node", "power", "on", "n1"][..], "power on"),
        (&["node", "power", "off", "n1", "--soft"], "power off"),
        (
            &["node", "reboot", "n1", "--soft", "--power-timeout", "30"],
            "power on",
        ),
        (&["node", "power", "off", "n1"], "power off"),
        (&["node", "reboot", "n1"], "power on"),
    ] {
        openstack(&host, arguments).succeeded();
        assert_eq!(settled(&host, "n1")["power_state"], state, "{arguments:?}");
    }
    let node = shown(&host, &["node", "show", "n1"]);
    assert_eq!(node["power_state"], "power on");
    assert_eq!(
        (&node["power_interface"], &node["management_interface"]),
        (&json!("fake"), &json!("fake"))
    );
    let list = shown(&host, &["node", "list"]);
    assert_eq!(list[0]["power_state"], "power on", "{list}");

    let set = ["node", "boot", "device", "set", "n1", "cdrom", "--persistent"];
    openstack(&host, &set).succeeded();
    let device = shown(&host, &["node", "boot", "device", "show", "n1"]);
    assert_eq!(device, json!({"boot_device": "cdrom", "persistent": true}));
    let supported = shown(&host, &["node", "boot", "device", "show", "n1", "--supported"]);
    assert_eq!(
        supported["supported_boot_devices"], "pxe, disk, cdrom, bios, safe",
        "{supported}"
    );
    openstack(&host, &["node", "inject", "nmi", "n1"]).succeeded();
    let driver = shown(&host, &["driver", "show", "fake"]);
    assert_eq!(driver["default_power_interface"], "fake");
    let report = shown(&host, &["node", "validate", "n1"]);
    for interface in ["power", "management"] {
        let row = report
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["Interface"] == interface)
            .unwrap();
        assert_eq!(row["Result"], true, "{report}");
    }
}

#[test]
fn the_command_line_says_what_a_driver_cannot_do() {
    let host = HostProcess::builder().driver(HELLO).start();
    host.create_node_of(HELLO, "n1");
    openstack(&host, &["node", "power", "on", "n1"]).failed(
        1,
        "Driver hello does not support power (disabled or not implemented).",
    );
    openstack(&host, &["node", "boot", "device", "show", "n1"]).failed(
        1,
        "Driver hello does not support management (disabled or not implemented).",
    );
}

#[test]
fn the_sdk_switches_and_waits_for_the_state() {
    let host = HostProcess::with_fake();
    host.create_node("n1");
    let seen = python(&host, "openstacksdk_power.py");
    assert_eq!(seen["on"], json!(["power on", null]));
    assert_eq!(seen["off"], json!(["power off", null]));
    assert_eq!(seen["rebooted"], "power on");
    assert_eq!(
        seen["boot device"],
        json!({"boot_device": "disk", "persistent": true})
    );
    assert_eq!(seen["supported"], json!(["pxe", "disk", "cdrom", "bios", "safe"]));
    assert_eq!(seen["validated"], json!([true, true]));
    assert_eq!(states(&host, "n1")["power_state"], "power on");
}
