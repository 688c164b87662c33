//! The records of calls whose client does not wait: where they are, what they say, how long they are kept.

use std::time::Duration;

use serde_json::{Value, json};
use suite::{FAKE, Gate, HostProcess, Reply, SLOW, eventually};

const SOON: Duration = Duration::from_secs(20);

fn slow() -> HostProcess {
    HostProcess::builder().driver(FAKE).driver(SLOW).start()
}

/// Calls a method of the node `n1`.
fn call(host: &HostProcess, method: &str, arguments: Value) -> Reply {
    host.post(&format!("/v1/nodes/n1/vendor_passthru/{method}"), arguments)
}

/// The path of the record that a reply points to.
fn location(reply: &Reply) -> String {
    reply.must_have("Location").to_owned()
}

/// The record, once it is in a state.
fn in_state(host: &HostProcess, path: &str, state: &str) -> Value {
    eventually(&format!("{path} is {state}"), SOON, || {
        let record = host.get(path).expect(200).json();
        (record["state"] == state).then_some(record)
    })
}

/// The ids of a list.
fn ids(page: &Value) -> Vec<&str> {
    let calls = page["calls"].as_array().expect("a list");
    calls
        .iter()
        .map(|call| call["id"].as_str().expect("an id"))
        .collect()
}

#[test]
fn an_accepted_call_has_a_record_that_runs_and_then_has_the_result() {
    let host = slow();
    let node = host.create_node_of(SLOW, "n1");
    let gate = Gate::closed();
    let accepted = call(&host, "hold_async", gate.arguments()).expect(202);
    assert_eq!(accepted.text(), "", "as Ironic, without a body");
    let path = location(&accepted);
    let record = host.get(&path).expect(200).json();
    let id = path.strip_prefix("/v1/calls/").expect("the path of a record");
    assert_eq!(
        [
            &record["id"],
            &record["state"],
            &record["driver"],
            &record["method"]
        ],
        [id, "running", "slow", "hold_async"]
    );
    assert_eq!(record["node_uuid"], node);
    assert_eq!(record["host"], "suite-host");
    assert_eq!(record["request_id"], accepted.must_have("X-OpenStack-Request-Id"));
    assert_eq!(
        record["links"],
        json!([{"href": format!("{}{path}", host.url()), "rel": "self"}])
    );
    for unknown in [
        "finished_at",
        "error",
        "result",
        "late_outcome",
        "cancel_requested_at",
    ] {
        assert_eq!(record[unknown], Value::Null, "{unknown}");
    }
    gate.open();
    let record = in_state(&host, &path, "succeeded");
    assert_eq!(record["result"], "done");
    assert!(record["finished_at"].as_str() > record["started_at"].as_str());
}

#[test]
fn deferred_calls_and_those_of_a_driver_itself_have_records_too() {
    let host = slow();
    host.create_node_of(SLOW, "n1");
    let gate = Gate::closed();
    let deferred = location(&call(&host, "defer_async", gate.arguments()).expect(202));
    let of_driver = host
        .post("/v1/drivers/slow/vendor_passthru/block_async", gate.arguments())
        .expect(202);
    for path in [&deferred, &location(&of_driver)] {
        assert_eq!(host.get(path).expect(200).json()["state"], "running");
    }
    gate.open();
    assert_eq!(in_state(&host, &deferred, "succeeded")["result"], "done");
    let record = in_state(&host, &location(&of_driver), "succeeded");
    assert_eq!(record["node_uuid"], Value::Null);
}

#[test]
fn a_failed_call_says_why_for_people_and_for_programs() {
    let host = slow();
    host.create_node("n1");
    let arguments = json!({"kind": "unavailable", "message": "the BMC is silent"});
    let path = location(&call(&host, "fail_async", arguments).expect(202));
    let record = in_state(&host, &path, "failed");
    assert_eq!(record["error"]["kind"], "unavailable");
    assert_eq!(record["error"]["message"], "the BMC is silent");
    assert_eq!(record["result"], Value::Null);
}

