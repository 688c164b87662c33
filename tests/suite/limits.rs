//! The two limits, each driver's share of them, deadlines, and recovery.

use std::time::Duration;

use serde_json::{Value, json};
use suite::{DEFERRED, FAKE, Gate, HostProcess, PANICS, Pending, Reply, SLOW, eventually};

const SOON: Duration = Duration::from_secs(60);
const BUSY: &str = "Requested action cannot be performed due to lack of free conductor workers.";

/// Calls a method of the driver `slow` that takes until the gate opens.
fn at(gate: &Gate, host: &HostProcess, method: &str) -> Pending {
    host.request("POST", &format!("/v1/drivers/slow/vendor_passthru/{method}"))
        .json(&gate.arguments())
        .start()
}

fn statuses(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

fn answered(calls: &[Pending]) -> usize {
    calls.iter().filter(|call| call.is_answered()).count()
}

fn wait(calls: Vec<Pending>) -> Vec<Reply> {
    calls.into_iter().map(Pending::wait).collect()
}

fn echo(host: &HostProcess) -> Reply {
    host.post("/v1/drivers/fake/vendor_passthru/echo", json!({}))
}

#[test]
fn a_full_pool_refuses_at_once_with_503_reads_go_on_and_it_recovers_fully() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .driver(SLOW)
        .set("workers.max", 8)
        .set("drivers.slow.max_workers", 8)
        .start();
    host.create_node("n1");
    // in every round, all that the round before has held must be free again
    for round in 0..3 {
        let gate = Gate::closed();
        let held: Vec<Pending> = (0..8).map(|_| at(&gate, &host, "block")).collect();
        gate.wait_for(8);
        let refused = echo(&host);
        refused.refused(503, BUSY);
        let seconds: u32 = refused.must_have("Retry-After").parse().expect("seconds");
        assert!((1..=60).contains(&seconds), "{seconds}");
        let first_method = || host.post("/v1/nodes/n1/vendor_passthru/first_method", json!({"bar": "baz"}));
        first_method().refused(503, BUSY);
        assert_eq!(
            host.node_field("n1", "reservation"),
            Value::Null,
            "a refused call keeps no lock"
        );
        for target in [
            "/v1/drivers",
            "/v1/nodes",
            "/v1/nodes/n1",
            "/v1/drivers/fake/vendor_passthru/methods",
            "/healthz",
            "/readyz",
        ] {
            host.get(target).expect(200);
        }
        assert_eq!(answered(&held), 0, "all of that while the pool was full");
        gate.open();
        assert_eq!(statuses(&wait(held), 200), 8, "round {round}");
        first_method().expect(202);
        eventually("it has run", SOON, || {
            host.node_field("n1", "reservation").is_null().then_some(())
        });
    }
}

#[test]
fn the_drivers_check_of_a_node_needs_a_worker_as_well() {
    let host = HostProcess::builder().driver(SLOW).set("workers.max", 1).start();
    host.create_node_of(SLOW, "n1");
    let gate = Gate::closed();
    let held = at(&gate, &host, "block");
    gate.wait_for(1);
    let refused = host.get("/v1/nodes/n1/validate");
    refused.refused(503, BUSY);
    refused.must_have("Retry-After");
    gate.open();
    held.wait().expect(200);
    let report = host.get("/v1/nodes/n1/validate").expect(200).json();
    assert_eq!(report["vendor"]["result"], true, "{report}");

    let gate = Gate::closed();
    let info = json!({"validate_until": gate.path()});
    let node = json!({"driver": "slow", "name": "n2", "driver_info": info});
    host.post("/v1/nodes", node).expect(201);
    let held = host.request("GET", "/v1/nodes/n2/validate").start();
    gate.wait_for(1);
    host.get("/v1/nodes/n1/validate").refused(503, BUSY);
    gate.open();
    held.wait().expect(200);
}

