//! What never reaches a driver.

use serde_json::{Value, json};
use suite::{HELLO, HostProcess, MOODY, Reply};

use super::moody::{self, Machine};
use super::{power, settled};

fn put(host: &HostProcess, target: &str, version: &str, body: &Value) -> Reply {
    host.request("PUT", target).version(version).json(body).send()
}

#[test]
fn requests_that_say_what_cannot_be_are_refused_in_ironic_s_words() {
    let host = moody::host();
    let machine = Machine::new(&host, "n1", "");
    let (power, boot) = ("/v1/nodes/n1/states/power", "/v1/nodes/n1/management/boot_device");
    for (target, body, text) in [
        (power, json!({}), "Missing mandatory parameter: target"),
        (
            power,
            json!({"target": "bogus"}),
            "The requested action \"bogus\" can not be performed on node \"n1\" while it is in state \"None\".",
        ),
        (power, json!({"target": 1}), "Expected string for target: 1"),
        (power, json!({"target": null}), "Expected string for target: None"),
        (
            power,
            json!({"target": "power on", "timeout": 0}),
            "timeout has to be positive integer",
        ),
        (
            power,
            json!({"target": "power on", "timeout": "x"}),
            "Expected an integer for timeout: 'x'",
        ),
        (
            power,
            json!({"target": "power on", "force": true}),
            "Unexpected arguments: force",
        ),
        (power, json!([]), "Expected an object: []"),
        (
            power,
            json!({"target": "soft rebooting"}),
            "The driver moody does not support the power state, soft rebooting",
        ),
        (boot, json!({}), "Missing mandatory parameter: boot_device"),
        (
            boot,
            json!({"boot_device": "pxe", "persistent": 3}),
            "Expected boolean for persistent: 3",
        ),
        (
            boot,
            json!({"boot_device": "pxe", "persistent": "maybe"}),
            "Invalid persistent: Unrecognized value 'maybe'",
        ),
        (
            "/v1/nodes/nope/states/power",
            json!({}),
            "Node nope could not be found.",
        ),
    ] {
        let status = if target.contains("nope") { 404 } else { 400 };
        put(&host, target, "1.77", &body).refused(status, text);
    }
    assert_eq!(machine.seen(), [""; 0], "the driver heard of none of them");
    assert_eq!(host.get("/v1/calls").expect(200).json(), json!({"calls": []}));
}

#[test]
fn what_a_version_does_not_know_is_refused_by_it() {
    let host = HostProcess::with_fake();
    let uuid = host.create_node("n1");
    let power = format!("/v1/nodes/{uuid}/states/power");
    for body in [
        json!({"target": "soft power off"}),
        json!({"target": "soft rebooting"}),
        json!({"target": "power on", "timeout": 5}),
    ] {
        put(&host, &power, "1.26", &body).refused(406, "The minimal required API version should be 1.27");
        put(&host, &power, "1.27", &body).expect(202);
        settled(&host, &uuid);
    }
    put(&host, &power, "1.1", &json!({"target": "power off"})).expect(202);
    settled(&host, &uuid);
    let nmi = format!("/v1/nodes/{uuid}/management/inject_nmi");
    put(&host, &nmi, "1.28", &json!({})).refused(404, "could not be found");
    put(&host, &nmi, "1.29", &json!({})).expect(204);
}

