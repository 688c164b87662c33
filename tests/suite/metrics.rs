//! `/metrics`: what is counted, and when.

mod served;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use suite::{FAKE, Gate, HostProcess, PANICS, Pending, SLOW, eventually, raw_exchange};

const SOON: Duration = Duration::from_secs(30);

/// The samples of one reply, by name and labels as they stand there.
pub(crate) struct Page(BTreeMap<String, f64>);

impl Page {
    pub(crate) fn of(host: &HostProcess) -> Page {
        let text = host.get("/metrics").expect(200).text();
        let samples = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (sample, value) = line.rsplit_once(' ').expect("a sample and its value");
            (sample.to_owned(), value.parse().expect("a number"))
        });
        Page(samples.collect())
    }

    #[track_caller]
    pub(crate) fn value(&self, sample: &str) -> f64 {
        *self.0.get(sample).unwrap_or_else(|| panic!("no {sample}"))
    }

    /// The samples of this name that are not zero.
    fn not_zero(&self, name: &str) -> BTreeMap<&str, f64> {
        let of_name = |sample: &str| sample == name || sample.starts_with(&format!("{name}{{"));
        self.0
            .iter()
            .filter(|(sample, value)| of_name(sample) && **value != 0.0)
            .map(|(sample, value)| (sample.as_str(), *value))
            .collect()
    }
}

/// Waits until a sample has this value.
pub(crate) fn until(host: &HostProcess, sample: &str, expected: f64) {
    eventually(&format!("{sample} is {expected}"), SOON, || {
        (Page::of(host).value(sample) == expected).then_some(())
    });
}

fn start(host: &HostProcess, target: &str, body: &Value) -> Pending {
    host.request("POST", target).json(body).start()
}

fn call_of_driver(driver: &str, method: &str) -> String {
    format!("/v1/drivers/{driver}/vendor_passthru/{method}")
}

fn call_of_node(node: &str, method: &str) -> String {
    format!("/v1/nodes/{node}/vendor_passthru/{method}")
}

#[test]
fn every_call_is_counted_once_under_its_method_and_outcome() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .driver(PANICS)
        .driver(SLOW)
        .set("locks.wait_ms", 0)
        .set("drivers.slow.max_workers", 1)
        .set("drivers.slow.call_timeout_ms", 1000)
        .driver_panics_expected()
        .start();
    host.create_node("n1");
    host.create_node_of(SLOW, "n2");
    let gate = Gate::closed();
    let internal = json!({"kind": "internal", "message": "x"});
    host.post(&call_of_node("n1", "echo_sync"), json!({})).expect(200);
    host.post(&call_of_node("n1", "third_method_sync"), json!({}))
        .expect(400);
    host.post(&call_of_node("n1", "fail_sync"), internal).expect(500);
    host.post(&call_of_node("n1", "first_method"), json!({"bar": "baz"}))
        .expect(202);
    host.post(&call_of_driver("panics", "blocking"), json!({}))
        .expect(500);
    host.post(&call_of_node("n2", "hold"), gate.arguments())
        .expect(504);
    host.post(&call_of_node("n2", "hold"), json!({})).expect(409);
    host.post(&call_of_driver("slow", "echo"), json!({})).expect(503);
    // what a client makes up is counted nowhere
    host.post(&call_of_node("n1", "made_up"), json!({})).expect(400);
    host.post(&call_of_driver("made_up", "echo"), json!({}))
        .expect(404);
    host.get(&call_of_node("n1", "echo_async")).expect(400);

    let sample = |driver, on, method, outcome| {
        format!(
            "driver_host_calls_total{{driver=\"{driver}\",on=\"{on}\",method=\"{method}\",outcome=\"{outcome}\"}}"
        )
    };
    let expected = BTreeMap::from([
        (sample("fake", "node", "echo_sync", "succeeded"), 1.0),
        (sample("fake", "node", "third_method_sync", "refused"), 1.0),
        (sample("fake", "node", "fail_sync", "failed"), 1.0),
        (sample("fake", "node", "first_method", "succeeded"), 1.0),
        (sample("panics", "driver", "blocking", "panicked"), 1.0),
        (sample("slow", "node", "hold", "timed_out"), 1.0),
        (sample("slow", "node", "hold", "locked"), 1.0),
        (sample("slow", "driver", "echo", "busy"), 1.0),
    ]);
    until(&host, &sample("fake", "node", "first_method", "succeeded"), 1.0);
    let counted = |page: &Page| -> BTreeMap<String, f64> {
        let calls = page.not_zero("driver_host_calls_total");
        calls
            .into_iter()
            .map(|(sample, calls)| (sample.to_owned(), calls))
            .collect()
    };
    let page = Page::of(&host);
    assert_eq!(counted(&page), expected);
    let hold = "{driver=\"slow\",on=\"node\",method=\"hold\"}";
    let in_flight = format!("driver_host_calls_in_flight{hold}");
    assert_eq!(
        page.not_zero("driver_host_calls_in_flight"),
        BTreeMap::from([(in_flight.as_str(), 1.0)]),
        "the driver is still busy with the call that timed out"
    );
    assert_eq!(page.value("driver_host_lock_refused_total"), 1.0);
    assert_eq!(page.value("driver_host_locks_held"), 1.0);
    assert_eq!(page.value("driver_host_nodes"), 2.0);

    gate.open();
    until(&host, &in_flight, 0.0);
    let page = Page::of(&host);
    assert_eq!(counted(&page), expected, "a late answer is not counted again");
    let count = page.value(&format!("driver_host_call_duration_seconds_count{hold}"));
    let sum = page.value(&format!("driver_host_call_duration_seconds_sum{hold}"));
    assert_eq!(
        count, 1.0,
        "a call that was locked out took no time of the driver"
    );
    assert!(sum >= 1.0, "{sum} s, and the deadline alone was 1 s");
    let bucket = |le| {
        let name = "driver_host_call_duration_seconds_bucket";
        page.value(&format!(
            "{name}{{driver=\"slow\",on=\"node\",method=\"hold\",le=\"{le}\"}}"
        ))
    };
    assert_eq!((bucket("0.5"), bucket("+Inf")), (0.0, 1.0));
}

