//! What a change of power does on the device, on the node and in its record.

use serde_json::{Value, json};
use suite::HostProcess;

use super::moody::{self, Machine};
use super::{power, record, recorded, settled, states};

#[test]
fn every_target_leads_where_ironic_says_and_is_recorded_as_one_call() {
    let host = HostProcess::with_fake();
    host.create_node("n1");
    assert_eq!(states(&host, "n1")["power_state"], Value::Null);
    for (target, state) in [
        ("power on", "power on"),
        ("rebooting", "power on"),
        ("soft power off", "power off"),
        ("soft rebooting", "power on"),
        ("power off", "power off"),
    ] {
        let accepted = power(&host, "n1", target).expect(202);
        assert_eq!(accepted.text(), "", "as Ironic, without a body");
        assert_eq!(
            accepted.must_have("Location"),
            format!("{}/v1/nodes/n1/states", host.url())
        );
        let states = settled(&host, "n1");
        assert_eq!(
            [
                &states["power_state"],
                &states["target_power_state"],
                &states["last_error"]
            ],
            [&json!(state), &Value::Null, &Value::Null],
            "{target}"
        );
        let record = recorded(&host, "n1", "succeeded");
        assert_eq!([&record["method"], &record["result"]], ["power:set", state]);
        assert_eq!(record["request_id"], accepted.must_have("X-OpenStack-Request-Id"));
    }
    for (field, value) in [
        ("power_state", json!("power off")),
        ("target_power_state", Value::Null),
    ] {
        assert_eq!(host.node_field("n1", field), value);
    }
    let all = host.get("/v1/nodes/n1/calls").expect(200).json();
    assert_eq!(
        all["calls"].as_array().unwrap().len(),
        5,
        "readings have no records"
    );
}

