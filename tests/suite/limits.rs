//! The two limits, each driver's share of them, deadlines, and recovery.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use suite::{DEFERRED, FAKE, Gate, HostProcess, Pending, Reply, SLOW, eventually};

const SOON: Duration = Duration::from_secs(20);
const BUSY: &str = "Requested action cannot be performed due to lack of free conductor workers.";

fn start(host: &HostProcess, driver: &str, method: &str, seconds: f64) -> Pending {
    let target = format!("/v1/drivers/{driver}/vendor_passthru/{method}");
    host.request("POST", &target)
        .json(&json!({"seconds": seconds}))
        .start()
}

fn statuses(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

fn echo(host: &HostProcess) -> Reply {
    host.post("/v1/drivers/fake/vendor_passthru/echo", json!({}))
}

/// Waits until `driver` takes no further blocking call.
fn until_full(host: &HostProcess, driver: &str) {
    eventually("the workers are busy", SOON, || {
        let reply = host.post(&format!("/v1/drivers/{driver}/vendor_passthru/echo"), json!({}));
        (reply.status == 503).then_some(())
    });
}

#[test]
fn a_full_pool_refuses_at_once_with_503_reads_go_on_and_it_recovers_fully() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .set("workers.max", 8)
        .set("drivers.fake.max_workers", 8)
        .start();
    host.create_node("n1");
    for round in 0..3 {
        let held: Vec<Pending> = (0..8).map(|_| start(&host, "fake", "sleep", 4.0)).collect();
        until_full(&host, "fake");
        let refused = echo(&host);
        refused.refused(503, BUSY);
        assert!(refused.took < Duration::from_secs(2), "{:?}", refused.took);
        let seconds: u32 = refused.must_have("Retry-After").parse().expect("seconds");
        assert!((1..=60).contains(&seconds), "{seconds}");
        let node = host.post("/v1/nodes/n1/vendor_passthru/first_method", json!({"bar": "baz"}));
        node.refused(503, BUSY);
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
            let read = host.get(target).expect(200);
            assert!(
                read.took < Duration::from_secs(1),
                "{target} took {:?}",
                read.took
            );
        }
        for reply in held {
            reply.wait().expect(200);
        }
        // every one of them is free again
        let again: Vec<Reply> = (0..8)
            .map(|_| start(&host, "fake", "sleep", 0.2))
            .map(Pending::wait)
            .collect();
        assert_eq!(statuses(&again, 200), 8, "round {round}");
        host.post("/v1/nodes/n1/vendor_passthru/first_method", json!({"bar": "baz"}))
            .expect(202);
    }
}

#[test]
fn failed_and_panicking_calls_give_their_worker_back() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .set("workers.max", 2)
        .set("drivers.fake.max_workers", 2)
        .start();
    host.create_node("n1");
    for _ in 0..10 {
        let body = json!({"kind": "internal", "message": "x"});
        host.post("/v1/nodes/n1/vendor_passthru/fail_sync", body.clone())
            .expect(500);
        let reply = host.post("/v1/nodes/n1/vendor_passthru/fail_async", body);
        assert!([202, 409].contains(&reply.status), "{}", reply.text());
        echo(&host);
    }
    eventually("both workers are free", SOON, || {
        let both = [
            start(&host, "fake", "sleep", 0.2),
            start(&host, "fake", "sleep", 0.2),
        ];
        let replies: Vec<Reply> = both.into_iter().map(Pending::wait).collect();
        (statuses(&replies, 200) == 2).then_some(())
    });
}

#[test]
fn a_hung_driver_has_only_its_share_of_the_workers_and_the_others_go_on() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .driver(SLOW)
        .set("workers.max", 8)
        .start();
    let held: Vec<Pending> = (0..8).map(|_| start(&host, "slow", "block", 3.0)).collect();
    eventually("half of them are refused", SOON, || {
        (held.iter().filter(|call| call.is_answered()).count() == 4).then_some(())
    });
    for _ in 0..20 {
        let reply = echo(&host).expect(200);
        assert!(reply.took < Duration::from_secs(1), "{:?}", reply.took);
    }
    let own: Vec<Reply> = (0..4)
        .map(|_| start(&host, "fake", "sleep", 0.1))
        .map(Pending::wait)
        .collect();
    assert_eq!(statuses(&own, 200), 4, "the other half is free");
    let replies: Vec<Reply> = held.into_iter().map(Pending::wait).collect();
    assert_eq!((statuses(&replies, 200), statuses(&replies, 503)), (4, 4));
}