#[test]
fn each_limit_says_what_is_in_use_what_it_is_and_what_it_has_refused() {
    let of_host = |limit: &str| ("limit", format!("{{limit=\"{limit}\"}}"));
    let of_slow = |limit: &str| ("share", format!("{{driver=\"slow\",limit=\"{limit}\"}}"));
    for (key, held, refused, (family, labels)) in [
        (
            "calls.max",
            "defer",
            call_of_driver("fake", "echo"),
            of_host("calls.max"),
        ),
        (
            "workers.max",
            "block",
            call_of_driver("fake", "echo"),
            of_host("workers.max"),
        ),
        (
            "drivers.slow.max_calls",
            "defer",
            call_of_driver("slow", "defer"),
            of_slow("max_calls"),
        ),
        (
            "drivers.slow.max_workers",
            "block",
            call_of_driver("slow", "block"),
            of_slow("max_workers"),
        ),
    ] {
        let host = HostProcess::builder()
            .driver(FAKE)
            .driver(SLOW)
            .set(key, 1)
            .start();
        let gate = Gate::closed();
        let pending = start(&host, &call_of_driver("slow", held), &gate.arguments());
        until(&host, &format!("driver_host_{family}_in_use{labels}"), 1.0);
        host.post(&refused, json!({})).expect(503);
        let page = Page::of(&host);
        assert_eq!(
            page.value(&format!("driver_host_{family}_max{labels}")),
            1.0,
            "{key}"
        );
        let refusals: BTreeMap<&str, f64> = ["limit", "share"]
            .into_iter()
            .flat_map(|family| page.not_zero(&format!("driver_host_{family}_refused_total")))
            .collect();
        let expected = format!("driver_host_{family}_refused_total{labels}");
        assert_eq!(refusals, BTreeMap::from([(expected.as_str(), 1.0)]), "{key}");
        gate.open();
        pending.wait().expect(200);
        let page = Page::of(&host);
        for family in ["limit", "share"] {
            let in_use = page.not_zero(&format!("driver_host_{family}_in_use"));
            assert_eq!(in_use, BTreeMap::new(), "{key}: all is free again");
        }
    }
}

#[test]
fn a_wait_for_a_lock_is_seen_while_it_lasts_and_timed_when_it_is_over() {
    let host = HostProcess::builder()
        .driver(SLOW)
        .set("locks.wait_ms", 60_000)
        .start();
    host.create_node_of(SLOW, "n1");
    let gate = Gate::closed();
    let first = start(&host, &call_of_node("n1", "hold"), &gate.arguments());
    until(&host, "driver_host_locks_held", 1.0);
    let second = start(&host, &call_of_node("n1", "hold"), &json!({}));
    until(&host, "driver_host_lock_waiters", 1.0);
    assert_eq!(Page::of(&host).value("driver_host_lock_wait_seconds_count"), 0.0);
    gate.open();
    first.wait().expect(200);
    second.wait().expect(200);
    let page = Page::of(&host);
    assert_eq!(page.value("driver_host_lock_wait_seconds_count"), 1.0);
    assert!(page.value("driver_host_lock_wait_seconds_sum") > 0.0);
    assert_eq!(page.value("driver_host_lock_waiters"), 0.0);
    assert_eq!(page.value("driver_host_locks_held"), 0.0);
    assert_eq!(page.value("driver_host_lock_refused_total"), 0.0);
}

