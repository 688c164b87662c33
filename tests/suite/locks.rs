//! One exclusive call per node at a time, and what others see meanwhile.

use std::time::Duration;

use serde_json::{Value, json};
use suite::{FAKE, Gate, HostBuilder, HostProcess, Pending, Reply, Request, SLOW, eventually};

const SOON: Duration = Duration::from_secs(60);

fn request(host: &HostProcess, method: &str, body: Value) -> Request {
    host.request("POST", &format!("/v1/nodes/n1/vendor_passthru/{method}"))
        .json(&body)
}

fn call(host: &HostProcess, method: &str, body: Value) -> Reply {
    request(host, method, body).send()
}

/// A host whose log tells who waits for a node's lock.
fn talkative() -> HostBuilder {
    HostProcess::builder()
        .driver(SLOW)
        .argument("--log-level=info,host::node::lock=debug")
}

/// Starts the host with a node whose lock an async call holds until the gate opens.
fn held(builder: HostBuilder) -> (HostProcess, String, Gate) {
    let host = builder.start();
    let uuid = host.create_node_of(SLOW, "n1");
    let gate = Gate::closed();
    call(&host, "hold_async", gate.arguments()).expect(202);
    (host, uuid, gate)
}

/// Starts the host with a node of the driver `fake` whose lock an async call holds as long as the test takes; others
/// give up at once.
fn held_for_good() -> HostProcess {
    let host = HostProcess::builder()
        .driver(FAKE)
        .set("locks.wait_ms", 0)
        .set("limits.shutdown_grace_ms", 100)
        .start();
    host.create_node("n1");
    call(&host, "sleep_async", json!({"seconds": 600})).expect(202);
    host
}

/// Waits until `calls` have come to wait for the lock.
fn until_waiting(host: &HostProcess, calls: usize) {
    eventually(&format!("{calls} calls wait for the lock"), SOON, || {
        (host.log.lines_with(&["waits for the node's lock"]).len() == calls).then_some(())
    });
}

fn until_free(host: &HostProcess) {
    eventually("the lock is free", SOON, || {
        (host.node_field("n1", "reservation") == Value::Null).then_some(())
    });
}

#[test]
fn a_locked_node_is_409_in_ironics_words_with_method_since_when_and_retry_after() {
    let (host, uuid, gate) = held(HostProcess::builder().driver(SLOW).set("locks.wait_ms", 100));
    for method in ["hold", "hold_async"] {
        let reply = call(&host, method, json!({}));
        let text = reply.refused(
            409,
            &format!("Node {uuid} is locked by host suite-host, please retry after the current operation is completed."),
        );
        assert!(
            text.starts_with(&format!("Node {uuid} is locked by host suite-host,")),
            "{text}"
        );
        assert!(text.contains("hold_async"), "the method that holds it: {text}");
        assert!(text.contains("since 20"), "since when: {text}");
        let seconds: u32 = reply.must_have("Retry-After").parse().expect("seconds");
        assert!((1..=60).contains(&seconds), "{seconds}");
        assert!(reply.took >= Duration::from_millis(100), "{:?}", reply.took);
    }
    gate.open();
    until_free(&host);
    call(&host, "hold", json!({})).expect(200);
}

#[test]
fn the_reservation_is_shown_while_the_lock_is_held() {
    let (host, _, gate) = held(HostProcess::builder().driver(SLOW));
    assert_eq!(host.node_field("n1", "reservation"), "suite-host");
    gate.open();
    until_free(&host);
}

#[test]
fn a_call_waits_for_the_lock_and_then_runs() {
    let (host, _, gate) = held(talkative());
    let waiting = request(&host, "hold", json!({})).start();
    until_waiting(&host, 1);
    assert!(!waiting.is_answered());
    gate.open();
    waiting.wait().expect(200);
}

#[test]
fn changes_of_a_locked_node_are_409_and_reads_are_not() {
    let (host, _, _gate) = held(HostProcess::builder().driver(SLOW).set("locks.wait_ms", 100));
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
        host.get(target).expect(200);
    }
    assert_eq!(host.node_field("n1", "reservation"), "suite-host", "still held");
}

