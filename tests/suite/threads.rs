//! Blocking driver calls run on the threads that carry requests: the hazards of that, with the real host.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;
use suite::{FAKE, Gate, HostBuilder, HostProcess, Pending, SLOW, eventually};

const SOON: Duration = Duration::from_secs(60);

fn block(host: &HostProcess, gate: &Gate) -> Pending {
    host.request("POST", "/v1/drivers/slow/vendor_passthru/block")
        .json(&gate.arguments())
        .start()
}

fn with_workers(workers: usize) -> HostBuilder {
    let workers = i64::try_from(workers).unwrap();
    HostProcess::builder()
        .driver(FAKE)
        .driver(SLOW)
        .set("workers.max", workers)
        .set("drivers.slow.max_workers", workers)
        .set("limits.shutdown_grace_ms", 500)
}

/// A host all of whose workers hang until the gate opens.
fn all_hung(workers: usize) -> (HostProcess, Vec<Pending>, Gate) {
    let host = with_workers(workers).start();
    let gate = Gate::closed();
    let held = (0..workers).map(|_| block(&host, &gate)).collect();
    gate.wait_for(workers);
    (host, held, gate)
}

fn still_hang(held: &[Pending]) -> bool {
    held.iter().all(|call| !call.is_answered())
}

#[test]
fn with_all_workers_hung_reads_and_new_connections_are_answered() {
    let (host, held, gate) = all_hung(32);
    for _ in 0..400 {
        host.get("/v1/drivers").expect(200);
    }
    let reads: Vec<Pending> = (0..200)
        .map(|_| host.request("GET", "/v1/nodes").start())
        .collect();
    for read in reads {
        read.wait().expect(200);
    }
    assert!(still_hang(&held));
    gate.open();
    for call in held {
        call.wait().expect(200);
    }
}

#[test]
fn one_hung_call_without_a_body_keeps_nobody_else_waiting() {
    // The thread that hears of such a request is the one that waits for all sockets, and goes straight into the driver.
    let host = with_workers(8).start();
    for (n, (verb, target)) in [("GET", "validate"), ("POST", "vendor_passthru/hold")]
        .iter()
        .cycle()
        .take(10)
        .enumerate()
    {
        let gate = Gate::closed();
        let info = json!({"validate_until": gate.path()});
        let node = json!({"driver": "slow", "name": format!("n{n}"), "driver_info": info});
        host.post("/v1/nodes", node).expect(201);
        let mut connection = TcpStream::connect(&host.address).unwrap();
        connection.set_read_timeout(Some(SOON)).unwrap();
        let mut ask = |verb: &str, target: &str, more: &str| {
            let request = format!(
                "{verb} {target} HTTP/1.1\r\nHost: h\r\nX-OpenStack-Ironic-API-Version: 1.77\r\n\
                 Content-Length: 0\r\n{more}\r\n"
            );
            connection.write_all(request.as_bytes()).unwrap();
        };
        ask("GET", "/v1/nope", "");
        host.get("/healthz").expect(200);
        ask(verb, &format!("/v1/nodes/n{n}/{target}"), "Connection: close\r\n");
        gate.wait_for(1);
        host.get("/v1/drivers").expect(200);
        gate.open();
        let mut replies = String::new();
        connection.read_to_string(&mut replies).unwrap();
        assert_eq!(replies.matches("HTTP/1.1 200").count(), 1, "{replies}");
    }
}

#[test]
fn with_all_workers_hung_timers_go_on_a_late_call_is_504() {
    let host = with_workers(4).set("calls.timeout_ms", 400).start();
    let gate = Gate::closed();
    // A call may come too late to be begun at all; then another one takes its place.
    eventually("all workers hang", SOON, || {
        let held: Vec<Pending> = (gate.reached()..4).map(|_| block(&host, &gate)).collect();
        for call in held {
            let reply = call.wait();
            reply.refused(504, "");
            assert!(reply.took >= Duration::from_millis(400), "{:?}", reply.took);
        }
        (gate.reached() == 4).then_some(())
    });
    block(&host, &gate).wait().refused(503, "workers");
}