#[test]
fn commits_and_the_changes_that_they_hold_are_counted() {
    let host = HostProcess::with_fake();
    let before = Page::of(&host);
    for n in 0..5 {
        host.create_node(&format!("n{n}"));
    }
    let after = Page::of(&host);
    let more = |sample| after.value(sample) - before.value(sample);
    assert!(more("driver_host_database_requests_total") >= 5.0);
    // each was answered before the next one came, so none shared a commit with another
    assert!(more("driver_host_database_commit_seconds_count") >= 5.0);
    assert!(more("driver_host_database_commit_seconds_sum") > 0.0);
    assert_eq!(after.value("driver_host_database_failures_total"), 0.0);
}

#[test]
fn connections_and_replies_are_counted_also_those_that_are_refused() {
    let host = HostProcess::builder()
        .driver(FAKE)
        .set("limits.max_connections", 40)
        .start();
    // a connection that has been answered may be open for a moment longer
    until(&host, "driver_host_http_connections_open", 1.0);
    let before = Page::of(&host);
    host.get("/v1/nowhere").expect(404);
    host.post("/v1/drivers/fake/vendor_passthru/echo", json!({}))
        .expect(200);
    let after = Page::of(&host);
    let more = |status| {
        let sample = format!("driver_host_http_requests_total{{status=\"{status}\"}}");
        after.value(&sample) - before.value(&sample)
    };
    // the echo, and the page that was read before
    assert_eq!((more("2xx"), more("4xx"), more("5xx")), (2.0, 1.0, 0.0));
    assert_eq!(after.value("driver_host_http_connections_max"), 40.0);

    let open = |_| std::net::TcpStream::connect(&host.address).expect("a connection");
    let held: Vec<_> = (0..40).map(open).collect();
    let refused = eventually("all connections are taken", SOON, || {
        let reply = raw_exchange(
            &host.address,
            b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            SOON,
        );
        reply.starts_with("HTTP/1.1 503").then_some(reply)
    });
    assert!(refused.contains("Too many connections"), "{refused}");
    drop(held);
    let page = eventually("there is room again", SOON, || {
        let reply = host.get("/metrics");
        (reply.status == 200).then(|| Page::of(&host))
    });
    assert!(page.value("driver_host_http_connections_refused_total") >= 1.0);
}

#[test]
fn the_page_is_served_while_every_worker_hangs_in_a_driver() {
    let host = HostProcess::builder()
        .driver(SLOW)
        .set("workers.max", 2)
        .set("drivers.slow.max_workers", 2)
        .start();
    let gate = Gate::closed();
    let hung: Vec<Pending> = (0..2)
        .map(|_| start(&host, &call_of_driver("slow", "block"), &gate.arguments()))
        .collect();
    until(&host, "driver_host_limit_in_use{limit=\"workers.max\"}", 2.0);
    let in_flight = "driver_host_calls_in_flight{driver=\"slow\",on=\"driver\",method=\"block\"}";
    for _ in 0..20 {
        assert_eq!(Page::of(&host).value(in_flight), 2.0);
    }
    assert!(hung.iter().all(|call| !call.is_answered()));
    gate.open();
    for call in hung {
        call.wait().expect(200);
    }
    assert_eq!(Page::of(&host).value(in_flight), 0.0);
}

#[test]
fn the_process_says_how_it_fares() {
    let host = HostProcess::with_fake();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970");
    let page = Page::of(&host);
    let age = now.as_secs_f64() - page.value("process_start_time_seconds");
    assert!((0.0..3600.0).contains(&age), "{age} s");
    assert!(page.value("process_resident_memory_bytes") > 1e6);
    let threads = u32::try_from(host.threads()).expect("a few hundred threads");
    assert!((page.value("process_threads") - f64::from(threads)).abs() <= 2.0);
    assert!(page.value("process_open_fds") >= 5.0);
    assert!(page.value("process_max_fds") > page.value("process_open_fds"));
    let before = page.value("process_cpu_seconds_total");
    eventually("it has worked", SOON, || {
        (Page::of(&host).value("process_cpu_seconds_total") > before).then_some(())
    });
}