#[test]
fn a_driver_without_an_interface_or_a_part_of_it_says_so_as_ironic_does() {
    let host = HostProcess::builder().driver(HELLO).driver(MOODY).start();
    host.create_node_of(HELLO, "h1");
    host.create_node_of(MOODY, "m1");
    let lacks = |driver: &str, what: &str| {
        format!("Driver {driver} does not support {what} (disabled or not implemented).")
    };
    let boot = json!({"boot_device": "pxe"});
    for (verb, path, body, driver, what) in [
        (
            "PUT",
            "h1/states/power",
            json!({"target": "power on"}),
            "hello",
            "power",
        ),
        ("GET", "h1/states?refresh=true", json!({}), "hello", "power"),
        (
            "GET",
            "h1/management/boot_device",
            json!({}),
            "hello",
            "management",
        ),
        (
            "PUT",
            "h1/management/boot_device",
            boot.clone(),
            "hello",
            "management",
        ),
        (
            "GET",
            "h1/management/boot_device/supported",
            json!({}),
            "hello",
            "management",
        ),
        (
            "PUT",
            "h1/management/inject_nmi",
            json!({}),
            "hello",
            "management",
        ),
        (
            "PUT",
            "m1/management/boot_device",
            boot,
            "moody",
            "set_boot_device",
        ),
        (
            "PUT",
            "m1/management/inject_nmi",
            json!({}),
            "moody",
            "inject_nmi",
        ),
    ] {
        let request = host.request(verb, &format!("/v1/nodes/{path}")).json(&body);
        request.send().refused(400, &lacks(driver, what));
    }
    let supported = host.get("/v1/nodes/m1/management/boot_device/supported");
    assert_eq!(
        supported.expect(200).json(),
        json!({"supported_boot_devices": []})
    );
    assert_eq!(host.node_field("h1", "power_interface"), Value::Null);
    assert_eq!(host.node_field("m1", "power_interface"), "moody");
    assert_eq!(host.node_field("m1", "management_interface"), "moody");
    let drivers = host.get("/v1/drivers?detail=true").expect(200).json();
    for driver in drivers["drivers"].as_array().unwrap() {
        let has = driver["name"] == "moody";
        for interface in ["power", "management"] {
            let (default, enabled) = (
                &driver[format!("default_{interface}_interface")],
                &driver[format!("enabled_{interface}_interfaces")],
            );
            let expected = match has {
                true => (json!("moody"), json!(["moody"])),
                false => (Value::Null, Value::Null),
            };
            assert_eq!((default, enabled), (&expected.0, &expected.1), "{driver}");
        }
        assert_eq!(driver["default_boot_interface"], Value::Null);
    }
}

#[test]
fn an_interface_can_be_named_where_the_driver_has_it() {
    let host = HostProcess::builder().driver(HELLO).driver(MOODY).start();
    let node = |driver: &str, interface: &str| {
        let body = json!({"driver": driver, "power_interface": interface});
        host.post("/v1/nodes", body)
    };
    node("moody", "moody").expect(201);
    let wrong = node("moody", "ipmitool");
    wrong.refused(400, "entrypoint: ipmitool. Valid interfaces are ['moody'].");
    node("hello", "hello").refused(400, "entrypoint: hello. Valid interfaces are [].");
}

#[test]
fn standard_calls_are_no_methods_that_clients_can_name() {
    let host = HostProcess::with_fake();
    host.create_node("n1");
    for method in ["power:set", "power:get", "management:inject_nmi"] {
        let target = format!("/v1/nodes/n1/vendor_passthru?method={method}");
        host.post(&target, json!({"target": "power on"}))
            .refused(400, &format!("No handler for method {method}"));
    }
}

#[test]
fn other_verbs_are_answered_with_those_that_there_are() {
    let host = HostProcess::with_fake();
    host.create_node("n1");
    for (verb, path, allowed) in [
        ("GET", "states/power", "PUT"),
        ("POST", "states", "GET"),
        ("DELETE", "management/boot_device", "GET, PUT"),
        ("PUT", "management/boot_device/supported", "GET"),
        ("GET", "management/inject_nmi", "PUT"),
    ] {
        let reply = host.request(verb, &format!("/v1/nodes/n1/{path}")).send();
        reply.refused(405, allowed);
        let mut verbs: Vec<_> = reply.must_have("Allow").split(", ").collect();
        verbs.sort_unstable();
        assert_eq!(verbs.join(", "), allowed, "{path}");
    }
}

#[test]
fn a_body_that_comes_while_the_node_is_locked_is_still_read_first() {
    let host = HostProcess::builder()
        .driver(MOODY)
        .set("locks.wait_ms", 50)
        .start();
    let machine = Machine::new(&host, "n1", "waits");
    power(&host, "n1", "power on").expect(202);
    machine.until_told();
    power(&host, "n1", "bogus").refused(400, "The requested action \"bogus\"");
    power(&host, "n1", "power off").refused(409, "is locked by host");
    machine.open();
    settled(&host, "n1");
}