#[test]
fn with_all_workers_hung_the_host_still_ends_when_asked() {
    let (mut host, held, _closed) = all_hung(8);
    host.terminate();
    assert_eq!(host.wait().code(), Some(0), "{}", host.log.text());
    assert_eq!(host.log.lines_with(&["still running", "block"]).len(), 8);
    for call in held {
        call.go_away();
    }
}

#[test]
fn a_waiter_woken_by_a_thread_that_blocks_next_is_not_stuck_behind_it() {
    // One connection: its task releases the lock of n1 and then goes straight into a blocking call, the same
    // connection's next request. The waiter for n1 must run meanwhile.
    let host = with_workers(8)
        .argument("--log-level=info,host::node::lock=debug")
        .start();
    host.create_node_of(SLOW, "n1");
    for round in 1..=8 {
        let (first, second) = (Gate::closed(), Gate::closed());
        let mut pipelined = TcpStream::connect(&host.address).unwrap();
        let post = |target: &str, more: &str, gate: &Gate| {
            let body = gate.arguments().to_string();
            let length = body.len();
            format!(
                "POST {target} HTTP/1.1\r\nHost: h\r\nX-OpenStack-Ironic-API-Version: 1.77\r\n{more}\
                 Content-Length: {length}\r\n\r\n{body}"
            )
        };
        let both = post("/v1/nodes/n1/vendor_passthru/hold", "", &first)
            + &post(
                "/v1/drivers/slow/vendor_passthru/block",
                "Connection: close\r\n",
                &second,
            );
        pipelined.write_all(both.as_bytes()).unwrap();
        first.wait_for(1);
        let waiter = host
            .request("POST", "/v1/nodes/n1/vendor_passthru/hold")
            .json(&json!({}))
            .start();
        eventually("the waiter waits", SOON, || {
            (host.log.lines_with(&["waits for the node's lock"]).len() == round).then_some(())
        });
        first.open();
        waiter.wait().expect(200);
        second.wait_for(1);
        second.open();
        let mut replies = String::new();
        pipelined.set_read_timeout(Some(SOON)).unwrap();
        pipelined.read_to_string(&mut replies).unwrap();
        assert_eq!(replies.matches("HTTP/1.1 200").count(), 2, "{replies}");
    }
}

#[test]
fn many_short_blocking_calls_are_answered_while_long_ones_go_on() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .driver(SLOW)
        .set("workers.max", 32)
        .start();
    let gate = Gate::closed();
    let held: Vec<Pending> = (0..16).map(|_| block(&host, &gate)).collect();
    gate.wait_for(16);
    for _ in 0..20 {
        let calls: Vec<Pending> = (0..16)
            .map(|_| {
                host.request("POST", "/v1/drivers/fake/vendor_passthru/echo")
                    .json(&json!({}))
                    .start()
            })
            .collect();
        for call in calls {
            call.wait().expect(200);
        }
    }
    assert!(still_hang(&held));
    gate.open();
    for call in held {
        call.wait().expect(200);
    }
}

#[test]
fn an_accepted_call_begins_although_its_thread_has_others_to_carry() {
    let host = HostProcess::builder().driver(FAKE).driver(SLOW).start();
    host.create_node("n1");
    for _ in 0..20 {
        let gate = Gate::closed();
        let accepted = host
            .request("POST", "/v1/nodes/n1/vendor_passthru/sleep_async")
            .json(&json!({"seconds": 0}))
            .start();
        let beside: Vec<Pending> = (0..5).map(|_| block(&host, &gate)).collect();
        accepted.wait().expect(202);
        eventually("the accepted call has run", SOON, || {
            (host.node_field("n1", "reservation").is_null()).then_some(())
        });
        gate.wait_for(5);
        assert!(still_hang(&beside), "nothing beside it had to end first");
        gate.open();
        for call in beside {
            call.wait().expect(200);
        }
    }
}