#[test]
fn a_shared_method_runs_beside_the_lock_and_holds_nothing_off() {
    let host = held_for_good();
    call(&host, "echo_shared", json!({})).expect(200);
    call(&host, "fourth_method_shared_lock", json!({"bar": "woof"})).expect(202);
    assert_eq!(host.node_field("n1", "reservation"), "suite-host", "still held");
}

#[test]
fn mistakes_that_need_no_lock_are_told_on_a_locked_node() {
    let host = held_for_good();
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
    let (host, _, gate) = held(talkative());
    let name = |n: usize| format!("turn-{n:02}");
    let mut waiting = Vec::new();
    for n in 0..20 {
        waiting.push(request(&host, "take_turn", json!({"name": name(n)})).start());
        until_waiting(&host, n + 1);
    }
    gate.open();
    for reply in waiting {
        reply.wait().expect(202);
    }
    let turns = || {
        let lines = host.log.lines_with(&["turn-"]);
        let turn = |line: &String| line.find("turn-").map(|at| line[at..at + 7].to_owned());
        let turns: Vec<String> = lines.iter().filter_map(turn).collect();
        (turns.len() >= 20).then_some(turns)
    };
    let turns = eventually("all have had their turn", SOON, turns);
    assert_eq!(turns, (0..20).map(name).collect::<Vec<_>>());
}

#[test]
fn the_number_of_waiters_is_bounded_and_the_next_is_refused_at_once() {
    let (host, _, gate) = held(HostProcess::builder().driver(SLOW).set("locks.max_waiters", 3));
    let waiting: Vec<Pending> = (0..6)
        .map(|_| request(&host, "hold", json!({})).start())
        .collect();
    eventually("three are refused while the lock is held", SOON, || {
        (waiting.iter().filter(|call| call.is_answered()).count() == 3).then_some(())
    });
    gate.open();
    let replies: Vec<Reply> = waiting.into_iter().map(Pending::wait).collect();
    for refused in replies.iter().filter(|reply| reply.status != 200) {
        refused.refused(409, "is locked by host");
    }
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 3);
}

#[test]
fn a_client_that_goes_away_leaves_the_lock_until_the_driver_returns() {
    let host = HostProcess::builder()
        .driver(SLOW)
        .set("locks.wait_ms", 0)
        .start();
    let uuid = host.create_node_of(SLOW, "n1");
    let gate = Gate::closed();
    let gone = request(&host, "hold", gate.arguments()).start();
    gate.wait_for(1);
    gone.go_away();
    for _ in 0..20 {
        call(&host, "hold", json!({})).refused(409, &format!("Node {uuid} is locked"));
    }
    gate.open();
    until_free(&host);
    call(&host, "hold", json!({})).expect(200);
}

#[test]
fn a_waiter_that_goes_away_takes_no_turn() {
    let (host, _, gate) = held(talkative().set("locks.max_waiters", 2));
    let turn = |name: &str| request(&host, "take_turn", json!({ "name": name })).start();
    let gone = turn("turn-gone");
    until_waiting(&host, 1);
    let stays = turn("turn-stays");
    until_waiting(&host, 2);
    gone.go_away();
    // as soon as the host has seen that it went, there is room for another one
    let last = eventually("its place is free", SOON, || {
        let last = turn("turn-last");
        eventually("it waits or is refused", SOON, || {
            let waits = host.log.lines_with(&["waits for the node's lock"]).len() == 3;
            (waits || last.is_answered()).then_some(())
        });
        (!last.is_answered()).then_some(last)
    });
    gate.open();
    stays.wait().expect(202);
    last.wait().expect(202);
    host.logged(&["turn-last"]);
    assert_eq!(host.log.lines_with(&["turn-stays"]).len(), 1);
    let gone = host.log.lines_with(&["turn-gone"]);
    assert!(gone.is_empty(), "{gone:?}");
}

#[test]
fn locks_of_different_nodes_have_nothing_to_do_with_each_other() {
    let (host, _, _gate) = held(HostProcess::builder().driver(SLOW));
    host.create_node_of(SLOW, "n2");
    host.post("/v1/nodes/n2/vendor_passthru/hold", json!({}))
        .expect(200);
    assert_eq!(host.node_field("n1", "reservation"), "suite-host", "still held");
}
