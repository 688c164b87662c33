//! One exclusive call per node at a time, and what others see meanwhile.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use suite::{FAKE, HostProcess, Reply, Request, eventually};

const SOON: Duration = Duration::from_secs(10);

fn request(host: &HostProcess, method: &str, body: Value) -> Request {
    host.request("POST", &format!("/v1/nodes/n1/vendor_passthru/{method}"))
        .json(&body)
}

fn call(host: &HostProcess, method: &str, body: Value) -> Reply {
    request(host, method, body).send()
}

/// A host with a node whose lock an async call holds for `seconds`, and that gives others up after `wait_ms`.
fn held(seconds: f64, wait_ms: u32) -> (HostProcess, String) {
    let host = HostProcess::builder()
        .driver(FAKE)
        .set("locks.wait_ms", i64::from(wait_ms))
        .start();
    let uuid = host.create_node("n1");
    call(&host, "sleep_async", json!({"seconds": seconds})).expect(202);
    (host, uuid)
}

fn until_free(host: &HostProcess) {
    eventually("the lock is free", SOON, || {
        (host.node_field("n1", "reservation") == Value::Null).then_some(())
    });
}

#[test]
fn a_locked_node_is_409_in_ironics_words_with_method_since_when_and_retry_after() {
    let (host, uuid) = held(3.0, 100);
    for (method, body) in [("echo_sync", json!({})), ("first_method", json!({"bar": "baz"}))] {
        let reply = call(&host, method, body);
        let text = reply.refused(
            409,
            &format!("Node {uuid} is locked by host suite-host, please retry after the current operation is completed."),
        );
        assert!(
            text.starts_with(&format!("Node {uuid} is locked by host suite-host,")),
            "{text}"
        );
        assert!(text.contains("sleep_async"), "the method that holds it: {text}");
        assert!(text.contains("since 20"), "since when: {text}");
        let seconds: u32 = reply.must_have("Retry-After").parse().expect("seconds");
        assert!((1..=60).contains(&seconds), "{seconds}");
        assert!(
            reply.took >= Duration::from_millis(100) && reply.took < Duration::from_secs(2),
            "{:?}",
            reply.took
        );
    }
    until_free(&host);
    call(&host, "echo_sync", json!({})).expect(200);
}

#[test]
fn the_reservation_is_shown_while_the_lock_is_held() {
    let (host, _) = held(0.5, 100);
    assert_eq!(host.node_field("n1", "reservation"), "suite-host");
    until_free(&host);
}

#[test]
fn a_call_waits_for_the_lock_and_then_runs() {
    let (host, _) = held(0.5, 5000);
    let reply = call(&host, "echo_sync", json!({"a": 1})).expect(200);
    assert_eq!(reply.json()["args"], json!({"a": 1}));
    assert!(reply.took >= Duration::from_millis(200), "{:?}", reply.took);
}

#[test]
fn changes_of_a_locked_node_are_409_and_reads_are_not() {
    let (host, _) = held(3.0, 100);
    let locked = "please retry after the current operation is completed.";
    let operations = json!([{"op": "add", "path": "/extra/x", "value": 1}]);
    host.request("PATCH", "/v1/nodes/n1")
        .json(&operations)
        .send()
        .refused(409, locked);
    host.request("DELETE", "/v1/nodes/n1").send().refused(409, locked);
    host.request("PUT", "/v1/nodes/n1/maintenance")
        .send()
        .refused(409, locked);
    host.request("DELETE", "/v1/nodes/n1/maintenance")
        .send()
        .refused(409, locked);
    for target in [
        "/v1/nodes/n1",
        "/v1/nodes",
        "/v1/nodes/n1/validate",
        "/v1/nodes/n1/vendor_passthru/methods",
    ] {
        let reply = host.get(target).expect(200);
        assert!(
            reply.took < Duration::from_secs(1),
            "{target} took {:?}",
            reply.took
        );
    }
    assert_eq!(host.node_field("n1", "reservation"), "suite-host", "still held");
}

#[test]
fn a_shared_method_runs_beside_the_lock_and_holds_nothing_off() {
    let (host, _) = held(2.0, 100);
    let shared = call(&host, "echo_shared", json!({})).expect(200);
    assert!(shared.took < Duration::from_secs(1), "{:?}", shared.took);
    call(&host, "fourth_method_shared_lock", json!({"bar": "woof"})).expect(202);
    assert_eq!(host.node_field("n1", "reservation"), "suite-host", "still held");
}