#[test]
fn while_the_device_works_the_node_is_locked_and_shows_its_target() {
    let host = HostProcess::builder()
        .driver(suite::MOODY)
        .set("locks.wait_ms", 50)
        .start();
    let machine = Machine::new(&host, "n1", "waits");
    power(&host, "n1", "rebooting").expect(202);
    // Durable before the answer: there is nothing to wait for.
    let now = states(&host, "n1");
    assert_eq!(
        [&now["power_state"], &now["target_power_state"]],
        [&Value::Null, &json!("power on")]
    );
    machine.until_told();
    assert_eq!(host.node_field("n1", "reservation"), "suite-host");
    assert_eq!(record(&host, "n1")["state"], "running");
    let patch = json!([{"op": "add", "path": "/extra/a", "value": 1}]);
    for (verb, path, body) in [
        ("PUT", "states/power", json!({"target": "power off"})),
        ("PUT", "maintenance", json!({})),
        ("PATCH", "", patch),
        ("DELETE", "", json!({})),
    ] {
        let target = format!("/v1/nodes/n1/{path}");
        let locked = host
            .request(verb, target.trim_end_matches('/'))
            .json(&body)
            .send();
        let text = locked.refused(409, "is locked by host suite-host, please retry");
        assert!(text.contains("power:set"), "{verb} {path}: {text}");
    }
    machine.open();
    assert_eq!(settled(&host, "n1")["power_state"], "power on");
    assert_eq!(
        machine.seen(),
        [r#"PUT power:set {"target":"rebooting"}"#, "GET power:get"],
        "a reboot is never spared; the state is read after it"
    );
}

#[test]
fn a_state_that_is_there_already_is_read_and_left_alone() {
    let host = moody::host();
    let machine = Machine::new(&host, "n1", "");
    for target in ["power off", "soft power off"] {
        power(&host, "n1", target).expect(202);
        assert_eq!(settled(&host, "n1")["power_state"], "power off", "{target}");
        recorded(&host, "n1", "succeeded");
    }
    assert_eq!(machine.seen(), ["GET power:get", "GET power:get"]);
}

#[test]
fn a_device_that_takes_its_time_is_read_until_it_is_there() {
    let host = moody::host();
    let machine = Machine::new(&host, "n1", "is quick to agree");
    power(&host, "n1", "power on").expect(202);
    machine.until_told();
    suite::eventually("it is read again and again", super::SOON, || {
        (machine.seen().len() >= 4).then_some(())
    });
    assert_eq!(states(&host, "n1")["target_power_state"], "power on");
    assert_eq!(host.node_field("n1", "reservation"), "suite-host");
    machine.open();
    assert_eq!(settled(&host, "n1")["power_state"], "power on");
    recorded(&host, "n1", "succeeded");
}

#[test]
fn a_timeout_of_the_client_reaches_the_driver_in_seconds() {
    let host = moody::host();
    let machine = Machine::new(&host, "n1", "");
    for timeout in [json!(30), json!("30")] {
        machine.answers("power", "\"power on\"");
        let body = json!({"target": "soft power off", "timeout": timeout});
        host.request("PUT", "/v1/nodes/n1/states/power")
            .json(&body)
            .send()
            .expect(202);
        assert_eq!(settled(&host, "n1")["power_state"], "power off");
        let told = r#"PUT power:set {"target":"soft power off","timeout":30}"#.to_owned();
        assert_eq!(machine.seen()[machine.seen().len() - 2], told);
    }
}

#[test]
fn a_soft_change_has_ironic_s_time_and_no_client_locks_a_node_for_ever() {
    let host = moody::host();
    let machine = Machine::new(&host, "n1", "");
    machine.answers("power", "\"power on\"");
    power(&host, "n1", "soft power off").expect(202);
    settled(&host, "n1");
    let body = json!({"target": "rebooting", "timeout": i64::MAX});
    host.request("PUT", "/v1/nodes/n1/states/power")
        .json(&body)
        .send()
        .expect(202);
    settled(&host, "n1");
    let told: Vec<_> = machine
        .seen()
        .into_iter()
        .filter(|line| line.starts_with("PUT"))
        .collect();
    assert_eq!(
        told,
        [
            r#"PUT power:set {"target":"soft power off","timeout":600}"#,
            r#"PUT power:set {"target":"rebooting","timeout":3600}"#
        ]
    );
}

#[test]
fn what_one_driver_has_read_is_forgotten_when_the_node_gets_another() {
    let host = HostProcess::builder()
        .driver(suite::FAKE)
        .driver(suite::MOODY)
        .start();
    host.create_node("n1");
    power(&host, "n1", "power on").expect(202);
    assert_eq!(settled(&host, "n1")["power_state"], "power on");
    let patch = |path: &str, value: &str| {
        let patch = json!([{"op": "add", "path": path, "value": value}]);
        host.request("PATCH", "/v1/nodes/n1")
            .json(&patch)
            .send()
            .expect(200)
            .json()
    };
    assert_eq!(patch("/extra/a", "1")["power_state"], "power on");
    assert_eq!(patch("/driver", "moody")["power_state"], Value::Null);
}

#[test]
fn changes_that_wait_for_their_devices_hold_no_thread() {
    let host = HostProcess::builder()
        .driver(suite::SLOW)
        .set("workers.max", 2)
        .start();
    let gate = suite::Gate::closed();
    let names: Vec<String> = (0..12).map(|n| format!("n{n}")).collect();
    for name in &names {
        let info = json!({ "power_until": gate.path() });
        let node = json!({"driver": "slow", "name": name, "driver_info": info});
        host.post("/v1/nodes", node).expect(201);
        power(&host, name, "rebooting").expect(202);
    }
    gate.wait_for(names.len());
    host.post("/v1/drivers/slow/vendor_passthru/echo", json!({}))
        .expect(200);
    gate.open();
    for name in &names {
        assert_eq!(settled(&host, name)["power_state"], "power on");
    }
}

#[test]
fn power_is_changed_in_maintenance_too() {
    let host = HostProcess::with_fake();
    host.create_node("n1");
    host.request("PUT", "/v1/nodes/n1/maintenance").send().expect(202);
    power(&host, "n1", "power on").expect(202);
    assert_eq!(settled(&host, "n1")["power_state"], "power on");
}

#[test]
fn a_success_clears_the_error_of_an_earlier_call() {
    let host = HostProcess::with_fake();
    host.create_node("n1");
    let failing = host.post("/v1/nodes/n1/vendor_passthru/fail_async", json!({}));
    failing.expect(202);
    let failed = settled(&host, "n1")["last_error"].clone();
    assert_eq!(
        failed,
        "Async execution of fail_async failed with error: failed as requested"
    );
    power(&host, "n1", "power on").expect(202);
    assert_eq!(settled(&host, "n1")["last_error"], Value::Null);
}

#[test]
fn what_is_known_of_the_power_survives_a_restart_and_can_be_sorted_by() {
    let host = HostProcess::with_fake();
    for name in ["n1", "n2", "n3"] {
        host.create_node(name);
    }
    for (name, target) in [("n1", "power on"), ("n2", "power off")] {
        power(&host, name, target).expect(202);
        settled(&host, name);
    }
    let host = host.restart(|builder| builder);
    assert_eq!(host.node_field("n1", "power_state"), "power on");
    let sorted = host
        .get("/v1/nodes?sort_key=power_state&fields=name")
        .expect(200)
        .json();
    let names: Vec<_> = sorted["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["n3", "n2", "n1"]);
}

#[test]
fn standard_calls_are_counted_under_their_names() {
    let host = HostProcess::with_fake();
    host.create_node("n1");
    power(&host, "n1", "power on").expect(202);
    settled(&host, "n1");
    host.get("/v1/nodes/n1/management/boot_device").expect(200);
    let page = host.get("/metrics").expect(200);
    for (method, calls) in [
        ("power:set", 1),
        ("power:get", 2),
        ("management:get_boot_device", 1),
    ] {
        let line = format!(
            "driver_host_calls_total{{driver=\"fake\",on=\"node\",method=\"{method}\",outcome=\"succeeded\"}} {calls}"
        );
        assert!(page.text().contains(&line), "{line}\n{}", page.text());
    }
    let methods = host.get("/v1/nodes/n1/vendor_passthru/methods").expect(200);
    assert!(!methods.text().contains("power:"), "{}", methods.text());
}
