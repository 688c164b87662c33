//! `/metrics`: what is counted, what it is called, and that the documents and the dashboard speak of nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use suite::{
    FAKE, Gate, HostProcess, PANICS, Pending, SLOW, eventually, python, raw_exchange, repository_root,
};

const SOON: Duration = Duration::from_secs(30);

/// The samples of one reply, by name and labels as they stand there.
struct Page(BTreeMap<String, f64>);

impl Page {
    fn of(host: &HostProcess) -> Page {
        let text = host.get("/metrics").expect(200).text();
        let samples = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (sample, value) = line.rsplit_once(' ').expect("a sample and its value");
            (sample.to_owned(), value.parse().expect("a number"))
        });
        Page(samples.collect())
    }

    #[track_caller]
    fn value(&self, sample: &str) -> f64 {
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
fn until(host: &HostProcess, sample: &str, expected: f64) {
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

/// A family as Prometheus' own parser reads it.
struct Family {
    name: String,
    kind: String,
    help: String,
    /// Each name that its samples have, with their labels.
    samples: BTreeMap<String, BTreeSet<String>>,
}

/// What a host with a few calls behind it serves.
fn families(host: &HostProcess) -> Vec<Family> {
    let page = python(host, "metrics_page.py");
    assert_eq!(page["content_type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let family = |family: &Value| {
        let mut samples: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for sample in family["samples"].as_array().expect("samples") {
            let value = text(&sample["value"]);
            assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{sample}");
            let labels = sample["labels"].as_object().expect("labels").keys().cloned();
            samples.entry(text(&sample["name"])).or_default().extend(labels);
        }
        let kind = text(&family["type"]);
        let total = if kind == "counter" { "_total" } else { "" };
        Family {
            // the parser takes the suffix of a counter for its unit
            name: format!("{}{total}", text(&family["name"])),
            kind,
            help: text(&family["help"]),
            samples,
        }
    };
    page["families"]
        .as_array()
        .expect("families")
        .iter()
        .map(family)
        .collect()
}

fn used_host() -> HostProcess {
    let host = HostProcess::with_fake();
    host.create_node("n1");
    host.post(&call_of_node("n1", "echo_sync"), json!({})).expect(200);
    host
}

#[test]
fn prometheus_own_parser_reads_the_page_and_every_family_has_help_type_and_a_good_name() {
    let families = families(&used_host());
    assert!(families.len() > 25, "{}", families.len());
    let mut names = BTreeSet::new();
    for Family {
        name,
        kind,
        help,
        samples,
    } in &families
    {
        assert!(names.insert(name.clone()), "{name} stands there twice");
        assert!(help.ends_with('.') && help.len() > 5, "{name}: {help}");
        assert!(!samples.is_empty(), "{name} has no samples");
        assert!(
            ["counter", "gauge", "histogram"].contains(&kind.as_str()),
            "{name}: {kind}"
        );
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name}: {kind}");
        assert!(
            name.starts_with("driver_host_") || name.starts_with("process_"),
            "{name}"
        );
        if kind == "histogram" {
            assert!(name.ends_with("_seconds"), "{name}");
            let parts: Vec<&str> = samples.keys().map(|sample| &sample[name.len()..]).collect();
            assert_eq!(parts, ["_bucket", "_count", "_sum"], "{name}");
        }
        let known = [
            "driver",
            "on",
            "method",
            "outcome",
            "limit",
            "status",
            "version",
            "abi_version",
            "le",
        ];
        for label in samples.values().flatten() {
            assert!(known.contains(&label.as_str()), "{name} has the label {label}");
        }
    }
}

#[test]
fn the_table_of_the_metrics_is_what_is_served() {
    let document = std::fs::read_to_string(repository_root().join("host/METRICS.md")).expect("METRICS.md");
    let documented: Vec<Vec<&str>> = document
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        // the tables of labels and outcomes are narrower
        .filter(|cells: &Vec<&str>| cells.len() == 4)
        .collect();
    let served: Vec<[String; 4]> = families(&used_host())
        .into_iter()
        .map(|family| {
            let labels: BTreeSet<String> = family.samples.into_values().flatten().collect();
            let labels = labels
                .iter()
                .filter(|label| *label != "le")
                .map(|label| format!("`{label}`"));
            let labels = labels.collect::<Vec<_>>().join(", ");
            [format!("`{}`", family.name), family.kind, labels, family.help]
        })
        .collect();
    assert_eq!(documented, served);
}

/// Takes what stands between each pair of brackets out of a text.
fn without(text: &str, open: char, close: char) -> (String, Vec<String>) {
    let (mut left, mut taken) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once(open) {
        let (inside, after) = inside
            .split_once(close)
            .unwrap_or_else(|| panic!("{open} without {close}: {text}"));
        left.push_str(before);
        // what stood before and after is not one word now
        left.push(' ');
        taken.push(inside.to_owned());
        rest = after;
    }
    left.push_str(rest);
    (left, taken)
}

fn words(text: &str) -> Vec<&str> {
    let of_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':';
    text.split(|letter| !of_word(letter))
        .filter(|word| word.starts_with(|letter: char| letter.is_ascii_alphabetic()))
        .collect()
}

/// The names of metrics in an expression of PromQL, each with the labels that are selected by, and the labels that are grouped by.
fn parse(expression: &str) -> (Vec<(String, Vec<String>)>, Vec<String>) {
    let (text, _) = without(expression, '"', '"');
    let (mut text, _) = without(&text, '[', ']');
    let mut grouped = Vec::new();
    while let Some(at) = text.find(" by (") {
        let list = text[at..]
            .find(')')
            .map(|end| at + end)
            .expect("the end of a list of labels");
        grouped.extend(words(&text[at + 4..list]).into_iter().map(str::to_owned));
        text.replace_range(at..=list, " ");
    }
    let functions = ["sum", "rate", "histogram_quantile", "topk", "time"];
    let mut metrics = Vec::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(|letter: char| letter.is_ascii_alphabetic()) {
        let end = rest[at..].find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
        let end = end.map_or(rest.len(), |end| at + end);
        let (word, after) = (&rest[at..end], rest[end..].trim_start());
        rest = &rest[end..];
        if functions.contains(&word) {
            assert!(after.starts_with('('), "{expression}: {word}");
            continue;
        }
        let selected = after.strip_prefix('{').and_then(|labels| labels.split_once('}'));
        let labels = selected.map_or_else(Vec::new, |(labels, _)| words(labels));
        metrics.push((word.to_owned(), labels.into_iter().map(str::to_owned).collect()));
        if let Some((_, after)) = selected {
            rest = after;
        }
    }
    assert!(!metrics.is_empty(), "no metric in {expression}");
    (metrics, grouped)
}

#[test]
fn the_names_in_an_expression_are_found() {
    let (metrics, grouped) = parse(
        "topk(10, sum by (a, b) (rate(one_total{x=~\"by (c)\",y!=\"{z}\"}[5m])) / sum by (a, b) (two_count)) > 0",
    );
    let name = |name: &str, labels: &[&str]| {
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        (name.to_owned(), labels)
    };
    assert_eq!(metrics, [name("one_total", &["x", "y"]), name("two_count", &[])]);
    assert_eq!(grouped, ["a", "b", "a", "b"]);
}

/// Every text under this key, at any depth.
fn texts<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    match value {
        Value::Object(object) => object
            .iter()
            .flat_map(|(name, value)| match value {
                Value::String(text) if name == key => vec![text.as_str()],
                value => texts(value, key),
            })
            .collect(),
        Value::Array(values) => values.iter().flat_map(|value| texts(value, key)).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn the_dashboard_asks_for_nothing_that_is_not_served_and_leaves_nothing_out() {
    let path = repository_root().join("host/dashboards/driver-host.json");
    let dashboard: Value =
        serde_json::from_slice(&std::fs::read(path).expect("the dashboard")).expect("JSON");
    let families = families(&used_host());
    let served: BTreeMap<&str, &BTreeSet<String>> = families
        .iter()
        .flat_map(|family| &family.samples)
        .map(|(name, labels)| (name.as_str(), labels))
        .collect();
    // Prometheus itself adds these to whatever it scrapes
    let has =
        |metric: &str, label: &str| served[metric].contains(label) || ["instance", "job"].contains(&label);
    let expressions = texts(&dashboard["panels"], "expr");
    assert!(expressions.len() > 25, "{}", expressions.len());
    let mut used = BTreeSet::new();
    for expression in expressions {
        let (metrics, grouped) = parse(expression);
        for (metric, labels) in &metrics {
            assert!(served.contains_key(metric.as_str()), "{metric} of {expression}");
            for label in labels.iter().chain(&grouped) {
                assert!(has(metric, label), "{metric} has no label {label}: {expression}");
            }
            used.insert(metric.clone());
        }
    }
    for query in texts(&dashboard["templating"], "query") {
        let Some(arguments) = query.strip_prefix("label_values(") else {
            assert_eq!(query, "prometheus");
            continue;
        };
        let [metric, label] = words(arguments)[..] else {
            panic!("{query}")
        };
        assert!(has(metric, label), "{query}");
    }
    for family in &families {
        let mut samples = family.samples.keys();
        assert!(
            samples.any(|name| used.contains(name)),
            "{} is not shown",
            family.name
        );
    }
}