#[test]
fn failed_and_panicking_calls_give_their_worker_back() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .driver(PANICS)
        .driver(SLOW)
        .driver_panics_expected()
        .set("workers.max", 2)
        .set("drivers.slow.max_workers", 2)
        .start();
    host.create_node("n1");
    for _ in 0..10 {
        let body = json!({"kind": "internal", "message": "x"});
        host.post("/v1/nodes/n1/vendor_passthru/fail_sync", body.clone())
            .expect(500);
        host.post("/v1/drivers/panics/vendor_passthru/blocking", json!({}))
            .expect(500);
        host.post("/v1/nodes/n1/vendor_passthru/fail_async", body)
            .expect(202);
        // whatever the worker of the call before has come to, it has let go of it before the node
        eventually("it has failed", SOON, || {
            host.node_field("n1", "reservation").is_null().then_some(())
        });
    }
    let gate = Gate::closed();
    let both = vec![at(&gate, &host, "block"), at(&gate, &host, "block")];
    gate.wait_for(2);
    gate.open();
    assert_eq!(statuses(&wait(both), 200), 2);
}

#[test]
fn a_hung_driver_has_only_its_share_of_the_workers_and_the_others_go_on() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .driver(SLOW)
        .set("workers.max", 8)
        .start();
    let gate = Gate::closed();
    let held: Vec<Pending> = (0..8).map(|_| at(&gate, &host, "block")).collect();
    gate.wait_for(4);
    eventually("half of them are refused", SOON, || {
        (answered(&held) == 4).then_some(())
    });
    for _ in 0..20 {
        echo(&host).expect(200);
    }
    // the other half is free: the 202 of each says that it has a worker
    for name in ["n1", "n2", "n3", "n4"] {
        host.create_node(name);
        let target = format!("/v1/nodes/{name}/vendor_passthru/sleep_async");
        host.post(&target, json!({"seconds": 600})).expect(202);
    }
    echo(&host).refused(503, BUSY);
    assert_eq!(answered(&held), 4, "all of that while the driver hung");
    gate.open();
    let replies = wait(held);
    assert_eq!((statuses(&replies, 200), statuses(&replies, 503)), (4, 4));
}

#[test]
fn calls_in_flight_have_a_limit_of_their_own_and_each_driver_a_share() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .driver(SLOW)
        .set("calls.max", 20)
        .start();
    let gate = Gate::closed();
    let held: Vec<Pending> = (0..20).map(|_| at(&gate, &host, "defer")).collect();
    eventually("half of them are refused", SOON, || {
        (answered(&held) == 10).then_some(())
    });
    echo(&host).expect(200);
    assert_eq!(answered(&held), 10, "the other half waits");
    gate.open();
    let replies = wait(held);
    assert_eq!((statuses(&replies, 200), statuses(&replies, 503)), (10, 10));
    for refused in replies.iter().filter(|reply| reply.status == 503) {
        refused.refused(503, BUSY);
        refused.must_have("Retry-After");
    }
    at(&gate, &host, "defer").wait().expect(200);
}

#[test]
fn a_thousand_deferred_calls_wait_at_once_with_eight_workers_and_no_thread_each() {
    let host = HostProcess::builder().driver(SLOW).set("workers.max", 8).start();
    let idle = host.threads();
    let gate = Gate::closed();
    let mut held: Vec<Pending> = Vec::new();
    eventually("a thousand of them wait", SOON, || {
        // While a thousand pass through the driver, one may wait half a second for its turn, and be refused.
        let (refused, waiting) = held.drain(..).partition(Pending::is_answered);
        held = waiting;
        for reply in wait(refused) {
            reply.refused(503, BUSY);
        }
        held.extend((held.len()..1000).map(|_| at(&gate, &host, "defer")));
        (gate.reached() == 1000).then_some(())
    });
    let waiting = eventually("the driver has a thread for this question", SOON, || {
        let reply = host.post("/v1/drivers/slow/vendor_passthru/waiting", json!({}));
        (reply.status == 200).then(|| reply.json())
    });
    // its clock may have one of them in hand
    assert!([json!(999), json!(1000)].contains(&waiting), "{waiting}");
    assert!(
        host.threads() <= idle + 2,
        "{} threads, {idle} before",
        host.threads()
    );
    assert_eq!(answered(&held), 0, "they still wait");
    gate.open();
    assert_eq!(statuses(&wait(held), 200), 1000);
}

