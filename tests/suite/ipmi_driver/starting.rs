//! What the driver wants to be there before it serves.

use serde_json::json;
use suite::HostBuilder;

use super::builder;

/// The exit code for faults of drivers.
const DRIVERS: i32 = 4;

fn refused(builder: HostBuilder, text: &str) {
    let output = builder.serve_to_end().failed(DRIVERS, text);
    let lines: Vec<&str> = output.stderr.lines().filter(|line| line.contains(text)).collect();
    assert_eq!(lines.len(), 1, "{}", output.stderr);
}

#[test]
fn without_ipmitool_the_host_says_what_to_install_and_does_not_start() {
    refused(
        builder().env("PATH", "/nowhere"),
        "install ipmitool, on Debian with `apt install ipmitool`",
    );
    let missing = builder().set("drivers.ipmi.config.ipmitool", "/no/such/ipmitool");
    refused(
        missing,
        "no program /no/such/ipmitool (drivers.ipmi.config.ipmitool)",
    );
    let other = builder().set("drivers.ipmi.config.ipmitool", "/bin/true");
    refused(other, "/bin/true does not work (drivers.ipmi.config.ipmitool)");
}

#[test]
fn settings_that_cannot_be_meant_are_named() {
    let set = |key: &str, value: i64| builder().set(&format!("drivers.ipmi.config.{key}"), value);
    refused(
        set("max_children", 0),
        "drivers.ipmi.config.max_children must be 1 to 10000, found 0",
    );
    refused(
        set("answer_timeout_s", 4_000),
        "drivers.ipmi.config.answer_timeout_s must be 1 to 3600, found 4000",
    );
    refused(
        set("max_childs", 1),
        "drivers.ipmi.config: unknown key 'max_childs'",
    );
    let mode = builder().set("drivers.ipmi.config.default_boot_mode", "legacy");
    refused(mode, "drivers.ipmi.config.default_boot_mode");
}

#[test]
fn the_manifest_is_listed_without_ipmitool() {
    let output = builder()
        .env("PATH", "/nowhere")
        .run(&["list-available", "--json"])
        .succeeded();
    let listed = output.json();
    let ipmi = listed
        .as_array()
        .unwrap()
        .iter()
        .find(|driver| driver["name"] == "ipmi");
    assert_eq!(
        ipmi.map(|driver| &driver["state"]),
        Some(&json!("enabled")),
        "{listed}"
    );
}
