//! The host is asked to stop: what can finish does, what cannot is named and recorded.

use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use suite::{Gate, HostBuilder, HostProcess, Pending, SLOW, Signal, eventually};

const SOON: Duration = Duration::from_secs(30);
/// The slow driver's calls: method, whether of a node, whether async.
const KINDS: [(&str, bool, bool); 5] = [
    ("hold_async", true, true),
    ("defer_async", true, true),
    ("hold", true, false),
    ("block", false, false),
    ("defer", false, false),
];

/// One call of each kind that wait for a gate.
struct Calls {
    waiting: Vec<Pending>,
    records: Vec<String>,
}

fn begin(host: &HostProcess, gate: &Gate, prefix: &str) -> Calls {
    let mut calls = Calls {
        waiting: Vec::new(),
        records: Vec::new(),
    };
    for (method, of_node, is_async) in KINDS {
        let target = if of_node {
            let node = host.create_node_of(SLOW, &format!("{prefix}-{method}"));
            format!("/v1/nodes/{node}/vendor_passthru/{method}")
        } else {
            format!("/v1/drivers/slow/vendor_passthru/{method}")
        };
        let call = host.request("POST", &target).json(&gate.arguments());
        if is_async {
            let reply = call.send().expect(202);
            calls.records.push(reply.must_have("Location").to_owned());
        } else {
            calls.waiting.push(call.start());
        }
    }
    calls
}

/// Waits until drivers are busy with so many calls. The driver counts only its deferred ones; the others are as far when those that were
/// sent behind them are.
fn until_begun(host: &HostProcess, deferred: u64) {
    eventually("the calls have begun", SOON, || {
        let waiting = host.post("/v1/drivers/slow/vendor_passthru/waiting", json!({}));
        (waiting.expect(200).json() == deferred).then_some(())
    });
    eventually("nodes are held", SOON, || {
        let nodes = host.get("/v1/nodes?fields=reservation").expect(200).json();
        let nodes = nodes["nodes"].as_array().expect("a list");
        nodes
            .iter()
            .all(|node| node["reservation"] != Value::Null)
            .then_some(())
    });
}

fn builder() -> HostBuilder {
    HostProcess::builder()
        .driver(SLOW)
        .set("workers.max", 32)
        .set("calls.timeout_ms", 600_000)
}

fn refuses_connections(host: &HostProcess) {
    eventually("new connections are refused", SOON, || {
        TcpStream::connect(&host.address).is_err().then_some(())
    });
}

/// The records of a host by method.
fn states(host: &HostProcess) -> Vec<(String, String)> {
    let records = host.get("/v1/calls").expect(200).json();
    let mut states: Vec<_> = records["calls"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|record| {
            let word = |name: &str| record[name].as_str().expect("a word").to_owned();
            (word("method"), word("state"))
        })
        .collect();
    states.sort();
    states
}

fn all(state: &str) -> Vec<(String, String)> {
    let mut all = KINDS.map(|(method, ..)| (method.to_owned(), state.to_owned()));
    all.sort();
    all.into()
}

fn named_in_the_log(host: &HostProcess) {
    for (method, ..) in KINDS {
        let method = format!("\"method\":\"{method}\"");
        let lines = host
            .log
            .lines_with(&["still running; the host stops without it", &method]);
        assert_eq!(lines.len(), 1, "{method}: {}", host.log.text());
    }
}

fn running_calls_finish_within_the_grace_period(signal: Signal) {
    let gate = Gate::closed();
    let mut host = builder().set("limits.shutdown_grace_ms", 60_000).start();
    let calls = begin(&host, &gate, "n");
    until_begun(&host, 2);
    host.send(signal);
    refuses_connections(&host);
    assert!(calls.waiting.iter().all(|call| !call.is_answered()));
    gate.open();
    for call in calls.waiting {
        assert_eq!(call.wait().expect(200).json(), "done");
    }
    assert_eq!(host.wait().code(), Some(0));
    assert_eq!(host.log.lines_with(&["still running"]), Vec::<String>::new());
    let host = host.started_again();
    for record in &calls.records {
        let record = host.get(record).expect(200).json();
        assert_eq!(record["state"], "succeeded", "{record}");
        assert_eq!(record["result"], "done");
    }
}

#[test]
fn on_sigterm_running_calls_finish_with_their_answers_and_records_and_nobody_new_is_let_in() {
    running_calls_finish_within_the_grace_period(Signal::TERM);
}

