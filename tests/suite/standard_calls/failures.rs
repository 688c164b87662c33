//! Changes of power that fail, take too long or are cut off.

use serde_json::{Value, json};
use suite::{MOODY, SmallDisk};

use super::moody::{self, Machine};
use super::{power, record, recorded, settled, states};

#[test]
fn a_change_that_fails_says_why_in_ironic_s_words_and_the_state_is_read_all_the_same() {
    let host = moody::host();
    for (mood, fault, state) in [
        ("refuses", "an update is running", "power off"),
        ("fails half-way", "the line is dead", "power on"),
        (
            "forgets",
            "the driver dropped the call without an answer",
            "power off",
        ),
    ] {
        let name = mood.replace(' ', "-");
        let machine = Machine::new(&host, &name, mood);
        power(&host, &name, "power on").expect(202);
        let states = settled(&host, &name);
        assert_eq!(
            states["last_error"],
            format!("Failed to change power state to 'power on' by 'power on': {fault}"),
        );
        assert_eq!(
            [&states["power_state"], &states["target_power_state"]],
            [&json!(state), &Value::Null]
        );
        assert_eq!(recorded(&host, &name, "failed")["error"]["message"], fault);
        assert_eq!(machine.seen().last().unwrap(), "GET power:get", "{mood}");
    }
}

#[test]
fn a_device_that_cannot_be_read_is_not_changed() {
    let host = moody::host();
    let machine = Machine::new(&host, "n1", "");
    power(&host, "n1", "rebooting").expect(202);
    assert_eq!(settled(&host, "n1")["power_state"], "power on");
    machine.answers("power", "fault: nobody is there");
    power(&host, "n1", "power off").expect(202);
    let states = settled(&host, "n1");
    assert_eq!(
        states["last_error"],
        "Failed to change power state to 'power off': nobody is there"
    );
    assert_eq!(states["power_state"], "power on", "what was known stays");
    assert_eq!(
        machine
            .seen()
            .iter()
            .filter(|line| line.starts_with("PUT"))
            .count(),
        1
    );
    assert_eq!(recorded(&host, "n1", "failed")["error"]["kind"], "unavailable");
}

#[test]
fn after_a_change_that_cannot_be_read_nobody_knows_the_state() {
    let host = moody::host();
    let machine = Machine::new(&host, "n1", "lies");
    machine.answers("power", "fault: nobody is there");
    power(&host, "n1", "rebooting").expect(202);
    let states = settled(&host, "n1");
    assert_eq!(
        states["last_error"],
        "Failed to change power state to 'power on' by 'rebooting': nobody is there"
    );
    assert_eq!(states["power_state"], Value::Null);
}

#[test]
fn an_answer_that_is_no_power_state_is_the_driver_s_fault() {
    let host = moody::host();
    let machine = Machine::new(&host, "n1", "");
    machine.answers("power", "\"On\"");
    power(&host, "n1", "power on").expect(202);
    let error = settled(&host, "n1")["last_error"].clone();
    let expected = "the driver's answer to power:get cannot be used: expected \"power on\", \"power off\", \"error\" or null, \
                    found another string";
    assert_eq!(
        error,
        format!("Failed to change power state to 'power on': {expected}")
    );
    assert_eq!(recorded(&host, "n1", "failed")["error"]["kind"], "bad-reply");
}

#[test]
fn a_driver_that_says_it_worked_is_not_believed() {
    let host = moody::host();
    let machine = Machine::new(&host, "n1", "lies");
    let body = json!({"target": "power on", "timeout": 1});
    host.request("PUT", "/v1/nodes/n1/states/power")
        .json(&body)
        .send()
        .expect(202);
    let states = settled(&host, "n1");
    assert_eq!(
        states["last_error"],
        "Failed to change power state to 'power on' by 'power on': Failed to set node power state to power on. \
         The device reports power off"
    );
    assert_eq!(states["power_state"], "power off");
    assert_eq!(recorded(&host, "n1", "failed")["error"]["kind"], "not-reached");
    drop(machine);
}

#[test]
fn a_power_failure_ends_the_wait_at_once() {
    let host = moody::host();
    let machine = Machine::new(&host, "n1", "lies");
    machine.answers("power", "\"error\"");
    power(&host, "n1", "rebooting").expect(202);
    let states = settled(&host, "n1");
    assert_eq!(states["power_state"], "error");
    let error = states["last_error"].as_str().unwrap();
    assert!(error.ends_with("The device reports error"), "{error}");
}

