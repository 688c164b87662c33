//! What is on the page, as Prometheus' own parser reads it, and that the table and the dashboard speak of nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use suite::{FAKE, HostProcess, SLOW, python, repository_root};

use super::call_of_node;

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
    let host = HostProcess::builder()
        .driver(FAKE)
        .driver(SLOW)
        .set("drivers.slow.isolation", "process")
        .start();
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
