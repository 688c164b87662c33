//! Blocking driver calls run on the threads that carry requests: the hazards of that, with the real host.

use std::time::{Duration, Instant};

use serde_json::json;
use suite::{FAKE, HostProcess, Pending, SLOW, eventually};

const SOON: Duration = Duration::from_secs(20);

fn block(host: &HostProcess, seconds: f64) -> Pending {
    host.request("POST", "/v1/drivers/slow/vendor_passthru/block")
        .json(&json!({"seconds": seconds}))
        .start()
}

/// A host all of whose workers hang for `seconds`.
fn all_hung(workers: u32, seconds: f64) -> (HostProcess, Vec<Pending>) {
    let host = HostProcess::builder()
        .driver(FAKE)
        .driver(SLOW)
        .set("workers.max", i64::from(workers))
        .set("drivers.slow.max_workers", i64::from(workers))
        .set("limits.shutdown_grace_ms", 500)
        .start();
    let held: Vec<Pending> = (0..workers).map(|_| block(&host, seconds)).collect();
    eventually("all workers hang", SOON, || {
        (host
            .post("/v1/drivers/fake/vendor_passthru/echo", json!({}))
            .status
            == 503)
            .then_some(())
    });
    (host, held)
}

#[test]
fn with_all_workers_hung_reads_and_new_connections_are_answered() {
    let (host, held) = all_hung(32, 60.0);
    for _ in 0..400 {
        host.get("/v1/drivers").expect(200);
    }
    let reads: Vec<Pending> = (0..200)
        .map(|_| host.request("GET", "/v1/nodes").start())
        .collect();
    for read in reads {
        read.wait().expect(200);
    }
    assert!(held.iter().all(|call| !call.is_answered()), "they still hang");
    for call in held {
        call.go_away();
    }
}

#[test]
fn with_all_workers_hung_timers_go_on_a_late_call_is_504() {
    let host = HostProcess::builder()
        .driver(SLOW)
        .set("workers.max", 4)
        .set("drivers.slow.max_workers", 4)
        .set("calls.timeout_ms", 400)
        .start();
    let held: Vec<Pending> = (0..4).map(|_| block(&host, 3.0)).collect();
    let mut late = Vec::new();
    for call in held {
        let reply = call.wait();
        reply.refused(504, "");
        assert!(reply.took < Duration::from_secs(2), "{:?}", reply.took);
        late.push(reply.took);
    }
    assert!(
        late.iter().all(|took| *took >= Duration::from_millis(400)),
        "{late:?}"
    );
    // the next call is refused at once: the threads are still inside the driver
    let refused = block(&host, 0.0).wait();
    refused.refused(503, "workers");
}

#[test]
fn with_all_workers_hung_the_host_still_ends_when_asked() {
    let (mut host, held) = all_hung(8, 60.0);
    let asked = Instant::now();
    host.terminate();
    let status = host.wait();
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    assert_eq!(status.code(), Some(0), "{}", host.log.text());
    for call in held {
        call.go_away();
    }
}

#[test]
fn a_waiter_woken_by_a_thread_that_blocks_next_is_not_stuck_behind_it() {
    // One connection: its task releases the lock of n1 and then goes straight into a long blocking call of the same
    // connection's next request. The waiter for n1 must run meanwhile.
    let host = HostProcess::builder()
        .driver(FAKE)
        .driver(SLOW)
        .set("locks.wait_ms", 20_000)
        .start();
    host.create_node("n1");
    for _ in 0..4 {
        let first = "POST /v1/nodes/n1/vendor_passthru/sleep_sync HTTP/1.1\r\nHost: h\r\n\
            X-OpenStack-Ironic-API-Version: 1.77\r\nContent-Length: 17\r\n\r\n{\"seconds\": 0.05}";
        let second = "POST /v1/drivers/slow/vendor_passthru/block HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
            Content-Length: 16\r\n\r\n{\"seconds\": 4.0}";
        let address = host.address.clone();
        let pipelined = std::thread::Builder::new()
            .spawn(move || {
                let request = format!("{first}{second}");
                suite::raw_exchange(&address, request.as_bytes(), Duration::from_secs(20))
            })
            .unwrap();
        let waiter = host
            .request("POST", "/v1/nodes/n1/vendor_passthru/echo_sync")
            .json(&json!({}))
            .send();
        waiter.clone().expect(200);
        assert!(
            waiter.took < Duration::from_secs(3),
            "stuck behind the blocking call: {:?}",
            waiter.took
        );
        let both = pipelined.join().unwrap();
        assert_eq!(both.matches("HTTP/1.1 200").count(), 2, "{both}");
    }
}

#[test]
fn many_short_blocking_calls_are_answered_while_long_ones_go_on() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .driver(SLOW)
        .set("workers.max", 32)
        .set("limits.shutdown_grace_ms", 500)
        .start();
    let held: Vec<Pending> = (0..16).map(|_| block(&host, 60.0)).collect();
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
    assert!(held.iter().all(|call| !call.is_answered()), "they still hang");
    for call in held {
        call.go_away();
    }
}

#[test]
fn an_accepted_call_begins_although_its_thread_has_others_to_carry() {
    let host = HostProcess::builder().driver(FAKE).driver(SLOW).start();
    host.create_node("n1");
    for _ in 0..20 {
        let accepted = host
            .request("POST", "/v1/nodes/n1/vendor_passthru/sleep_async")
            .json(&json!({"seconds": 0}))
            .start();
        let beside: Vec<Pending> = (0..5).map(|_| block(&host, 1.5)).collect();
        accepted.wait().expect(202);
        eventually("the accepted call has run", SOON, || {
            (host.node_field("n1", "reservation").is_null()).then_some(())
        });
        assert!(
            beside.iter().all(|call| !call.is_answered()),
            "the accepted call began only when a call beside it had ended"
        );
        for call in beside {
            call.wait().expect(200);
        }
    }
}

#[test]
fn a_driver_that_hangs_while_it_ends_does_not_keep_the_host() {
    let hanging = || {
        HostProcess::builder()
            .driver(FAKE)
            .driver(SLOW)
            .set("drivers.slow.config.hang_at_end", true)
            .start()
    };
    let mut host = hanging();
    host.terminate();
    assert_eq!(host.wait().code(), Some(0), "{}", host.log.text());
    let named = host.log.lines_with(&["did not shut down in time", "slow"]);
    assert_eq!(named.len(), 1, "{}", host.log.text());

    let mut host = hanging();
    host.terminate();
    eventually("it is stopping", SOON, || {
        (!host.log.lines_with(&["stopping"]).is_empty()).then_some(())
    });
    host.terminate();
    assert_eq!(host.wait().code(), Some(0), "{}", host.log.text());
    assert_eq!(
        host.log.lines_with(&["ending at once"]).len(),
        1,
        "{}",
        host.log.text()
    );
}