#[test]
fn the_deferred_example_keeps_hundreds_of_nodes_busy_without_a_thread_each() {
    let host = HostProcess::builder()
        .driver(DEFERRED)
        .set("workers.max", 4)
        .start();
    let nodes: Vec<String> = (0..200)
        .map(|n| host.create_node_of(DEFERRED, &format!("n{n}")))
        .collect();
    let idle = host.threads();
    let busy = |node: &&String| host.node_field(node, "reservation") == "suite-host";
    let begin = |node: &String, method: &str, seconds: u32| {
        let target = format!("/v1/nodes/{node}/vendor_passthru/{method}");
        host.request("POST", &target)
            .json(&json!({"seconds": seconds}))
            .start()
    };
    // While hundreds pass through two workers, one may wait half a second for its turn, and be refused.
    let begin_all = |nodes: &[String], method: &str, seconds: u32| {
        let mut left: Vec<&String> = nodes.iter().collect();
        eventually("all of them have begun", SOON, || {
            let begun: Vec<Pending> = left.iter().map(|node| begin(node, method, seconds)).collect();
            let mut replies = wait(begun).into_iter();
            left.retain(|_| {
                let reply = replies.next().expect("a reply for each");
                let refused = reply.status != 202;
                if refused {
                    reply.refused(503, BUSY);
                }
                refused
            });
            left.is_empty().then_some(())
        });
    };
    for method in ["with_completion", "with_async_fn"] {
        begin_all(&nodes, method, 1);
        eventually("all of them are done", SOON, || {
            (!nodes.iter().any(|node| busy(&node))).then_some(())
        });
        let errors: Vec<Value> = nodes
            .iter()
            .map(|node| host.node_field(node, "last_error"))
            .collect();
        assert!(errors.iter().all(Value::is_null), "{method}: {errors:?}");
    }
    begin_all(&nodes[..100], "with_completion", 3600);
    begin_all(&nodes[100..], "with_async_fn", 3600);
    assert_eq!(nodes.iter().filter(busy).count(), 200);
    assert!(
        host.threads() <= idle + 1,
        "{} threads, {idle} before",
        host.threads()
    );
}

#[test]
fn after_the_deadline_the_client_has_504_and_the_driver_keeps_lock_and_worker_until_it_returns() {
    let host = HostProcess::builder()
        .driver(SLOW)
        .set("calls.timeout_ms", 300)
        .set("locks.wait_ms", 0)
        .set("workers.max", 2)
        .set("drivers.slow.max_workers", 1)
        .start();
    let uuid = host.create_node_of(SLOW, "n1");
    let hold = |arguments| host.post("/v1/nodes/n1/vendor_passthru/hold", arguments);
    let echo = || host.post("/v1/drivers/slow/vendor_passthru/echo", json!({}));
    let gate = Gate::closed();
    let late = eventually("a call that the driver began in time", SOON, || {
        let reply = hold(gate.arguments());
        (gate.reached() == 1).then_some(reply)
    });
    late.refused(
        504,
        "the driver did not answer hold within 300 ms; the call goes on",
    );
    assert_eq!(host.node_field("n1", "reservation"), "suite-host");
    hold(json!({})).refused(409, &format!("Node {uuid} is locked"));
    echo().refused(503, BUSY);
    gate.open();
    eventually("the driver has returned", SOON, || {
        (echo().status == 200).then_some(())
    });
    eventually("the node is free", SOON, || {
        (hold(json!({})).status == 200).then_some(())
    });
}