#[test]
fn only_calls_whose_client_does_not_wait_are_recorded() {
    let host = slow();
    host.create_node("n1");
    let answered = call(&host, "echo_sync", json!({})).expect(200);
    assert_eq!(answered.header("Location"), None);
    call(&host, "second_method", json!({})).refused(400, "Parameter 'bar' not passed");
    assert_eq!(host.get("/v1/calls").expect(200).json(), json!({"calls": []}));
}

#[test]
fn a_sync_call_past_its_deadline_points_to_a_record_that_gets_the_late_outcome() {
    let host = HostProcess::builder()
        .driver(SLOW)
        .set("calls.timeout_ms", 300)
        .start();
    host.create_node_of(SLOW, "n1");
    for method in ["hold", "defer_sync"] {
        let gate = Gate::closed();
        let late = call(&host, method, gate.arguments());
        late.refused(504, "the call goes on");
        let path = location(&late);
        let record = host.get(&path).expect(200).json();
        assert_eq!(record["state"], "timed_out");
        assert_eq!(record["error"]["kind"], "timeout");
        assert_eq!(record["late_outcome"], Value::Null);
        gate.open();
        let late = eventually("the late outcome", SOON, || {
            let record = host.get(&path).expect(200).json();
            assert_eq!(record["state"], "timed_out", "final for the client");
            (!record["late_outcome"].is_null()).then(|| record["late_outcome"].clone())
        });
        assert_eq!([&late["state"], &late["result"]], ["succeeded", "done"]);
        assert!(late["finished_at"].is_string() && late["error"].is_null());
    }
}

#[test]
fn an_async_call_past_its_deadline_says_so_before_the_driver_returns() {
    let host = HostProcess::builder()
        .driver(SLOW)
        .set("calls.timeout_ms", 300)
        .start();
    for (name, method) in [("n1", "hold_async"), ("n2", "defer_async")] {
        host.create_node_of(SLOW, name);
        let gate = Gate::closed();
        let target = format!("/v1/nodes/{name}/vendor_passthru/{method}");
        let path = location(&host.post(&target, gate.arguments()).expect(202));
        let record = in_state(&host, &path, "timed_out");
        assert_eq!(record["late_outcome"], Value::Null);
        let error = eventually("the node says so", SOON, || {
            let error = host.node_field(name, "last_error");
            error.as_str().map(str::to_owned)
        });
        let text = format!("Async execution of {method} failed with error: the driver did not answer");
        assert!(error.starts_with(&text), "{error}");
        gate.open();
        eventually("the late outcome", SOON, || {
            let record = host.get(&path).expect(200).json();
            (record["late_outcome"]["state"] == "succeeded").then_some(())
        });
        eventually("the node is as it was", SOON, || {
            host.node_field(name, "last_error").is_null().then_some(())
        });
    }
}

#[test]
fn a_running_call_can_be_asked_to_stop_and_an_ended_one_cannot() {
    let host = slow();
    host.create_node_of(SLOW, "n1");
    let path = location(&call(&host, "until_cancelled_async", json!({})).expect(202));
    let id = path.strip_prefix("/v1/calls/").expect("an id");
    let asked = host.request("DELETE", &path).send().expect(202).json();
    assert_eq!(asked["id"], id);
    assert!(asked["cancel_requested_at"].is_string(), "{asked}");
    let record = in_state(&host, &path, "succeeded");
    assert_eq!(record["cancel_requested_at"], asked["cancel_requested_at"]);
    host.request("DELETE", &path).send().refused(
        409,
        &format!("Call {id} cannot be cancelled: the driver is not busy with it any more"),
    );
    let nobody = "00000000-0000-7000-8000-000000000000";
    for verb in ["GET", "DELETE"] {
        for id in [nobody, "x"] {
            host.request(verb, &format!("/v1/calls/{id}"))
                .send()
                .refused(404, &format!("Call {id} could not be found."));
        }
    }
    host.request("PUT", &path)
        .send()
        .refused(405, "allowed: GET, DELETE");
}

