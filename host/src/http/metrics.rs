//! `GET /metrics`: what the host has counted, as a page for Prometheus.
//!
//! It asks no driver and waits for no lock and no limit. Labels have a small and fixed set of values: loaded drivers, the methods that
//! they declare, the names below. What a client sends is never one.

mod text;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, header};

use super::Api;
use crate::call::limits::Usage;
use crate::metrics::{self, Outcome};
use crate::plugin::loaded::{LoadedMethod, Standing};
use crate::plugin::manifest::{ABI_VERSION, CalledOn};
use crate::plugin::registry::Drivers;
use text::{CONTENT_TYPE, Family, Kind, Labels, Page, seconds};

/// What one method takes on the page, about.
const BYTES_PER_METHOD: usize = 3000;
/// What all else takes, about.
const BYTES: usize = 16_384;

/// `GET /metrics`
pub(super) async fn metrics(State(api): State<Arc<Api>>) -> Response<Body> {
    let mut response = Response::new(Body::from(page(&api)));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    response
}

fn page(api: &Api) -> String {
    let drivers = api.registry.snapshot();
    let methods: Vec<(Labels, &Arc<LoadedMethod>)> = labelled(&drivers);
    let mut page = Page::with_capacity(BYTES + methods.len() * BYTES_PER_METHOD);
    builds(&mut page, &drivers);
    calls(&mut page, &methods);
    stuck(&mut page, api, &drivers);
    limits(&mut page, api, &drivers);
    processes(&mut page, &drivers);
    nodes(&mut page, api);
    database(&mut page, api);
    traffic(&mut page, api);
    process(&mut page, api);
    page.into_text()
}

/// Every method of every driver with its labels.
fn labelled(drivers: &Drivers) -> Vec<(Labels, &Arc<LoadedMethod>)> {
    let mut methods = Vec::new();
    for (name, driver) in drivers {
        let labels = Labels::of([("driver", name)]);
        methods.extend(driver.methods().map(|method| {
            let on = match method.on {
                CalledOn::Node => "node",
                CalledOn::Driver => "driver",
            };
            (labels.and("on", on).and("method", &method.name), method)
        }));
    }
    methods
}

const fn counter(name: &'static str, help: &'static str) -> Family {
    let kind = Kind::Counter;
    Family { name, kind, help }
}

const fn gauge(name: &'static str, help: &'static str) -> Family {
    let kind = Kind::Gauge;
    Family { name, kind, help }
}

const fn histogram(name: &'static str, help: &'static str) -> Family {
    let kind = Kind::Histogram;
    Family { name, kind, help }
}

fn builds(page: &mut Page, drivers: &Drivers) {
    let own = Labels::of([
        ("version", env!("CARGO_PKG_VERSION")),
        ("abi_version", ABI_VERSION),
    ]);
    page.family(gauge(
        "driver_host_build_info",
        "Always 1; the labels are the versions of the host and of the boundary to drivers that it has.",
    ))
    .add(&own, 1);
    let mut samples = page.family(gauge(
        "driver_host_driver_info",
        "Always 1, for each loaded driver; the labels are its version and that of the boundary that it was built against.",
    ));
    for (name, driver) in drivers {
        let manifest = driver.manifest();
        let versions = [
            ("driver", name.as_str()),
            ("version", &manifest.version.to_string()),
            ("abi_version", &manifest.abi.to_string()),
        ];
        samples.add(&Labels::of(versions), 1);
    }
}

fn calls(page: &mut Page, methods: &[(Labels, &Arc<LoadedMethod>)]) {
    let mut samples = page.family(counter(
        "driver_host_calls_total",
        "Calls that are over for their clients, by outcome; locked and busy ones have not reached the driver.",
    ));
    for (labels, method) in methods {
        for outcome in Outcome::ALL {
            let calls = method.calls.outcomes(outcome);
            samples.add_with(labels, ("outcome", outcome.name()), calls);
        }
    }
    let mut samples = page.family(gauge(
        "driver_host_calls_in_flight",
        "Calls that drivers are busy with, those past their deadline included.",
    ));
    for (labels, method) in methods {
        samples.add(labels, method.calls.in_flight());
    }
    let mut samples = page.family(histogram(
        "driver_host_call_duration_seconds",
        "How long drivers were busy with a call, its validation included, whatever became of it.",
    ));
    for (labels, method) in methods {
        samples.times(labels, &method.calls.duration().read());
    }
}

fn stuck(page: &mut Page, api: &Api, drivers: &Drivers) {
    let in_flight = api.passthru.in_flight();
    let mut samples = page.family(gauge(
        "driver_host_stuck_calls",
        "Calls that a driver in the host's own process has not returned long after their deadline.",
    ));
    for driver in drivers.keys() {
        samples.add(&Labels::of([("driver", driver)]), in_flight.stuck(driver));
    }
}

/// The processes of the drivers that have some.
fn processes(page: &mut Page, drivers: &Drivers) {
    let standings: Vec<(Labels, Standing)> = drivers
        .iter()
        .filter_map(|(name, driver)| Some((Labels::of([("driver", name)]), driver.standing()?)))
        .collect();
    let mut add = |family, value: fn(&Standing) -> u64| {
        let mut samples = page.family(family);
        for (labels, standing) in &standings {
            samples.add(labels, value(standing));
        }
    };
    add(
        gauge(
            "driver_host_driver_processes",
            "Processes of a driver that are up.",
        ),
        |standing| u64::try_from(standing.processes.len()).unwrap_or(u64::MAX),
    );
    add(
        gauge(
            "driver_host_driver_processes_wanted",
            "How many processes a driver should have.",
        ),
        |standing| u64::try_from(standing.wanted).unwrap_or(u64::MAX),
    );
    add(
        counter(
            "driver_host_driver_process_deaths_total",
            "Processes of a driver that have ended although the host goes on.",
        ),
        |standing| standing.deaths,
    );
    add(
        gauge(
            "driver_host_driver_quarantined",
            "1 if a driver's processes have died too often, else 0.",
        ),
        |standing| u64::from(standing.quarantined.is_some()),
    );
}

