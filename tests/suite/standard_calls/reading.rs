//! When the power state is read: around each change, when a client asks for it, and when a node is validated.

use serde_json::{Value, json};
use suite::{HELLO, HostProcess, MOODY, eventually};

use super::moody::{self, Machine};
use super::{SOON, power, settled, states};

fn refreshed(host: &HostProcess, node: &str) -> suite::Reply {
    host.get(&format!("/v1/nodes/{node}/states?refresh=true"))
}

#[test]
fn reads_show_what_is_kept_and_ask_no_driver() {
    let host = moody::host();
    let machine = Machine::new(&host, "n1", "");
    machine.answers("power", "\"power on\"");
    assert_eq!(states(&host, "n1")["power_state"], Value::Null);
    host.get("/v1/nodes/n1").expect(200);
    host.get("/v1/nodes/detail").expect(200);
    assert_eq!(machine.seen(), [""; 0]);
}

#[test]
fn a_client_that_asks_for_it_gets_the_device_s_own_state_and_it_is_kept() {
    let host = moody::host();
    let machine = Machine::new(&host, "n1", "");
    for (answer, state) in [
        ("\"power on\"", json!("power on")),
        ("\"power off\"", json!("power off")),
        ("\"error\"", json!("error")),
        ("null", Value::Null),
    ] {
        machine.answers("power", answer);
        assert_eq!(refreshed(&host, "n1").expect(200).json()["power_state"], state);
        assert_eq!(host.node_field("n1", "power_state"), state);
    }
    assert_eq!(host.get("/v1/calls").expect(200).json(), json!({"calls": []}));
}

#[test]
fn a_reading_that_fails_is_told_and_changes_nothing() {
    let host = moody::host();
    let machine = Machine::new(&host, "n1", "");
    refreshed(&host, "n1").expect(200);
    machine.answers("power", "fault: nobody is there");
    refreshed(&host, "n1").refused(502, "nobody is there");
    machine.answers("power", "[1]");
    refreshed(&host, "n1").refused(500, "the driver's answer to power:get cannot be used");
    assert_eq!(host.node_field("n1", "power_state"), "power off");
    assert_eq!(host.node_field("n1", "last_error"), Value::Null);
    host.get("/v1/nodes/n1/states?refresh=perhaps")
        .refused(400, "Invalid refresh");
}

#[test]
fn a_state_is_read_beside_a_change_and_without_the_lock() {
    let host = moody::host();
    let machine = Machine::new(&host, "n1", "waits");
    power(&host, "n1", "power on").expect(202);
    machine.until_told();
    let now = refreshed(&host, "n1").expect(200).json();
    assert_eq!(
        [&now["power_state"], &now["target_power_state"]],
        ["power off", "power on"]
    );
    machine.open();
    assert_eq!(settled(&host, "n1")["power_state"], "power on");
}

#[test]
fn validation_reports_the_interfaces_that_there_are_and_has_the_state_read() {
    let host = HostProcess::builder().driver(HELLO).driver(MOODY).start();
    let machine = Machine::new(&host, "n1", "");
    let report = host.get("/v1/nodes/n1/validate").expect(200).json();
    for interface in ["power", "management", "vendor"] {
        assert_eq!(report[interface], json!({"result": true}), "{report}");
    }
    assert_eq!(report["boot"]["result"], Value::Null);
    eventually("the state was read", SOON, || {
        (host.node_field("n1", "power_state") == "power off").then_some(())
    });
    machine.answers("power", "fault: nobody is there");
    let report = host.get("/v1/nodes/n1/validate").expect(200).json();
    assert_eq!(
        report["power"]["result"], true,
        "as in Ironic, whether the device answers is another question"
    );
    host.create_node_of(HELLO, "h1");
    let report = host.get("/v1/nodes/h1/validate").expect(200).json();
    assert_eq!(
        report["power"],
        json!({"result": null, "reason": "not supported"})
    );
}
