//! Power, as Ironic has it: the standard calls over Ironic's paths, and with Ironic's own command.

use serde_json::{Value, json};
use suite::{HostProcess, Snmpsim, eventually, openstack};

use super::{APC_1, SOON, apc, node, patient};

fn states(host: &HostProcess) -> Value {
    host.get("/v1/nodes/n1/states").expect(200).json()
}

fn set_power(host: &HostProcess, target: &str) {
    host.request("PUT", "/v1/nodes/n1/states/power")
        .json(&json!({"target": target}))
        .send()
        .expect(202);
}

/// The states, once no change of power is under way.
fn settled(host: &HostProcess) -> Value {
    eventually("the power has settled", SOON * 2, || {
        let states = states(host);
        (states["target_power_state"] == Value::Null).then_some(states)
    })
}

#[test]
fn power_is_read_and_switched_over_ironic_s_paths() {
    let pdu = apc();
    let host = patient().start();
    node(&host, pdu.port(), json!({}));
    let refreshed = host.get("/v1/nodes/n1/states?refresh=true").expect(200).json();
    assert_eq!(refreshed["power_state"], "power on");
    for (target, state, value) in [
        ("power off", "power off", 2),
        ("power on", "power on", 1),
        ("rebooting", "power on", 1),
    ] {
        set_power(&host, target);
        assert_eq!(settled(&host)["power_state"], state, "{target}");
        assert_eq!(pdu.integer(APC_1), value, "{target}");
    }
}

#[test]
fn a_reboot_switches_off_first() {
    // A PDU that cannot be switched on shows how far the reboot came.
    let pdu = Snmpsim::start(&[Snmpsim::writable_but(APC_1, 1, 1, "notwritable")]);
    let host = patient().start();
    node(&host, pdu.port(), json!({}));
    set_power(&host, "rebooting");
    eventually("the reboot has failed", SOON * 2, || {
        let error = states(&host)["last_error"].clone();
        let error = error.as_str()?;
        let said = error.contains("outlet 1 was switched off, and the PDU at 127.0.0.1:");
        assert!(said && error.contains("notWritable"), "{error}");
        Some(())
    });
    assert_eq!(pdu.integer(APC_1), 2);
}

#[test]
fn soft_targets_are_refused_because_an_outlet_has_none() {
    let pdu = apc();
    let host = patient().start();
    node(&host, pdu.port(), json!({}));
    for target in ["soft power off", "soft rebooting"] {
        let reply = host
            .request("PUT", "/v1/nodes/n1/states/power")
            .json(&json!({"target": target}))
            .send();
        reply.refused(400, target);
    }
    assert_eq!(pdu.integer(APC_1), 1);
}

#[test]
fn ironic_s_own_command_switches_power_on_off_and_reboots() {
    let pdu = apc();
    let host = patient().start();
    let port = format!("snmp_port={}", pdu.port());
    let mut create = vec!["node", "create", "--driver", "snmp", "--name", "n1"];
    for property in [
        "snmp_driver=apc_masterswitch",
        "snmp_address=127.0.0.1",
        "snmp_outlet=1",
        "snmp_version=2c",
        "snmp_community=pdu",
        &port,
    ] {
        create.extend(["--driver-info", property]);
    }
    openstack(&host, &create).succeeded();
    let power_state = || -> Value {
        let shown = openstack(
            &host,
            &["node", "show", "n1", "--fields", "power_state", "-f", "json"],
        );
        shown.succeeded().json()["power_state"].clone()
    };
    for (words, state, value) in [
        (["node", "power", "off", "n1"].as_slice(), "power off", 2),
        (&["node", "power", "on", "n1"], "power on", 1),
        (&["node", "reboot", "n1"], "power on", 1),
    ] {
        openstack(&host, words).succeeded();
        settled(&host);
        assert_eq!(power_state(), state, "{words:?}");
        assert_eq!(pdu.integer(APC_1), value, "{words:?}");
    }
    let state = openstack(
        &host,
        &[
            "node",
            "passthru",
            "call",
            "n1",
            "outlet_state",
            "--http-method",
            "GET",
        ],
    );
    assert!(state.succeeded().stdout.contains("on"));
}