#[test]
fn calls_in_flight_have_a_limit_of_their_own_and_each_driver_a_share() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .driver(SLOW)
        .set("calls.max", 20)
        .start();
    let held: Vec<Pending> = (0..20).map(|_| start(&host, "slow", "defer", 2.0)).collect();
    eventually("half of them are refused", SOON, || {
        (held.iter().filter(|call| call.is_answered()).count() == 10).then_some(())
    });
    echo(&host).expect(200);
    let replies: Vec<Reply> = held.into_iter().map(Pending::wait).collect();
    assert_eq!((statuses(&replies, 200), statuses(&replies, 503)), (10, 10));
    for refused in replies.iter().filter(|reply| reply.status == 503) {
        refused.refused(503, BUSY);
        refused.must_have("Retry-After");
    }
    start(&host, "slow", "defer", 0.0).wait().expect(200);
}

#[test]
fn a_thousand_deferred_calls_wait_at_once_with_eight_workers_and_no_thread_each() {
    let host = HostProcess::builder().driver(SLOW).set("workers.max", 8).start();
    let idle = host.threads();
    let started = Instant::now();
    let held: Vec<Pending> = (0..1000).map(|_| start(&host, "slow", "defer", 3.0)).collect();
    eventually("all of them wait", SOON, || {
        // while a thousand calls pass through the driver this one may be refused
        let waiting = host.post("/v1/drivers/slow/vendor_passthru/waiting", json!({}));
        (waiting.status == 200 && waiting.json() == json!(1000)).then_some(())
    });
    assert!(
        host.threads() <= idle + 2,
        "{} threads, {idle} before",
        host.threads()
    );
    let replies: Vec<Reply> = held.into_iter().map(Pending::wait).collect();
    assert_eq!(statuses(&replies, 200), 1000);
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
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
    let busy = |node: &String| host.node_field(node, "reservation") == "suite-host";
    for method in ["with_completion", "with_async_fn"] {
        let begun: Vec<Pending> = nodes
            .iter()
            .map(|node| {
                let target = format!("/v1/nodes/{node}/vendor_passthru/{method}");
                host.request("POST", &target).json(&json!({"seconds": 3})).start()
            })
            .collect();
        for reply in begun {
            reply.wait().expect(202);
        }
        assert_eq!(nodes.iter().filter(|node| busy(node)).count(), 200, "{method}");
        assert!(
            host.threads() <= idle + 1,
            "{} threads, {idle} before",
            host.threads()
        );
        eventually("all of them are done", SOON, || {
            (!nodes.iter().any(busy)).then_some(())
        });
        let errors: Vec<Value> = nodes
            .iter()
            .map(|node| host.node_field(node, "last_error"))
            .collect();
        assert!(errors.iter().all(Value::is_null), "{method}: {errors:?}");
    }
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
    hold(gate.arguments()).refused(
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
    defer(gate.arguments()).refused(
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
fn a_driver_may_have_a_time_limit_of_its_own() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .driver(SLOW)
        .set("drivers.slow.call_timeout_ms", 200)
        .start();
    start(&host, "slow", "block", 1.0).wait().refused(504, "");
    start(&host, "fake", "sleep", 0.5).wait().expect(200);
}

#[test]
fn a_driver_can_see_its_deadline_and_that_it_has_passed() {
    let host = HostProcess::builder()
        .driver(SLOW)
        .set("calls.timeout_ms", 500)
        .start();
    let reply = host
        .post("/v1/drivers/slow/vendor_passthru/remaining", json!({}))
        .expect(200);
    let remaining = reply.json().as_u64().expect("milliseconds");
    assert!(remaining > 0 && remaining <= 500, "{remaining}");
    let late = host.post("/v1/drivers/slow/vendor_passthru/until_cancelled", json!({}));
    late.refused(504, "");
    eventually("the driver has seen it", SOON, || {
        host.log.lines_with(&["seen that the call is cancelled"]).pop()
    });
}

#[test]
fn a_deferred_answer_that_never_comes_and_one_that_comes_twice_are_that_calls_fault_only() {
    let host = HostProcess::builder().driver(SLOW).start();
    let dropped = host.post("/v1/drivers/slow/vendor_passthru/forget", json!({}));
    dropped.refused(500, "");
    start(&host, "slow", "defer", 0.0).wait().expect(200);
}
