//! Drivers hang: theirs are the calls that wait or are refused, and nobody else's.

use std::time::Duration;

use serde_json::{Value, json};
use suite::{FAKE, Gate, HostBuilder, HostProcess, Pending, Reply, SLOW, Signal, Witness, eventually};

const SOON: Duration = Duration::from_secs(30);
const BUSY: &str = "Requested action cannot be performed due to lack of free conductor workers.";

/// The driver's share of the workers: half of them.
const SHARE: usize = 4;

fn call(host: &HostProcess, target: &str, body: &Value) -> Pending {
    host.request("POST", target).json(body).start()
}

/// Calls that do not return, and where the records of the async ones are.
struct Hung {
    waiting: Vec<Pending>,
    records: Vec<String>,
}

impl Hung {
    fn still_hang(&self) {
        assert!(
            self.waiting.iter().all(|call| !call.is_answered()),
            "they still hang"
        );
    }
}

/// Gives the slow driver calls of every kind that wait for the gate, until it gets no more of them.
fn hang_slow(host: &HostProcess, gate: &Gate) -> Hung {
    let mut hung = Hung {
        waiting: Vec::new(),
        records: Vec::new(),
    };
    let arguments = gate.arguments();
    for method in ["hold_async", "defer_async"] {
        let node = host.create_node_of(SLOW, method);
        let reply = host.post(
            &format!("/v1/nodes/{node}/vendor_passthru/{method}"),
            arguments.clone(),
        );
        hung.records
            .push(reply.expect(202).must_have("Location").to_owned());
    }
    hung.waiting
        .push(call(host, "/v1/drivers/slow/vendor_passthru/defer", &arguments));
    eventually("the slow driver gets no more calls", SOON, || {
        let echo = host.post("/v1/drivers/slow/vendor_passthru/echo", json!({}));
        if echo.status == 503 {
            return Some(());
        }
        hung.waiting
            .push(call(host, "/v1/drivers/slow/vendor_passthru/block", &arguments));
        None
    });
    // Of those that were sent, some may have come too late.
    eventually("the ones too many are refused", SOON, || {
        hung.waiting.retain(|call| !call.is_answered());
        // One is deferred, and one of the driver's workers has the node's call.
        (hung.waiting.len() == SHARE).then_some(())
    });
    hung
}

fn reads_are_served(host: &HostProcess, records: &[String]) {
    for target in [
        "/",
        "/healthz",
        "/readyz",
        "/v1/drivers",
        "/v1/drivers/slow",
        "/v1/drivers/slow/properties",
        "/v1/drivers/slow/manifest",
        "/v1/drivers/slow/vendor_passthru/methods",
        "/v1/nodes",
        "/v1/nodes/detail",
        "/v1/nodes/hold_async",
        "/v1/nodes/hold_async/calls",
        "/v1/calls",
        "/v1/calls?state=running",
    ] {
        host.get(target).expect(200);
    }
    for record in records {
        assert_eq!(host.get(record).expect(200).json()["state"], "running");
    }
}

fn cancels_are_taken(host: &HostProcess, records: &[String]) {
    for record in records {
        let reply = host.request("DELETE", record).send().expect(202).json();
        assert_ne!(reply["cancel_requested_at"], Value::Null, "{reply}");
    }
}

fn host() -> HostBuilder {
    HostProcess::builder()
        .driver(SLOW)
        .set("workers.max", 2 * SHARE as i64)
}

#[test]
fn a_driver_with_every_call_hung_gets_no_more_of_them_and_everybody_else_goes_on() {
    let gate = Gate::closed();
    let host = host().driver(FAKE).start();
    host.create_node("n1");
    let hung = hang_slow(&host, &gate);
    for _ in 0..20 {
        let excess = [
            host.post("/v1/drivers/slow/vendor_passthru/echo", json!({})),
            host.post("/v1/drivers/slow/vendor_passthru/block", gate.arguments()),
        ];
        excess.iter().for_each(|reply| drop(reply.refused(503, BUSY)));
        host.post("/v1/drivers/fake/vendor_passthru/echo", json!({}))
            .expect(200);
        host.post("/v1/nodes/n1/vendor_passthru/echo_sync", json!({}))
            .expect(200);
    }
    let reply = host
        .post("/v1/nodes/n1/vendor_passthru/first_method", json!({"bar": "baz"}))
        .expect(202);
    let record = reply.must_have("Location");
    eventually("the other driver's async call succeeds", SOON, || {
        (host.get(record).expect(200).json()["state"] == "succeeded").then_some(())
    });
    reads_are_served(&host, &hung.records);
    cancels_are_taken(&host, &hung.records);
    hung.still_hang();
    gate.open();
    let answers: Vec<Reply> = hung.waiting.into_iter().map(Pending::wait).collect();
    assert!(answers.iter().all(|reply| reply.status == 200), "{answers:?}");
    for record in &hung.records {
        eventually("the hung calls succeed", SOON, || {
            (host.get(record).expect(200).json()["state"] == "succeeded").then_some(())
        });
    }
}

#[test]
fn with_every_driver_hung_reads_health_records_and_shutdown_work() {
    let (gate, witness) = (Gate::closed(), Witness::new());
    let mut host = witness.watch(host()).set("limits.shutdown_grace_ms", 300).start();
    let hung = hang_slow(&host, &gate);
    let mut arguments = gate.arguments();
    arguments["token"] = "held".into();
    let mut records = hung.records.clone();
    eventually("the other driver gets no more calls either", SOON, || {
        let reply = host.post(
            "/v1/drivers/witness/vendor_passthru/mark_driver",
            arguments.clone(),
        );
        if reply.status == 503 {
            return Some(());
        }
        records.push(reply.expect(202).must_have("Location").to_owned());
        None
    });
    assert!(records.len() > hung.records.len(), "both drivers hang");
    reads_are_served(&host, &records);
    cancels_are_taken(&host, &records);
    host.post("/v1/nodes", json!({"driver": "slow", "name": "new"}))
        .expect(201);
    hung.still_hang();
    host.send(Signal::TERM);
    assert!(host.wait().success());
    hung.waiting.into_iter().for_each(Pending::go_away);
}
