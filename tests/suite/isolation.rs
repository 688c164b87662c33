//! A driver does the same wherever it runs. Each test here asks drivers in the host's own process and in worker processes the same things.
//!
//! Any other test of the suite can be run with all its drivers in worker processes: set `HOST__ISOLATION__DEFAULT=process`.

use std::time::Duration;

use serde_json::{Value, json};
use suite::{
    FAKE, Gate, HostBuilder, HostProcess, LEAKY, PANICS, Reply, SLOW, Signal, UNRULY, WRITES_AT_LOAD,
    eventually,
};

const SOON: Duration = Duration::from_secs(60);
const PLACES: [&str; 2] = ["in-process", "process"];
const NODE: &str = "6f6c6f70-0000-4000-8000-000000000001";

fn builder(place: &str) -> HostBuilder {
    HostProcess::builder().set("isolation.default", place)
}

/// What a client sees of a reply, without what is another one for each request.
fn seen(reply: &Reply) -> String {
    let kind = reply.header("Content-Type").unwrap_or("none");
    let text: String = reply.text().chars().take(2000).collect();
    format!("{} {kind} {} bytes {text}", reply.status, reply.text().len())
}

/// How a call of the record at `location` ends: state, result and error.
fn outcome(host: &HostProcess, location: &str) -> String {
    let path = location.find("/v1/").map_or(location, |at| &location[at..]);
    eventually("the call has ended", SOON, || {
        let record = host.get(path).expect(200).json();
        let has_ended = record["state"] != "running";
        has_ended.then(|| format!("{} {} {}", record["state"], record["result"], record["error"]))
    })
}

/// Makes a call, and tells what its client and its record say.
fn call(host: &HostProcess, target: &str, body: &Value) -> String {
    let reply = host.post(target, body.clone());
    match reply.header("Location") {
        Some(location) => format!("{} {}", reply.status, outcome(host, location)),
        None => seen(&reply),
    }
}

/// Asks the same of a driver in both places, each host with one node.
fn same_answers(library: suite::Library, set: &[(&str, toml::Value)], requests: &[(String, Value)]) {
    let [here, there] = PLACES.map(|place| {
        let builder = builder(place).driver(library).driver_panics_expected();
        let builder = set
            .iter()
            .fold(builder, |builder, (key, value)| builder.set(key, value.clone()));
        let host = builder.start();
        let node = json!({"driver": library.name, "name": "n1", "uuid": NODE});
        host.post("/v1/nodes", node).expect(201);
        let answers: Vec<String> = requests
            .iter()
            .map(|(target, body)| call(&host, target, body))
            .collect();
        let last_error = host.node_field(NODE, "last_error").to_string();
        (answers, last_error)
    });
    for (((target, body), here), there) in requests.iter().zip(&here.0).zip(&there.0) {
        assert_eq!(there, here, "{target} {body}");
    }
    assert_eq!(there.1, here.1, "last_error");
}

fn of_node(method: &str) -> String {
    format!("/v1/nodes/{NODE}/vendor_passthru/{method}")
}

fn of_driver(driver: &str, method: &str) -> String {
    format!("/v1/drivers/{driver}/vendor_passthru/{method}")
}

#[test]
fn the_calls_of_fake_are_answered_the_same() {
    let body = json!({"a": [1, {"b": null}], "text": "ä\"\\"});
    let mut requests = vec![
        (of_driver("fake", "echo"), body.clone()),
        (of_driver("fake", "nosuch"), json!({})),
        (of_node("echo_sync"), body.clone()),
        (of_node("echo_shared"), body),
        (of_node("first_method"), json!({"bar": "baz"})),
        (of_node("first_method"), json!({})),
        (of_node("third_method_sync"), json!({"bar": "meow"})),
        (of_node("fourth_method_shared_lock"), json!({"bar": "woof"})),
        (of_node("attach"), json!({})),
    ];
    let kinds = [
        "internal",
        "invalid-parameter",
        "missing-parameter",
        "conflict",
        "not-found",
        "unavailable",
        "timeout",
        "unsupported",
        "nosuch",
    ];
    for kind in kinds {
        for method in ["fail_sync", "fail_async"] {
            let body = json!({"kind": kind, "message": format!("a fault, {kind}\nof two lines")});
            requests.push((of_node(method), body));
        }
    }
    same_answers(FAKE, &[], &requests);
}