#[test]
fn mistakes_that_need_no_lock_are_told_on_a_locked_node() {
    let (host, _) = held(3.0, 100);
    call(&host, "nope", json!({})).refused(400, "No handler for method nope");
    let get = host
        .request("GET", "/v1/nodes/n1/vendor_passthru/first_method")
        .send();
    get.refused(400, "The method first_method does not support HTTP GET");
    let bad = host
        .request("POST", "/v1/nodes/n1/vendor_passthru/echo_sync")
        .body("{")
        .send();
    bad.refused(400, "line 1 column");
    // missing arguments are the driver's business, and the driver comes after the lock
    call(&host, "first_method", json!({})).refused(409, "is locked by host");
}

#[test]
fn a_failed_or_refused_call_frees_the_lock() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .set("locks.wait_ms", 0)
        .start();
    host.create_node("n1");
    call(&host, "fail_sync", json!({"kind": "internal", "message": "x"})).expect(500);
    call(&host, "first_method", json!({})).expect(400);
    call(&host, "echo_sync", json!({})).expect(200);
}

#[test]
fn waiting_is_fair_first_come_first_served() {
    let (host, _) = held(1.0, 20_000);
    let mut waiting = Vec::new();
    for n in 0..20 {
        waiting.push(
            request(
                &host,
                "log_passthrough",
                json!({"bar": 1, "turn": format!("turn-{n:02}")}),
            )
            .start(),
        );
        let enough = Instant::now();
        // apart, so that they arrive in this order; on one machine connections are accepted in order
        eventually("a moment passes", SOON, || {
            (enough.elapsed() > Duration::from_millis(15)).then_some(())
        });
    }
    for reply in waiting {
        reply.wait().expect(202);
    }
    let turns = || {
        let lines = host.log.lines_with(&["turn-"]);
        let turn = |line: &String| line.find("turn-").map(|at| line[at..at + 7].to_owned());
        let mut turns: Vec<String> = lines.iter().filter_map(turn).collect();
        turns.dedup();
        (turns.len() >= 20).then_some(turns)
    };
    let turns = eventually("all have had their turn", SOON, turns);
    assert_eq!(turns, (0..20).map(|n| format!("turn-{n:02}")).collect::<Vec<_>>());
}

#[test]
fn the_number_of_waiters_is_bounded_and_the_next_is_refused_at_once() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .set("locks.wait_ms", 20_000)
        .set("locks.max_waiters", 3)
        .start();
    host.create_node("n1");
    call(&host, "sleep_async", json!({"seconds": 2})).expect(202);
    let waiting: Vec<_> = (0..6)
        .map(|_| request(&host, "echo_sync", json!({})).start())
        .collect();
    let replies: Vec<Reply> = waiting.into_iter().map(suite::Pending::wait).collect();
    let refused: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 409).collect();
    assert_eq!(
        refused.len(),
        3,
        "{:?}",
        replies.iter().map(|reply| reply.status).collect::<Vec<_>>()
    );
    for reply in refused {
        reply.refused(409, "is locked by host");
        assert!(reply.took < Duration::from_millis(1500), "{:?}", reply.took);
    }
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 3);
}

#[test]
fn a_client_that_goes_away_leaves_the_lock_until_the_driver_returns() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .set("locks.wait_ms", 0)
        .start();
    let uuid = host.create_node("n1");
    let started = Instant::now();
    let gone = request(&host, "sleep_sync", json!({"seconds": 1.5})).start();
    eventually("the call holds the lock", SOON, || {
        (host.node_field("n1", "reservation") == "suite-host").then_some(())
    });
    gone.go_away();
    call(&host, "echo_sync", json!({})).refused(409, &format!("Node {uuid} is locked"));
    until_free(&host);
    assert!(
        started.elapsed() >= Duration::from_millis(1400),
        "freed before the driver returned"
    );
    call(&host, "echo_sync", json!({})).expect(200);
}

#[test]
fn a_waiter_that_goes_away_takes_no_turn() {
    let (host, _) = held(1.0, 20_000);
    let gone = request(&host, "log_passthrough", json!({"bar": 1, "turn": "turn-gone"})).start();
    let stays = request(&host, "log_passthrough", json!({"bar": 1, "turn": "turn-stays"})).start();
    gone.go_away();
    stays.wait().expect(202);
    eventually("the other had its turn", SOON, || {
        host.log.lines_with(&["turn-stays"]).first().cloned()
    });
    assert!(
        host.log.lines_with(&["turn-gone"]).is_empty(),
        "{:?}",
        host.log.lines_with(&["turn-gone"])
    );
}

#[test]
fn locks_of_different_nodes_have_nothing_to_do_with_each_other() {
    let (host, _) = held(2.0, 100);
    host.create_node("n2");
    let reply = host
        .post("/v1/nodes/n2/vendor_passthru/echo_sync", json!({}))
        .expect(200);
    assert!(reply.took < Duration::from_secs(1), "{:?}", reply.took);
}