#[test]
fn lists_are_newest_first_in_pages_by_node_and_by_state() {
    let host = slow();
    let mut made = Vec::new();
    for (n, name) in ["n1", "n2", "n1", "n2", "n1"].into_iter().enumerate() {
        if n < 2 {
            host.create_node(name);
        }
        let method = if n == 2 { "fail_async" } else { "sleep_async" };
        let arguments = if n == 2 {
            json!({"kind": "internal", "message": "boom"})
        } else {
            json!({"seconds": 0})
        };
        let target = format!("/v1/nodes/{name}/vendor_passthru/{method}");
        let path = location(&host.post(&target, arguments).expect(202));
        in_state(&host, &path, if n == 2 { "failed" } else { "succeeded" });
        made.push(path.strip_prefix("/v1/calls/").expect("an id").to_owned());
    }
    made.reverse();

    let all = host.get("/v1/calls").expect(200).json();
    assert_eq!(ids(&all), made);
    assert_eq!(all["next"], Value::Null);
    assert!(
        all["calls"][0].get("result").is_none(),
        "results are not in lists"
    );
    let mut next = "/v1/calls?limit=2".to_owned();
    for expected in [&made[..2], &made[2..4], &made[4..]] {
        let page = host.get(&next).expect(200).json();
        assert_eq!(ids(&page), expected);
        let link = page["next"].as_str().map(|link| link.replace(&host.url(), ""));
        assert_eq!(link.is_none(), expected == &made[4..]);
        next = link.unwrap_or_default();
    }
    let of_node = host.get("/v1/nodes/n2/calls").expect(200).json();
    assert_eq!(ids(&of_node), [&made[1], &made[3]]);
    let page = host
        .get("/v1/nodes/n1/calls?limit=1&state=succeeded")
        .expect(200)
        .json();
    assert_eq!(ids(&page), [&made[0]]);
    let link = page["next"]
        .as_str()
        .expect("a next page")
        .replace(&host.url(), "");
    assert_eq!(ids(&host.get(&link).expect(200).json()), [&made[4]]);
    let failed = host.get("/v1/calls?state=failed").expect(200).json();
    assert_eq!(ids(&failed), [&made[2]]);
}

#[test]
fn what_is_asked_for_wrongly_is_refused_with_what_was_expected() {
    let host = slow();
    let refused = |target: &str, status, text: &str| host.get(target).refused(status, text);
    refused("/v1/calls?limit=0", 400, "Limit must be positive");
    refused("/v1/calls?limit=x", 400, "Expected an integer for limit: x");
    refused(
        "/v1/calls?state=done",
        400,
        "Invalid state: expected one of running, succeeded, failed, timed_out, interrupted; found 'done'",
    );
    refused("/v1/calls?marker=x", 404, "Call x could not be found.");
    refused("/v1/calls?colour=red", 400, "Unexpected arguments: colour");
    refused("/v1/nodes/n9/calls", 404, "Node n9 could not be found.");
}

#[test]
fn only_so_many_ended_calls_are_kept_and_all_that_run() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .driver(SLOW)
        .set("records.max", 2)
        .start();
    host.create_node_of(SLOW, "held");
    host.create_node("n1");
    let gate = Gate::closed();
    let held = host
        .post("/v1/nodes/held/vendor_passthru/hold_async", gate.arguments())
        .expect(202);
    let mut paths = Vec::new();
    for _ in 0..4 {
        let path = location(&call(&host, "sleep_async", json!({"seconds": 0})).expect(202));
        in_state(&host, &path, "succeeded");
        paths.push(path);
    }
    for gone in &paths[..2] {
        host.get(gone).refused(404, "could not be found");
    }
    for kept in [&paths[2], &paths[3], &location(&held)] {
        host.get(kept).expect(200);
    }
    gate.open();
    in_state(&host, &location(&held), "succeeded");
    host.get(&paths[2]).refused(404, "could not be found");
}

#[test]
fn records_are_there_after_a_restart() {
    let host = slow();
    host.create_node("n1");
    let path = location(&call(&host, "sleep_async", json!({"seconds": 0})).expect(202));
    let before = in_state(&host, &path, "succeeded");
    let host = host.restart(|builder| builder);
    let mut after = host.get(&path).expect(200).json();
    after["links"] = before["links"].clone();
    assert_eq!(after, before);
}