fn limits(page: &mut Page, api: &Api, drivers: &Drivers) {
    let limits = api.passthru.limits();
    let own = limits
        .usage()
        .map(|usage| (Labels::of([("limit", usage.limit)]), usage));
    let shares: Vec<(Labels, Usage)> = drivers
        .keys()
        .filter_map(|driver| Some((driver, limits.usage_of(driver)?)))
        .flat_map(|(driver, usages)| {
            usages.map(|usage| (Labels::of([("driver", driver), ("limit", usage.limit)]), usage))
        })
        .collect();
    let mut add = |family, usages: &[(Labels, Usage)], value: fn(&Usage) -> u64| {
        let mut samples = page.family(family);
        for (labels, usage) in usages {
            samples.add(labels, value(usage));
        }
    };
    add(
        gauge(
            "driver_host_limit_in_use",
            "How many calls, or workers, of the host are taken.",
        ),
        &own,
        |usage| usage.in_use,
    );
    add(
        gauge(
            "driver_host_limit_max",
            "How many calls, or workers, the host has.",
        ),
        &own,
        |usage| usage.max,
    );
    add(
        counter(
            "driver_host_limit_refused_total",
            "Calls that a limit of the host refused with 503.",
        ),
        &own,
        |usage| usage.refused,
    );
    add(
        gauge(
            "driver_host_share_in_use",
            "How many calls, or workers, of a driver's share are taken.",
        ),
        &shares,
        |usage| usage.in_use,
    );
    add(
        gauge(
            "driver_host_share_max",
            "How many calls, or workers, a driver's share has.",
        ),
        &shares,
        |usage| usage.max,
    );
    add(
        counter(
            "driver_host_share_refused_total",
            "Calls that a driver's share refused with 503.",
        ),
        &shares,
        |usage| usage.refused,
    );
}

fn nodes(page: &mut Page, api: &Api) {
    let locks = &api.locks;
    page.single(
        gauge("driver_host_nodes", "Nodes that the host knows."),
        api.nodes.len(),
    );
    page.single(
        gauge("driver_host_locks_held", "Nodes that are locked."),
        locks.len(),
    );
    page.single(
        gauge(
            "driver_host_lock_waiters",
            "Requests that wait for a locked node.",
        ),
        locks.waiters(),
    );
    page.family(histogram(
        "driver_host_lock_wait_seconds",
        "How long requests waited that found their node locked, whether they got the lock or not.",
    ))
    .times(&Labels::default(), &locks.waits().read());
    page.single(
        counter(
            "driver_host_lock_refused_total",
            "Requests that were refused with 409 because their node was locked.",
        ),
        locks.refusals(),
    );
}

fn database(page: &mut Page, api: &Api) {
    let commits = api.database.commits();
    page.family(histogram(
        "driver_host_database_commit_seconds",
        "How long transactions took, from their begin until the disk had kept them or they had failed.",
    ))
    .times(&Labels::default(), &commits.times.read());
    page.single(
        counter(
            "driver_host_database_requests_total",
            "Changes that transactions held; many share one.",
        ),
        commits.requests.get(),
    );
    page.single(
        counter("driver_host_database_failures_total", "Transactions that failed."),
        commits.failures.get(),
    );
}

fn traffic(page: &mut Page, api: &Api) {
    let traffic = &api.traffic;
    page.single(
        gauge("driver_host_http_connections_open", "Open connections."),
        traffic.open(),
    );
    page.single(
        gauge(
            "driver_host_http_connections_max",
            "How many connections may be open.",
        ),
        traffic.max(),
    );
    page.single(
        counter(
            "driver_host_http_connections_refused_total",
            "Connections that were refused with 503 because too many were open.",
        ),
        traffic.refused(),
    );
    let mut samples = page.family(counter(
        "driver_host_http_requests_total",
        "Requests that were answered, by the class of the reply's status.",
    ));
    for (class, replies) in traffic.replies() {
        samples.add(&Labels::of([("status", class)]), replies);
    }
}

/// The names that every Prometheus client library gives them.
fn process(page: &mut Page, api: &Api) {
    let since_1970 = api.started.duration_since(SystemTime::UNIX_EPOCH);
    page.single(
        gauge(
            "process_start_time_seconds",
            "When the host started, in seconds since 1970.",
        ),
        seconds(since_1970.unwrap_or(Duration::ZERO)),
    );
    let figures = metrics::figures();
    let cpu = counter(
        "process_cpu_seconds_total",
        "Processor time of all threads, in user and in system mode.",
    );
    if let Some(spent) = figures.cpu {
        page.single(cpu, seconds(spent));
    }
    let known = [
        (
            gauge(
                "process_resident_memory_bytes",
                "Memory in RAM, with drivers in this process.",
            ),
            figures.resident_bytes,
        ),
        (
            gauge(
                "process_threads",
                "Threads, with those of drivers in this process.",
            ),
            figures.threads,
        ),
        (
            gauge("process_open_fds", "Open file descriptors."),
            figures.open_fds,
        ),
        (
            gauge("process_max_fds", "How many file descriptors may be open."),
            figures.max_fds,
        ),
    ];
    for (family, value) in known {
        if let Some(value) = value {
            page.single(family, value);
        }
    }
}
