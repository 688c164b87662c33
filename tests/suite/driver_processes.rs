//! Drivers in processes of their own, as operators and clients see them.

mod clients;
mod config;
mod quarantine;

use std::time::Duration;

use rustix::process::{Pid, kill_process};
use serde_json::{Value, json};
use suite::{FAKE, HostBuilder, HostProcess, SLOW, Signal, eventually, host_command};

use crate::metrics::Page;

const SOON: Duration = Duration::from_secs(30);
const ECHO: &str = "/v1/drivers/slow/vendor_passthru/echo";

/// A host with the slow driver in a process of its own.
fn slow() -> HostBuilder {
    HostProcess::builder()
        .driver(SLOW)
        .set("drivers.slow.isolation", "process")
}

/// What a host says of the slow driver's processes.
fn isolation(host: &HostProcess) -> Value {
    host.get("/v1/drivers/slow").expect(200).json()["isolation"].clone()
}

/// The processes of the slow driver that are up.
fn processes(host: &HostProcess) -> Vec<i32> {
    let isolation = isolation(host);
    let processes = isolation["processes"].as_array().expect("a list").iter();
    processes
        .map(|id| i32::try_from(id.as_i64().expect("a number")).expect("a process's id"))
        .collect()
}

fn kill(process: i32) {
    kill_process(Pid::from_raw(process).expect("a process's id"), Signal::KILL).expect("a running process");
}

fn sample(name: &str) -> String {
    format!("driver_host_driver_{name}{{driver=\"slow\"}}")
}

#[test]
fn the_detail_of_a_driver_names_its_processes_and_counts_their_deaths() {
    let host = slow().driver(FAKE).set("drivers.slow.workers", 2).start();
    let shown = isolation(&host);
    let [one, other] = processes(&host)[..] else {
        panic!("{shown}")
    };
    assert_eq!(
        shown,
        json!({"mode": "process", "processes": [one, other], "wanted": 2, "deaths": 0, "quarantined": null})
    );
    assert_ne!(one, other);

    kill(one);
    let shown = eventually("the dead one is replaced", SOON, || {
        let shown = isolation(&host);
        let up = shown["processes"].as_array().map(Vec::len);
        (up == Some(2) && shown["deaths"] == 1).then_some(shown)
    });
    let now = processes(&host);
    assert!(now.contains(&other) && !now.contains(&one), "{shown}");
    assert_eq!(shown["quarantined"], Value::Null);
    host.post(ECHO, json!({})).expect(200);
}

#[test]
fn only_details_show_processes_and_only_of_a_driver_that_has_some() {
    let host = slow().driver(FAKE).start();
    let of_fake = host.get("/v1/drivers/fake").expect(200).json();
    assert_eq!(of_fake.get("isolation"), None);
    let driver = |query: &str, at: usize| {
        let list = host.get(&format!("/v1/drivers{query}")).expect(200).json();
        list["drivers"][at].clone()
    };
    assert_eq!(driver("", 1).get("isolation"), None);
    assert_eq!(driver("?detail=True", 1)["isolation"]["wanted"], 1);
    assert_eq!(driver("?detail=True", 0).get("isolation"), None);
    let chosen = driver("?fields=name,isolation", 1);
    assert_eq!(chosen["isolation"]["mode"], "process");
    assert_eq!(chosen.get("type"), None);
}

#[test]
fn driver_list_says_where_each_driver_runs() {
    let host = slow().driver(FAKE).start();
    let list = |arguments: &[&str]| {
        host_command(&[&["driver-list", "--url", &host.url()], arguments].concat()).succeeded()
    };
    let table = list(&[]).stdout;
    let row = |driver: &str| {
        let row = table.lines().find(|line| line.starts_with(driver));
        row.unwrap_or_else(|| panic!("{table}")).to_owned()
    };
    assert!(row("NAME").contains("ISOLATION"), "{table}");
    assert!(row("fake").contains(" in-process "), "{table}");
    assert!(row("slow").contains(" process "), "{table}");
    let json = list(&["--json"]).json();
    assert_eq!(json[0]["isolation"], Value::Null);
    assert_eq!(json[1]["isolation"], isolation(&host));
}

#[test]
fn metrics_count_processes_and_deaths_of_drivers_that_have_some() {
    let host = slow().driver(FAKE).set("drivers.slow.workers", 2).start();
    let values = |page: &Page| {
        [
            "processes",
            "processes_wanted",
            "process_deaths_total",
            "quarantined",
        ]
        .map(|name| page.value(&sample(name)))
    };
    let page = Page::of(&host);
    assert_eq!(values(&page), [2.0, 2.0, 0.0, 0.0]);
    let text = host.get("/metrics").expect(200).text();
    assert!(!text.contains("driver_processes{driver=\"fake\"}"), "{text}");
    kill(processes(&host)[0]);
    eventually("the death is counted and made good", SOON, || {
        (values(&Page::of(&host)) == [2.0, 2.0, 1.0, 0.0]).then_some(())
    });
}
