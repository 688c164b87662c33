//! The `openstack baremetal` command, unmodified, on a server with a Redfish service.

use serde_json::{Value, json};
use suite::{HostProcess, ImageServer, Sushy, eventually, openstack};

use super::{SOON, builder};

fn shown(host: &HostProcess, words: &[&str]) -> Value {
    openstack(host, &[words, &["-f", "json"]].concat())
        .succeeded()
        .json()
}

fn power_is(host: &HostProcess, sushy: &Sushy, expected: &str, device: &str) {
    eventually(&format!("the power is {expected}"), SOON, || {
        let states = host.get("/v1/nodes/n1/states").expect(200).json();
        assert_eq!(states["last_error"], Value::Null, "{states}");
        let there = states["power_state"] == expected && states["target_power_state"] == Value::Null;
        there.then_some(())
    });
    assert_eq!(sushy.system()["PowerState"], device);
}

#[test]
fn a_server_is_enrolled_switched_started_from_and_called() {
    let (sushy, images) = (Sushy::with_extras(), ImageServer::start());
    let host = builder().start();
    let mut create = vec![
        "node".to_owned(),
        "create".into(),
        "--driver".into(),
        "redfish".into(),
        "--name".into(),
        "n1".into(),
    ];
    for (key, value) in sushy.driver_info().as_object().expect("an object") {
        create.push("--driver-info".into());
        create.push(format!("{key}={}", value.as_str().expect("text")));
    }
    let create: Vec<&str> = create.iter().map(String::as_str).collect();
    openstack(&host, &create).succeeded();
    let report = shown(&host, &["node", "validate", "n1"]);
    for interface in ["power", "management", "vendor"] {
        let row = report
            .as_array()
            .expect("rows")
            .iter()
            .find(|row| row["Interface"] == interface);
        assert_eq!(row.expect("a row")["Result"], true, "{report}");
    }

    openstack(&host, &["node", "power", "on", "n1"]).succeeded();
    power_is(&host, &sushy, "power on", "On");
    openstack(&host, &["node", "reboot", "n1"]).succeeded();
    power_is(&host, &sushy, "power on", "On");
    openstack(&host, &["node", "power", "off", "n1"]).succeeded();
    power_is(&host, &sushy, "power off", "Off");

    openstack(
        &host,
        &["node", "boot", "device", "set", "n1", "cdrom", "--persistent"],
    )
    .succeeded();
    let device = shown(&host, &["node", "boot", "device", "show", "n1"]);
    assert_eq!(device, json!({"boot_device": "cdrom", "persistent": true}));
    assert_eq!(sushy.system()["Boot"]["BootSourceOverrideTarget"], "Cd");
    openstack(&host, &["node", "inject", "nmi", "n1"]).succeeded();
    assert_eq!(sushy.seen()["nmis"], 1);

    let image = format!("image_url={}", images.url("boot.iso"));
    openstack(
        &host,
        &["node", "passthru", "call", "n1", "insert_vmedia", "--arg", &image],
    )
    .succeeded();
    let cd = format!("{}/VirtualMedia/Cd", sushy.system_path());
    eventually("the image is inserted", SOON, || {
        (sushy.get(&cd)["Inserted"] == true).then_some(())
    });
    let subscribe = [
        "node",
        "passthru",
        "call",
        "n1",
        "create_subscription",
        "--arg",
        "Destination=https://192.0.2.9/",
    ];
    let made = openstack(&host, &subscribe).succeeded().stdout;
    assert!(made.contains("'Destination': 'https://192.0.2.9/'"), "{made}");
    let all = [
        "node",
        "passthru",
        "call",
        "n1",
        "get_all_subscriptions",
        "--http-method",
        "GET",
    ];
    let all = openstack(&host, &all).succeeded().stdout;
    assert!(all.contains("/redfish/v1/EventService/Subscriptions/1"), "{all}");
    let delete = [
        "node",
        "passthru",
        "call",
        "n1",
        "request",
        "--arg",
        "method=DELETE",
        "--arg",
        "path=/redfish/v1/EventService/Subscriptions/1",
    ];
    let deleted = openstack(&host, &delete).succeeded().stdout;
    assert!(deleted.contains("'status': 204"), "{deleted}");
    assert_eq!(
        sushy.get("/redfish/v1/EventService/Subscriptions")["Members@odata.count"],
        0
    );
    let wrong = [
        "node",
        "passthru",
        "call",
        "n1",
        "request",
        "--arg",
        "method=GET",
        "--arg",
        "path=/etc/passwd",
    ];
    openstack(&host, &wrong).failed(1, "'/etc/passwd' is not under the service root '/redfish/v1/'");
}
