//! Calls that a driver in the host's own process does not return: they are named and counted until it does.

use std::time::Duration;

use serde_json::{Value, json};
use suite::{Gate, HostBuilder, HostProcess, Reply, SLOW, eventually};

use crate::metrics::{Page, until};

const SOON: Duration = Duration::from_secs(30);
const STUCK: &str = "driver_host_stuck_calls{driver=\"slow\"}";

/// A host whose calls have little time and no grace.
fn impatient() -> HostBuilder {
    HostProcess::builder()
        .driver(SLOW)
        .set("drivers.slow.call_timeout_ms", 1000)
        .set("isolation.kill_grace_ms", 0)
}

fn call(host: &HostProcess, node: &str, method: &str, gate: &Gate) -> Reply {
    let target = format!("/v1/nodes/{node}/vendor_passthru/{method}");
    host.post(&target, gate.arguments())
}

fn is_stuck(host: &HostProcess, record: &str) -> Value {
    host.get(record).expect(200).json()["stuck"].clone()
}

#[test]
fn a_call_past_deadline_and_grace_is_reported_once_and_its_record_says_so_until_it_returns() {
    for (method, status) in [
        ("hold", 504),
        ("hold_async", 202),
        ("defer_sync", 504),
        ("defer_async", 202),
    ] {
        let host = impatient().start();
        let node = host.create_node_of(SLOW, "n1");
        let gate = Gate::closed();
        let reply = call(&host, "n1", method, &gate).expect(status);
        let record = reply.must_have("Location").to_owned();
        until(&host, STUCK, 1.0);
        assert_eq!(is_stuck(&host, &record), true, "{method}");
        for list in ["/v1/calls?state=timed_out", "/v1/nodes/n1/calls"] {
            let calls = host.get(list).expect(200).json();
            assert_eq!(calls["calls"][0]["stuck"], true, "{method}: {calls}");
        }
        assert_eq!(
            host.node_field(&node, "reservation"),
            "suite-host",
            "{method}: the driver may still be at it"
        );
        let request = reply.must_have("X-OpenStack-Request-Id").to_owned();
        let named = [
            "\"WARN\"",
            "the call is stuck: the driver has not returned 0 ms after its deadline",
            "\"driver\":\"slow\"",
            &format!("\"method\":\"{method}\""),
            &format!("\"node\":\"{node}\""),
            &request,
            "\"since\":\"20",
        ];
        host.logged(&named);
        let share = |limit: &str| format!("driver_host_share_in_use{{driver=\"slow\",limit=\"{limit}\"}}");
        let page = Page::of(&host);
        assert_eq!(page.value(&share("max_calls")), 1.0, "{method}");
        let threads = if method.starts_with("hold") { 1.0 } else { 0.0 };
        assert_eq!(page.value(&share("max_workers")), threads, "{method}");

        gate.open();
        until(&host, STUCK, 0.0);
        let record = eventually("the late outcome", SOON, || {
            let record = host.get(&record).expect(200).json();
            (record["late_outcome"]["state"] == "succeeded").then_some(record)
        });
        assert_eq!(
            [&record["state"], &record["stuck"]],
            [&json!("timed_out"), &json!(false)]
        );
        host.logged(&["the call is not stuck any more", &request]);
        assert_eq!(host.log.lines_with(&["the call is stuck"]).len(), 1, "{method}");
        until(&host, &share("max_calls"), 0.0);
        eventually("the node is free", SOON, || {
            host.node_field(&node, "reservation").is_null().then_some(())
        });
    }
}

#[test]
fn a_call_within_its_grace_and_one_that_has_returned_are_not_stuck() {
    let host = impatient().set("isolation.kill_grace_ms", 3_600_000).start();
    host.create_node_of(SLOW, "n1");
    let gate = Gate::closed();
    let reply = call(&host, "n1", "hold", &gate).expect(504);
    let record = reply.must_have("Location").to_owned();
    assert_eq!(is_stuck(&host, &record), false);
    gate.open();
    eventually("the late outcome", SOON, || {
        let record = host.get(&record).expect(200).json();
        record["late_outcome"].is_object().then_some(())
    });
    assert_eq!(is_stuck(&host, &record), false);
    assert_eq!(Page::of(&host).value(STUCK), 0.0);
    assert!(host.log.lines_with(&["stuck"]).is_empty());
}

#[test]
fn a_stuck_check_of_a_node_and_a_call_whose_client_has_left_are_reported_too() {
    let host = impatient().start();
    let gate = Gate::closed();
    let node = json!({"driver": "slow", "name": "n1", "driver_info": {"validate_until": gate.path()}});
    host.post("/v1/nodes", node).expect(201);
    host.get("/v1/nodes/n1/validate").refused(504, "validate");
    until(&host, STUCK, 1.0);
    host.logged(&["the call is stuck", "\"method\":\"validate\""]);
    let left = host
        .request("POST", "/v1/drivers/slow/vendor_passthru/block")
        .json(&gate.arguments())
        .start();
    gate.wait_for(2);
    left.go_away();
    until(&host, STUCK, 2.0);
    host.logged(&["the call is stuck", "\"method\":\"block\""]);
    assert_eq!(
        host.get("/v1/calls").expect(200).json(),
        json!({"calls": []}),
        "nobody was promised a record"
    );
    gate.open();
    until(&host, STUCK, 0.0);
    host.post("/v1/drivers/slow/vendor_passthru/echo", json!({}))
        .expect(200);
}

#[test]
fn a_driver_with_all_its_workers_stuck_gets_no_more_calls_and_costs_the_others_none() {
    let host = impatient()
        .driver(suite::FAKE)
        .set("drivers.slow.max_workers", 2)
        .start();
    let gate = Gate::closed();
    let block = "/v1/drivers/slow/vendor_passthru/block";
    for _ in 0..2 {
        host.post(block, gate.arguments()).expect(504);
    }
    until(&host, STUCK, 2.0);
    host.post(block, gate.arguments())
        .refused(503, "all 2 workers of the driver 'slow' are busy");
    host.post("/v1/drivers/fake/vendor_passthru/echo", json!({}))
        .expect(200);
    assert_eq!(
        Page::of(&host).value("driver_host_stuck_calls{driver=\"fake\"}"),
        0.0
    );
    gate.open();
    until(&host, STUCK, 0.0);
    host.post(block, json!({})).expect(200);
}

#[test]
fn a_call_in_a_process_of_its_driver_is_ended_instead_of_stuck() {
    let host = impatient().set("drivers.slow.isolation", "process").start();
    host.create_node_of(SLOW, "n1");
    let gate = Gate::closed();
    let reply = call(&host, "n1", "hold", &gate).expect(504);
    let record = reply.must_have("Location").to_owned();
    let record = eventually("its process is killed", SOON, || {
        let record = host.get(&record).expect(200).json();
        record["late_outcome"].is_object().then_some(record)
    });
    assert_eq!(record["state"], "timed_out");
    assert_eq!(record["late_outcome"]["state"], "interrupted", "{record}");
    assert_eq!(record["late_outcome"]["error"]["kind"], "worker-died", "{record}");
    assert_eq!(record["stuck"], false);
    assert_eq!(Page::of(&host).value(STUCK), 0.0);
    assert!(host.log.lines_with(&["stuck"]).is_empty());
}