#[test]
fn a_deferred_call_past_its_deadline_is_504_and_keeps_its_place_until_the_driver_answers() {
    let host = HostProcess::builder()
        .driver(SLOW)
        .set("calls.timeout_ms", 300)
        .set("drivers.slow.max_calls", 1)
        .start();
    let defer = |arguments| host.post("/v1/drivers/slow/vendor_passthru/defer", arguments);
    let gate = Gate::closed();
    let late = eventually("a call that the driver began in time", SOON, || {
        let reply = defer(gate.arguments());
        (gate.reached() == 1).then_some(reply)
    });
    late.refused(
        504,
        "the driver did not answer defer within 300 ms; the call goes on",
    );
    defer(json!({})).refused(503, BUSY);
    gate.open();
    eventually("its place is free", SOON, || {
        (defer(json!({})).status == 200).then_some(())
    });
}

#[test]
fn a_call_whose_validation_outlasts_its_deadline_is_not_begun() {
    let host = HostProcess::builder()
        .driver(SLOW)
        .set("calls.timeout_ms", 300)
        .set("locks.wait_ms", 0)
        .start();
    for (node, method) in [("n1", "hold"), ("n2", "hold_async")] {
        let (validation, inside) = (Gate::closed(), Gate::closed());
        let info = json!({"validate_until": validation.path()});
        let body = json!({"driver": "slow", "name": node, "driver_info": info});
        host.post("/v1/nodes", body).expect(201);
        let target = format!("/v1/nodes/{node}/vendor_passthru/{method}");
        host.post(&target, inside.arguments()).refused(504, method);
        validation.wait_for(1);
        assert_eq!(
            host.node_field(node, "reservation"),
            "suite-host",
            "still validated"
        );
        validation.open();
        host.logged(&[&format!(
            "the deadline of the call passed before {method} could begin; the method was not begun"
        )]);
        eventually("the node is free", SOON, || {
            host.node_field(node, "reservation").is_null().then_some(())
        });
        assert_eq!(inside.reached(), 0, "{method} was begun");
        assert_eq!(host.node_field(node, "last_error"), Value::Null);
    }
}

#[test]
fn a_driver_may_have_a_time_limit_of_its_own() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .driver(SLOW)
        .set("drivers.slow.call_timeout_ms", 200)
        .start();
    let gate = Gate::closed();
    eventually("a call that the driver began in time", SOON, || {
        let reply = at(&gate, &host, "block").wait();
        let text = reply.refused(504, "block");
        text.contains("did not answer block within 200 ms").then_some(())
    });
    host.post("/v1/drivers/fake/vendor_passthru/sleep", json!({"seconds": 0.5}))
        .expect(200);
}

#[test]
fn a_driver_can_see_its_deadline_and_that_it_has_passed() {
    let host = HostProcess::builder()
        .driver(SLOW)
        .set("calls.timeout_ms", 60_000)
        .start();
    let reply = host
        .post("/v1/drivers/slow/vendor_passthru/remaining", json!({}))
        .expect(200);
    let remaining = reply.json().as_u64().expect("milliseconds");
    assert!(remaining > 0 && remaining <= 60_000, "{remaining}");

    let host = HostProcess::builder()
        .driver(SLOW)
        .set("calls.timeout_ms", 300)
        .start();
    let gate = Gate::closed();
    eventually("a call that the driver began in time", SOON, || {
        at(&gate, &host, "until_cancelled").wait().refused(504, "");
        (gate.reached() > 0).then_some(())
    });
    host.logged(&["seen that the call is cancelled"]);
}

#[test]
fn a_deferred_answer_that_never_comes_and_one_that_comes_twice_are_that_calls_fault_only() {
    let host = HostProcess::builder().driver(SLOW).start();
    let dropped = host.post("/v1/drivers/slow/vendor_passthru/forget", json!({}));
    dropped.refused(500, "");
    host.post("/v1/drivers/slow/vendor_passthru/defer", json!({}))
        .expect(200);
}