#[test]
fn past_its_deadline_a_change_keeps_lock_and_target_until_the_driver_is_done() {
    let host = suite::HostProcess::builder()
        .driver(MOODY)
        .set("drivers.moody.call_timeout_ms", 300)
        .start();
    let machine = Machine::new(&host, "n1", "waits");
    power(&host, "n1", "power on").expect(202);
    machine.until_told();
    let late = recorded(&host, "n1", "timed_out");
    assert_eq!(late["late_outcome"], Value::Null);
    let now = suite::eventually("the node says so", super::SOON, || {
        let now = states(&host, "n1");
        now["last_error"].is_string().then_some(now)
    });
    let error = now["last_error"].as_str().unwrap();
    assert!(
        error.starts_with("Failed to change power state to 'power on' by 'power on': the driver did not answer power:set within 300 ms"),
        "{error}"
    );
    assert_eq!(now["target_power_state"], "power on", "the driver is still at it");
    assert_eq!(host.node_field("n1", "reservation"), "suite-host");
    machine.open();
    let states = settled(&host, "n1");
    assert_eq!(
        [
            &states["power_state"],
            &states["target_power_state"],
            &states["last_error"]
        ],
        [&json!("power on"), &Value::Null, &Value::Null],
        "the late success is what holds"
    );
    let outcome = suite::eventually("the late outcome", super::SOON, || {
        let record = record(&host, "n1");
        record["late_outcome"].is_object().then_some(record)
    });
    assert_eq!(
        [&outcome["state"], &outcome["late_outcome"]["state"]],
        ["timed_out", "succeeded"]
    );
}

#[test]
fn a_client_may_ask_to_stop_waiting_for_the_device() {
    let host = moody::host();
    let machine = Machine::new(&host, "n1", "lies");
    power(&host, "n1", "power on").expect(202);
    suite::eventually("it is read after the change", super::SOON, || {
        (machine.seen().len() >= 3).then_some(())
    });
    let running = record(&host, "n1");
    let path = format!("/v1/calls/{}", running["id"].as_str().unwrap());
    host.request("DELETE", &path).send().expect(202);
    let record = recorded(&host, "n1", "failed");
    assert!(record["cancel_requested_at"].is_string(), "{record}");
    assert_eq!(settled(&host, "n1")["target_power_state"], Value::Null);
}

#[test]
fn while_nothing_can_be_written_no_change_begins_and_one_that_ends_says_so_later() {
    let disk = SmallDisk::new();
    let host = suite::HostProcess::builder()
        .driver(MOODY)
        .set("database.path", disk.path().join("host.db").to_str().unwrap())
        .start();
    let machine = Machine::new(&host, "n1", "waits");
    let idle = Machine::new(&host, "n2", "");
    power(&host, "n1", "power on").expect(202);
    machine.until_told();
    disk.fill();
    suite::eventually("changes are refused", super::SOON, || {
        let refused = power(&host, "n2", "rebooting");
        settled(&host, "n2");
        (refused.status == 503).then_some(())
    });
    let before = idle.seen();
    power(&host, "n2", "rebooting").refused(503, "so it was not begun");
    assert_eq!(idle.seen(), before);
    assert_eq!(states(&host, "n2")["target_power_state"], Value::Null);
    machine.open();
    host.logged(&["what became of a power change could not be stored"]);
    assert_eq!(states(&host, "n1")["target_power_state"], "power on");
    disk.free();
    suite::eventually("the node says how the change ended", super::SOON, || {
        let now = states(&host, "n1");
        let over = now["target_power_state"] == Value::Null && now["power_state"] == "power on";
        over.then_some(())
    });
    recorded(&host, "n1", "succeeded");
    power(&host, "n1", "power off").expect(202);
    assert_eq!(settled(&host, "n1")["power_state"], "power off");
}

#[test]
fn a_change_that_its_host_did_not_survive_is_over_and_nobody_knows_the_state() {
    let host = moody::host();
    let machine = Machine::new(&host, "n1", "waits");
    Machine::new(&host, "n2", "");
    power(&host, "n1", "rebooting").expect(202);
    machine.until_told();
    power(&host, "n2", "rebooting").expect(202);
    assert_eq!(settled(&host, "n2")["power_state"], "power on");
    let host = host.crash_and_restart();
    let states = states(&host, "n1");
    assert_eq!(
        [&states["power_state"], &states["target_power_state"]],
        [&Value::Null, &Value::Null]
    );
    assert_eq!(
        states["last_error"],
        "Pending power operation was aborted due to conductor restart"
    );
    assert_eq!(host.node_field("n1", "reservation"), Value::Null);
    assert_eq!(record(&host, "n1")["state"], "interrupted");
    assert_eq!(
        host.node_field("n2", "power_state"),
        "power on",
        "others keep theirs"
    );
    machine.open();
    power(&host, "n1", "power off").expect(202);
    assert_eq!(settled(&host, "n1")["last_error"], Value::Null);
}
