//! Boot devices and interrupts.

use serde_json::{Value, json};
use suite::HostProcess;

use super::moody::{self, Machine};
use super::power;

const BOOT: &str = "/v1/nodes/n1/management/boot_device";

fn set(host: &HostProcess, body: Value) -> suite::Reply {
    host.request("PUT", BOOT).json(&body).send()
}

#[test]
fn a_boot_device_is_set_and_read() {
    let host = HostProcess::with_fake();
    host.create_node("n1");
    let now = || host.get(BOOT).expect(200).json();
    assert_eq!(now(), json!({"boot_device": "pxe", "persistent": false}));
    for (body, expected) in [
        (
            json!({"boot_device": "disk", "persistent": true}),
            json!({"boot_device": "disk", "persistent": true}),
        ),
        (
            json!({"boot_device": "cdrom"}),
            json!({"boot_device": "cdrom", "persistent": false}),
        ),
        (
            json!({"boot_device": "bios", "persistent": "yes"}),
            json!({"boot_device": "bios", "persistent": true}),
        ),
    ] {
        assert_eq!(set(&host, body).expect(204).text(), "");
        assert_eq!(now(), expected);
    }
    set(&host, json!({"boot_device": "tape"})).refused(400, "Invalid boot device tape specified.");
    let supported = host.get(&format!("{BOOT}/supported")).expect(200).json();
    let devices = json!(["pxe", "disk", "cdrom", "bios", "safe"]);
    assert_eq!(supported, json!({ "supported_boot_devices": devices }));
    assert_eq!(host.get("/v1/calls").expect(200).json(), json!({"calls": []}));
}

#[test]
fn an_interrupt_reaches_the_driver_and_answers_nothing() {
    let host = HostProcess::with_fake();
    let uuid = host.create_node("n1");
    let nmi = host
        .request("PUT", "/v1/nodes/n1/management/inject_nmi")
        .json(&json!({}));
    assert_eq!(nmi.send().expect(204).text(), "");
    host.logged(&["the processors of", &uuid, "were interrupted"]);
    let nmi = host.request("PUT", "/v1/nodes/n1/management/inject_nmi");
    nmi.json(&json!({"hard": true}))
        .send()
        .refused(400, "Unexpected arguments: hard");
}

#[test]
fn a_boot_device_is_read_while_the_node_is_locked_and_faults_are_the_driver_s() {
    let host = moody::host();
    let machine = Machine::new(&host, "n1", "waits");
    power(&host, "n1", "power on").expect(202);
    machine.until_told();
    machine.answers("boot", r#"{"boot_device": "uefihttp", "persistent": null}"#);
    assert_eq!(
        host.get(BOOT).expect(200).json(),
        json!({"boot_device": "uefihttp", "persistent": null})
    );
    machine.answers("boot", "fault: nobody is there");
    host.get(BOOT).refused(502, "nobody is there");
    machine.answers("boot", "\"pxe\"");
    host.get(BOOT).refused(
        500,
        "the driver's answer to management:get_boot_device cannot be used: expected {\"boot_device\": a string or null, \
         \"persistent\": true, false or null}, found another string",
    );
    machine.open();
}

#[test]
fn changes_of_the_boot_device_wait_for_the_lock() {
    let host = HostProcess::builder()
        .driver(suite::FAKE)
        .set("locks.wait_ms", 50)
        .set("drivers.fake.config.power_delay_ms", 600_000)
        .set("limits.shutdown_grace_ms", 0)
        .start();
    host.create_node("n1");
    power(&host, "n1", "power on").expect(202);
    set(&host, json!({"boot_device": "disk"})).refused(409, "is locked by host suite-host");
    let nmi = host.request("PUT", "/v1/nodes/n1/management/inject_nmi");
    nmi.json(&json!({})).send().refused(409, "power:set");
}
