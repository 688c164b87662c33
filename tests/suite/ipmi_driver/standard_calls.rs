//! Power, boot device and interrupt, over Ironic's API and with Ironic's client.

use serde_json::{Value, json};
use suite::{HostProcess, IpmiSim, Pyghmi, Reply, eventually, openstack};

use super::{PATIENCE, builder, node, patient, with};

fn power(host: &HostProcess, node: &str, body: Value) -> Reply {
    host.request("PUT", &format!("{node}/states/power"))
        .json(&body)
        .send()
}

/// The node's states, once no change is under way.
fn settled(host: &HostProcess, node: &str) -> Value {
    eventually("the change of power is over", PATIENCE, || {
        let shown = host.get(node).expect(200).json();
        (shown["reservation"] == Value::Null && shown["target_power_state"] == Value::Null).then_some(shown)
    })
}

fn boot_device(host: &HostProcess, node: &str) -> Value {
    host.get(&format!("{node}/management/boot_device"))
        .expect(200)
        .json()
}

fn set_boot_device(host: &HostProcess, node: &str, body: Value) -> Reply {
    host.request("PUT", &format!("{node}/management/boot_device"))
        .json(&body)
        .send()
}

#[test]
fn a_machine_is_switched_on_and_off_and_rebooted() {
    let (bmc, host) = (IpmiSim::start(), patient());
    let node = node(&host, "n1", bmc.driver_info());
    for (target, done, on) in [
        ("power on", &["set power 1"][..], true),
        ("rebooting", &["set power 0", "set power 1"], true),
        ("soft rebooting", &["set shutdown 1", "set power 1"], true),
        ("soft power off", &["set shutdown 1"], false),
        // Off already: only on.
        ("rebooting", &["set power 1"], true),
        ("power off", &["set power 0"], false),
    ] {
        let before = bmc.done().len();
        power(&host, &node, json!({ "target": target })).expect(202);
        let states = settled(&host, &node);
        assert_eq!(states["last_error"], Value::Null, "{target}: {states}");
        assert_eq!(
            states["power_state"],
            if on { "power on" } else { "power off" },
            "{target}"
        );
        assert_eq!(bmc.is_on(), on, "{target}");
        assert_eq!(&bmc.done()[before..], done, "{target}");
    }
}

#[test]
fn a_power_state_is_the_machines_own() {
    let (bmc, host) = (IpmiSim::start(), patient());
    let node = node(&host, "n1", bmc.driver_info());
    for on in [true, false] {
        bmc.switch(on);
        let states = host
            .get(&format!("{node}/states?refresh=true"))
            .expect(200)
            .json();
        assert_eq!(states["power_state"], if on { "power on" } else { "power off" });
    }
}

#[test]
fn a_machine_that_does_not_shut_down_in_time_has_failed_to_and_is_still_on() {
    let (bmc, host) = (IpmiSim::start(), patient());
    let node = node(&host, "n1", bmc.driver_info());
    bmc.switch(true);
    bmc.make_deaf();
    power(&host, &node, json!({"target": "soft rebooting", "timeout": 1})).expect(202);
    let states = settled(&host, &node);
    let error = states["last_error"].as_str().unwrap_or_default();
    assert!(
        error.contains("the machine is still powered on after 1 s"),
        "{states}"
    );
    assert_eq!(states["power_state"], "power on", "{states}");
    assert_eq!(bmc.done(), ["set shutdown 1"], "and is not switched by force");
}

#[test]
fn a_power_change_on_a_bmc_that_refuses_its_user_says_so() {
    let bmc = IpmiSim::start();
    let host = builder().start();
    let info = with(bmc.driver_info(), "ipmi_password", "wrong-password");
    let node = node(&host, "n1", info);
    power(&host, &node, json!({"target": "power on"})).expect(202);
    let states = settled(&host, &node);
    let error = states["last_error"].as_str().unwrap_or_default();
    assert!(error.contains("refuses the password of user 'admin'"), "{states}");
    assert!(!bmc.is_on());
}

#[test]
fn a_boot_device_is_set_on_the_machine_and_read_from_it() {
    let (bmc, host) = (IpmiSim::start(), patient());
    let node = node(&host, "n1", bmc.driver_info());
    assert_eq!(boot_device(&host, &node)["boot_device"], Value::Null);
    for (device, word) in [("pxe", "pxe"), ("disk", "default")] {
        set_boot_device(&host, &node, json!({"boot_device": device})).expect(204);
        assert_eq!(bmc.boot(), word);
        assert_eq!(
            boot_device(&host, &node),
            json!({"boot_device": device, "persistent": false})
        );
    }
    let supported = host
        .get(&format!("{node}/management/boot_device/supported"))
        .expect(200)
        .json();
    assert_eq!(
        supported,
        json!({"supported_boot_devices": ["pxe", "disk", "cdrom", "bios", "safe"]})
    );
    set_boot_device(&host, &node, json!({"boot_device": "floppy"})).refused(400, "floppy");
}