#[test]
fn what_no_driver_may_answer_is_refused_the_same() {
    let orders = [
        "fine",
        "broken",
        "two values",
        "not utf-8",
        "html",
        "deep",
        "nothing",
        "typed",
        "injects",
        "nul",
        "latin",
        "empty type",
        "no type",
        "good type",
        "long type",
        "long fault",
        "lines",
        "empty fault",
        "unknown kind",
        "bad details",
        "long log",
        "drop",
        "twice",
        "nosuch",
        "bytes 100000",
        "bytes 99998",
    ];
    let mut requests = Vec::new();
    for order in orders {
        for method in ["answer", "later", "attach"] {
            requests.push((of_driver("unruly", method), json!(order)));
        }
        for method in ["answer_sync", "answer_async", "later_sync", "later_async"] {
            requests.push((of_node(method), json!(order)));
        }
    }
    same_answers(UNRULY, &[("limits.max_reply_bytes", 100_000.into())], &requests);
}

#[test]
fn bodies_and_replies_of_the_largest_size_pass_and_larger_ones_are_refused_the_same() {
    let megabyte = json!("m".repeat((1 << 20) - 2));
    let requests = [
        (of_driver("fake", "echo"), megabyte.clone()),
        (of_node("echo_sync"), megabyte),
        (of_driver("fake", "echo"), json!("m".repeat(1 << 20))),
    ];
    same_answers(FAKE, &[], &requests);
    let largest = 16 << 20;
    let requests = [largest - 2, largest - 1, largest, 3 * largest]
        .map(|bytes| (of_driver("unruly", "answer"), json!(format!("bytes {bytes}"))));
    same_answers(UNRULY, &[], &requests);
}

#[test]
fn a_panic_costs_only_its_call_in_both_places() {
    let of_the_driver = [
        "blocking",
        "deferred_start",
        "deferred_thread",
        "arguments",
        "answer",
        "payload",
        "fine",
    ];
    let of_the_driver = of_the_driver.map(|method| (of_driver("panics", method), json!({})));
    let of_the_node = ["blocking_on_node", "async_on_node", "fine_on_node"];
    let of_the_node = of_the_node.map(|method| (of_node(method), json!({})));
    let requests: Vec<_> = of_the_driver.into_iter().chain(of_the_node).collect();
    same_answers(PANICS, &[], &requests);
}

#[test]
fn a_driver_that_refuses_its_configuration_says_the_same_at_the_start() {
    for (library, key) in [
        (LEAKY, "drivers.leaky.config.nosuch"),
        (WRITES_AT_LOAD, "drivers.writes-at-load.config.x"),
    ] {
        let [here, there] = PLACES.map(|place| {
            let builder = builder(place)
                .driver(library)
                .set(key, 1)
                .argument("--log-level=off");
            let folder = builder.folder().to_str().expect("UTF-8").to_owned();
            let output = builder.serve_to_end().failed(4, library.name);
            output.everything().replace(&folder, "FOLDER")
        });
        assert_eq!(there, here);
        assert!(there.contains("cannot be loaded from"), "{there}");
    }
}

#[test]
fn a_call_of_every_kind_is_told_of_its_deadline_and_has_a_late_outcome_in_both_places() {
    for place in PLACES {
        let host = builder(place)
            .driver(SLOW)
            .set("drivers.slow.call_timeout_ms", 1000)
            .set("isolation.kill_grace_ms", 600_000)
            .start();
        let gate = Gate::closed();
        let mut records = Vec::new();
        for method in ["block", "defer", "until_cancelled"] {
            let reply = host
                .post(&of_driver("slow", method), gate.arguments())
                .expect(504);
            assert!(
                reply.fault().text.contains("within 1000 ms"),
                "{place} {method}: {}",
                reply.text()
            );
            records.push(reply.must_have("Location").to_owned());
        }
        for method in ["hold_async", "defer_async"] {
            let node = host.create_node_of(SLOW, method);
            let target = format!("/v1/nodes/{node}/vendor_passthru/{method}");
            let reply = host.post(&target, gate.arguments()).expect(202);
            records.push(reply.must_have("Location").to_owned());
        }
        host.logged(&["seen that the call is cancelled"]);
        let record = |location: &str| {
            let path = location.find("/v1/").map_or(location, |at| &location[at..]);
            host.get(path).expect(200).json()
        };
        for location in &records {
            eventually("it is timed out", SOON, || {
                (record(location)["state"] == "timed_out").then_some(())
            });
        }
        gate.open();
        for location in &records {
            let late = eventually("a late outcome", SOON, || {
                let late = record(location)["late_outcome"].clone();
                (!late.is_null()).then_some(late)
            });
            assert_eq!(late["state"], "succeeded", "{place} {late}");
            assert_eq!(record(location)["state"], "timed_out", "{place}");
        }
    }
}

