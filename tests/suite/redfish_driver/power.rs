//! Power and boot device, over Ironic's own paths. The emulator keeps no "once" of a boot device and has no NMI: those are the project's own.

use serde_json::{Value, json};
use suite::{HostProcess, Sushy, eventually};

use super::{SOON, builder, create, host_of};

fn power(host: &HostProcess, target: &str) {
    host.request("PUT", "/v1/nodes/n1/states/power")
        .json(&json!({ "target": target }))
        .send()
        .expect(202);
}

/// Waits until nothing is under way, and gives the states.
fn settled(host: &HostProcess) -> Value {
    eventually("the change of power has ended", SOON, || {
        let states = host.get("/v1/nodes/n1/states").expect(200).json();
        (states["target_power_state"] == Value::Null).then_some(states)
    })
}

fn resets(sushy: &Sushy) -> Vec<Value> {
    let seen = sushy.seen();
    let entries = seen["journal"].as_array().expect("a journal").iter();
    let resets = entries.filter(|entry| entry["path"].as_str().is_some_and(|path| path.ends_with("Reset")));
    resets.map(|entry| entry["body"]["ResetType"].clone()).collect()
}

#[test]
fn the_power_is_switched_on_and_off_and_what_is_there_already_is_left_alone() {
    let sushy = Sushy::with_extras();
    let host = host_of(&sushy);
    for (target, expected, device) in [
        ("power on", "power on", "On"),
        ("power on", "power on", "On"),
        ("soft rebooting", "power on", "On"),
        ("power off", "power off", "Off"),
        ("rebooting", "power on", "On"),
        ("soft power off", "power off", "Off"),
    ] {
        power(&host, target);
        let states = settled(&host);
        assert_eq!(
            (&states["power_state"], &states["last_error"]),
            (&json!(expected), &Value::Null),
            "{target}: {states}"
        );
        assert_eq!(sushy.system()["PowerState"], device, "{target}");
    }
    assert_eq!(
        resets(&sushy),
        ["On", "GracefulRestart", "ForceOff", "On", "GracefulShutdown"]
    );
}

#[test]
fn a_restart_that_the_device_has_not_is_made_in_two_steps() {
    let sushy = Sushy::with_extras();
    let host = host_of(&sushy);
    power(&host, "power on");
    settled(&host);
    let (restart, old) = ("\"ForceRestart\"", "\"Nothing\"");
    sushy.rule(json!({"path": "/Systems/[^/]*$", "method": "GET", "times": 1000, "do": "replace", "old": restart, "new": old}));
    power(&host, "rebooting");
    let states = settled(&host);
    assert_eq!(
        (&states["power_state"], &states["last_error"]),
        (&json!("power on"), &Value::Null),
        "{states}"
    );
    assert_eq!(resets(&sushy), ["On", "ForceOff", "On"]);
}

#[test]
fn a_change_of_power_that_fails_is_told_in_last_error_and_made_once() {
    let sushy = Sushy::with_extras();
    let host = host_of(&sushy);
    let error = json!({"error": {"@Message.ExtendedInfo": [{"Message": "The lid is open."}]}});
    sushy.rule(json!({"method": "POST", "path": "Reset$", "do": "status", "status": 503, "json": error}));
    power(&host, "power on");
    let states = settled(&host);
    let text = states["last_error"]
        .as_str()
        .unwrap_or_else(|| panic!("{states}"));
    assert!(
        text.contains("The lid is open.") && text.contains("503"),
        "{text}"
    );
    assert_eq!(resets(&sushy).len(), 1);
}

#[test]
fn the_boot_device_is_set_for_once_or_for_good() {
    let sushy = Sushy::with_extras();
    let host = host_of(&sushy);
    let path = "/v1/nodes/n1/management/boot_device";
    for (device, persistent, target) in [
        ("pxe", false, "Pxe"),
        ("cdrom", true, "Cd"),
        ("disk", true, "Hdd"),
        ("uefihttp", false, "Pxe"),
    ] {
        host.request("PUT", path)
            .json(&json!({"boot_device": device, "persistent": persistent}))
            .send()
            .expect(204);
        let boot = &sushy.system()["Boot"];
        let enabled = if persistent { "Continuous" } else { "Once" };
        // The emulator itself takes UefiHttp without an address for Pxe.
        assert_eq!(
            (
                &boot["BootSourceOverrideTarget"],
                &boot["BootSourceOverrideEnabled"]
            ),
            (&json!(target), &json!(enabled))
        );
        let shown = if device == "uefihttp" { "pxe" } else { device };
        assert_eq!(
            host.get(path).expect(200).json(),
            json!({"boot_device": shown, "persistent": persistent})
        );
    }
    let bios = json!({"boot_device": "bios", "persistent": false});
    host.request("PUT", path).json(&bios).send().refused(
        400,
        "the server cannot start from bios (BiosSetup), only from: Pxe, Cd, Hdd, UefiHttp",
    );
    host.request("PUT", path)
        .json(&json!({"boot_device": "wanboot"}))
        .send()
        .refused(400, "wanboot");
    let supported = host
        .get("/v1/nodes/n1/management/boot_device/supported")
        .expect(200)
        .json();
    assert_eq!(
        supported,
        json!({"supported_boot_devices": ["pxe", "disk", "cdrom", "bios", "floppy", "uefihttp"]})
    );
}

#[test]
fn an_nmi_is_injected_and_a_device_without_one_says_so() {
    let nmi = |host: &HostProcess| {
        host.request("PUT", "/v1/nodes/n1/management/inject_nmi")
            .json(&json!({}))
            .send()
    };
    let sushy = Sushy::with_extras();
    nmi(&host_of(&sushy)).expect(204);
    assert_eq!(sushy.seen()["nmis"], 1);
    let plain = Sushy::start();
    nmi(&host_of(&plain)).refused(500, "501 Not Implemented: Power state Nmi is not supported");
}

#[test]
fn the_system_is_the_one_that_the_node_names_or_the_only_one() {
    let sushy = Sushy::with_extras();
    let host = builder().start();
    let named = super::info(&sushy, json!({"redfish_system_id": sushy.system_path()}));
    create(&host, "n1", named);
    power(&host, "power on");
    assert_eq!(settled(&host)["power_state"], "power on");
    assert_eq!(
        sushy.count("GET", "/Systems "),
        0,
        "the collection is not asked for"
    );
    let two =
        json!({"Members": [{"@odata.id": "/redfish/v1/Systems/1"}, {"@odata.id": "/redfish/v1/Systems/2"}]});
    sushy.rule(json!({"path": "/Systems$", "times": 1000, "do": "status", "status": 200, "json": two}));
    let host = host_of(&sushy);
    host.get("/v1/nodes/n1/management/boot_device")
        .refused(400, "the service has 2 systems, set redfish_system_id to one of: /redfish/v1/Systems/1, /redfish/v1/Systems/2");
}