#[test]
fn every_boot_device_reaches_the_bmc_with_its_flags() {
    let (bmc, host) = (Pyghmi::start(), patient());
    let mut body = json!({"driver": "ipmi", "name": "n1", "driver_info": bmc.driver_info()});
    host.post("/v1/nodes", body.clone()).expect(201);
    body["name"] = json!("bios");
    body["properties"] = json!({"capabilities": "boot_mode:bios"});
    body["driver_info"]["ipmi_disable_boot_timeout"] = json!("False");
    host.post("/v1/nodes", body).expect(201);
    let (uefi, bios) = ("/v1/nodes/n1", "/v1/nodes/bios");
    for (node, device, persistent, done) in [
        (uefi, "pxe", false, &["03 08", "05 a0 04 00 00 00"][..]),
        (uefi, "disk", true, &["03 08", "05 e0 08 00 00 00"]),
        (bios, "cdrom", true, &["05 c0 14 00 00 00"]),
        (bios, "bios", false, &["05 80 18 00 00 00"]),
        (bios, "safe", false, &["05 80 0c 00 00 00"]),
    ] {
        let before = bmc.done().len();
        let boot = json!({"boot_device": device, "persistent": persistent});
        set_boot_device(&host, node, boot.clone()).expect(204);
        let done: Vec<String> = done.iter().map(|bytes| format!("boot options {bytes}")).collect();
        assert_eq!(bmc.done()[before..], done[..], "{device}");
        assert_eq!(boot_device(&host, node), boot);
    }
}

#[test]
fn what_the_bmc_would_forget_is_refused() {
    let (bmc, host) = (IpmiSim::start(), patient());
    let info = with(bmc.driver_info(), "ipmi_force_boot_device", true);
    let node = node(&host, "n1", info);
    let persistent = json!({"boot_device": "pxe", "persistent": true});
    set_boot_device(&host, &node, persistent).refused(400, "ipmi_force_boot_device");
    assert_eq!(bmc.boot(), "none");
    set_boot_device(&host, &node, json!({"boot_device": "pxe"})).expect(204);
    assert_eq!(bmc.boot(), "pxe");
}

#[test]
fn an_interrupt_reaches_the_machine_or_fails() {
    let (bmc, host) = (Pyghmi::start(), patient());
    let inject = |node: &str| {
        host.request("PUT", &format!("{node}/management/inject_nmi"))
            .json(&json!({}))
            .send()
    };
    let able = node(&host, "n1", bmc.driver_info());
    inject(&able).expect(204);
    assert_eq!(bmc.done(), ["nmi"]);
    // This one has no way to interrupt its machine.
    let other = IpmiSim::start();
    let unable = node(&host, "n2", other.driver_info());
    let reply = inject(&unable);
    assert!(reply.status >= 400, "{}", reply.text());
    assert!(reply.fault().text.contains("completion code"), "{}", reply.text());
}

#[test]
fn ironics_client_switches_reboots_and_chooses_what_to_boot_from() {
    let (bmc, host) = (IpmiSim::start(), patient());
    let node = node(&host, "n1", bmc.driver_info());
    for (arguments, on) in [
        (&["node", "power", "on", "n1"][..], true),
        (&["node", "reboot", "n1"], true),
        (&["node", "power", "off", "n1", "--soft"], false),
        (&["node", "power", "on", "n1", "--power-timeout", "60"], true),
        (&["node", "power", "off", "n1"], false),
    ] {
        openstack(&host, arguments).succeeded();
        let states = settled(&host, &node);
        assert_eq!(states["last_error"], Value::Null, "{arguments:?}: {states}");
        assert_eq!(bmc.is_on(), on, "{arguments:?}");
    }
    let done = [
        "set power 1",
        "set power 0",
        "set power 1",
        "set shutdown 1",
        "set power 1",
        "set power 0",
    ];
    assert_eq!(bmc.done(), done);
    openstack(&host, &["node", "boot", "device", "set", "n1", "pxe"]).succeeded();
    assert_eq!(bmc.boot(), "pxe");
    let shown = openstack(&host, &["node", "boot", "device", "show", "n1", "-f", "json"])
        .succeeded()
        .json();
    assert_eq!(shown["boot_device"], "pxe", "{shown}");
}