#[test]
fn a_running_call_can_be_asked_to_stop_in_both_places() {
    for place in PLACES {
        let host = builder(place).driver(SLOW).start();
        let node = host.create_node_of(SLOW, "n1");
        let target = format!("/v1/nodes/{node}/vendor_passthru/until_cancelled_async");
        let location = host
            .post(&target, json!({}))
            .expect(202)
            .must_have("Location")
            .to_owned();
        let path = location.find("/v1/").map_or(&*location, |at| &location[at..]);
        host.request("DELETE", path).send();
        assert_eq!(outcome(&host, &location), "\"succeeded\" null null", "{place}");
    }
}

#[test]
fn hundreds_of_calls_are_under_way_at_once_in_both_places_and_none_is_mixed_up() {
    for place in PLACES {
        let host = builder(place)
            .driver(SLOW)
            .driver(FAKE)
            .set("drivers.slow.max_workers", 256)
            .start();
        let gate = Gate::closed();
        let waiting: Vec<_> = ["block"; 48]
            .into_iter()
            .chain(["defer"; 200])
            .map(|method| {
                let request = host.request("POST", &of_driver("slow", method));
                request.json(&gate.arguments()).start()
            })
            .collect();
        gate.wait_for(248);
        let echoes: Vec<_> = (0..100)
            .map(|number| {
                let request = host.request("POST", &of_driver("fake", "echo"));
                (number, request.json(&json!({ "number": number })).start())
            })
            .collect();
        for (number, echo) in echoes {
            assert_eq!(
                echo.wait().expect(200).json()["args"],
                json!({ "number": number }),
                "{place}"
            );
        }
        assert!(waiting.iter().all(|call| !call.is_answered()), "{place}");
        gate.open();
        for call in waiting {
            assert_eq!(call.wait().expect(200).json(), "done", "{place}");
        }
    }
}

#[test]
fn of_three_processes_the_death_of_one_costs_only_its_own_call() {
    let host = builder("process")
        .driver(SLOW)
        .set("drivers.slow.workers", 3)
        .start();
    let gate = Gate::closed();
    let call = |method: &str| {
        host.request("POST", &of_driver("slow", method))
            .json(&gate.arguments())
            .start()
    };
    let calls: Vec<_> = (1..=3)
        .map(|number| {
            let pending = call("block");
            gate.wait_for(number);
            pending
        })
        .collect();
    let shown = host.get("/v1/drivers/slow").expect(200).json();
    let processes = shown["isolation"]["processes"].as_array().expect("a list");
    assert_eq!(processes.len(), 3, "{shown}");
    let victim = processes[1].as_i64().and_then(|id| i32::try_from(id).ok());
    let victim = victim.and_then(rustix::process::Pid::from_raw).expect("an id");
    rustix::process::kill_process(victim, Signal::KILL).expect("a running process");
    eventually("one call is answered", SOON, || {
        calls.iter().any(|call| call.is_answered()).then_some(())
    });
    gate.open();
    let replies: Vec<Reply> = calls.into_iter().map(suite::Pending::wait).collect();
    let (fine, failed): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 200);
    assert_eq!((fine.len(), failed.len()), (2, 1));
    failed[0].refused(
        500,
        "the process of driver 'slow' was killed by signal 9 (SIGKILL)",
    );
}

#[test]
fn what_a_worker_prints_is_in_the_log_under_its_driver_without_the_secrets_of_nodes() {
    const CANARY: &str = "canary-in-the-print";
    let host = builder("process").driver(UNRULY).start();
    let node = json!({"driver": "unruly", "name": "n1", "uuid": NODE, "driver_info": {"password": CANARY}});
    host.post("/v1/nodes", node).expect(201);
    host.post(&of_node("answer_sync"), json!(format!("say it is {CANARY}")))
        .expect(200);
    for (stream, text) in [
        ("stdout", "it is ****** aloud"),
        ("stderr", "it is ****** in error"),
    ] {
        let line = host.logged(&[text, stream]);
        assert!(line.contains("\"driver\":\"unruly\""), "{line}");
    }
    assert!(!host.log.text().contains(CANARY), "{}", host.log.text());
}