#[test]
fn on_sigint_running_calls_finish_with_their_answers_and_records_and_nobody_new_is_let_in() {
    running_calls_finish_within_the_grace_period(Signal::INT);
}

fn what_does_not_finish_is_interrupted(signal: Signal) {
    let gate = Gate::closed();
    let mut host = builder().set("limits.shutdown_grace_ms", 300).start();
    let calls = begin(&host, &gate, "n");
    until_begun(&host, 2);
    host.send(signal);
    assert_eq!(host.wait().code(), Some(0));
    named_in_the_log(&host);
    calls.waiting.into_iter().for_each(Pending::go_away);
    let host = host.started_again();
    assert_eq!(states(&host), all("interrupted"));
    for record in &calls.records {
        let record = host.get(record).expect(200).json();
        assert_ne!(record["finished_at"], Value::Null, "{record}");
    }
}

#[test]
fn on_sigterm_calls_that_do_not_finish_in_time_are_named_and_recorded_as_interrupted() {
    what_does_not_finish_is_interrupted(Signal::TERM);
}

#[test]
fn on_sigint_calls_that_do_not_finish_in_time_are_named_and_recorded_as_interrupted() {
    what_does_not_finish_is_interrupted(Signal::INT);
}

#[test]
fn a_second_signal_ends_the_host_at_once_whatever_runs() {
    for (first, second) in [
        (Signal::TERM, Signal::TERM),
        (Signal::INT, Signal::TERM),
        (Signal::TERM, Signal::INT),
    ] {
        let gate = Gate::closed();
        // Longer than this test may take: it is not the grace period that ends.
        let mut host = builder().set("limits.shutdown_grace_ms", 600_000).start();
        let calls = begin(&host, &gate, "n");
        until_begun(&host, 2);
        host.send(first);
        refuses_connections(&host);
        assert_eq!(host.log.lines_with(&["still running"]), Vec::<String>::new());
        host.send(second);
        assert_eq!(host.wait().code(), Some(0));
        named_in_the_log(&host);
        calls.waiting.into_iter().for_each(Pending::go_away);
        let host = host.started_again();
        assert_eq!(states(&host), all("interrupted"));
    }
}

#[test]
fn a_call_that_has_timed_out_and_still_runs_gets_a_late_outcome_that_says_interrupted() {
    let gate = Gate::closed();
    let mut host = builder()
        .set("calls.timeout_ms", 300)
        .set("limits.shutdown_grace_ms", 300)
        .start();
    let late = host.post("/v1/drivers/slow/vendor_passthru/block", gate.arguments());
    late.refused(504, "nobody knows yet whether it takes effect");
    let record = late.must_have("Location");
    host.send(Signal::TERM);
    assert_eq!(host.wait().code(), Some(0));
    let host = host.started_again();
    let record = host.get(record).expect(200).json();
    assert_eq!(record["state"], "timed_out", "{record}");
    assert_eq!(record["late_outcome"]["state"], "interrupted", "{record}");
    drop(gate);
}

#[test]
fn a_driver_that_hangs_while_it_ends_does_not_keep_the_host() {
    let hanging = || {
        builder()
            .set("limits.shutdown_grace_ms", 2000)
            .set("drivers.slow.config.hang_at_end", true)
            .start()
    };
    let mut host = hanging();
    host.terminate();
    assert_eq!(host.wait().code(), Some(0), "{}", host.log.text());
    let named = host.log.lines_with(&["did not shut down in time", "slow"]);
    assert_eq!(named.len(), 1, "{}", host.log.text());

    // A second signal cuts its time short. On a busy machine that signal may come when the time is over.
    let cut_short = (0..20).any(|_| {
        let mut host = hanging();
        host.terminate();
        host.logged(&["stopping"]);
        host.terminate();
        assert_eq!(host.wait().code(), Some(0), "{}", host.log.text());
        let named = host.log.lines_with(&["did not shut down in time", "slow"]);
        named.is_empty() && host.log.lines_with(&["ending at once"]).len() == 1
    });
    assert!(cut_short, "the second signal never made a difference");
}

#[test]
fn with_nothing_to_finish_the_host_ends_although_the_grace_period_is_long() {
    let mut host = builder().set("limits.shutdown_grace_ms", 600_000).start();
    host.post("/v1/drivers/slow/vendor_passthru/waiting", json!({}))
        .expect(200);
    host.terminate();
    assert_eq!(host.wait().code(), Some(0), "{}", host.log.text());
}
