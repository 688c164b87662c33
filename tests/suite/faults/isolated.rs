//! Drivers in processes of their own: whatever they do, the host and the other drivers go on.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use suite::{FAKE, HostBuilder, HostProcess, eventually, wild_name};

use super::Job;
use super::calls::{Stage, create_node, method, told};
use super::client::{PATIENCE, Steady};
use super::leftovers::{Processes, shut_down_lines};
use super::matrix::{Entry, FAULTS, Fault, Mode, Seen, Sightings, What, plain};

/// Of a call that hangs; of others nobody waits for it.
const DEADLINE: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(300);
/// Longer than a busy machine may keep the host from telling a client of the deadline before it.
const GRACE: Duration = Duration::from_secs(2);
/// Of a driver that hangs while it is created. Longer than one that does not, takes on a busy machine.
const CREATE_TIMEOUT: Duration = Duration::from_secs(4);

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).expect("a short time")
}

fn builder(grace: Duration) -> HostBuilder {
    HostProcess::builder()
        .driver(FAKE)
        .driver_panics_expected()
        .set("isolation.default", "process")
        .set("isolation.max_deaths", 1_000_000)
        .set("isolation.window_s", 1)
        .set("isolation.create_timeout_ms", ms(LONG))
        .set("isolation.kill_grace_ms", ms(grace))
        .set("limits.max_reply_bytes", 1 << 20)
        .set("limits.shutdown_grace_ms", 200)
}

/// What a driver may not exceed, so that the machine does not have to say it.
fn confined(builder: HostBuilder, fault: Fault, number: usize) -> HostBuilder {
    let name = wild_name(number);
    match fault.word {
        "allocate" => builder.set(&format!("drivers.{name}.memory_max_bytes"), 128 << 20),
        "leak-descriptors" => builder.set(&format!("drivers.{name}.open_files_max"), 256),
        _ => builder,
    }
}

/// An order as a value of the configuration.
pub(super) fn toml(order: &Value) -> toml::Value {
    toml::Value::try_from(order).expect("an order without null")
}

fn faults(which: impl Fn(Fault) -> bool) -> Vec<Fault> {
    FAULTS.into_iter().filter(|fault| which(*fault)).collect()
}

fn hangs(fault: Fault) -> bool {
    matches!(fault.what, What::Hangs | What::Stops)
}

/// Plays every fault that `which` names in every entry point that a call leads to, all faults at once in one host.
fn calls(seen: &Sightings, which: impl Fn(Fault) -> bool, grace: Duration) {
    let mut builder = builder(grace);
    for fault in faults(&which) {
        let number = fault.number();
        builder = confined(builder.wild(number, None), fault, number);
        if hangs(fault) || fault.what == What::Dawdles {
            builder = builder.set(
                &format!("drivers.{}.call_timeout_ms", wild_name(number)),
                ms(DEADLINE),
            );
        }
    }
    let mut host = builder.start();
    let steady = Steady::start(&host, PATIENCE);
    let mut processes = Processes::of(&host);
    std::thread::scope(|scope| {
        for fault in faults(which) {
            let (host, steady) = (&host, &steady);
            scope.spawn(move || {
                let short = hangs(fault) || fault.what == What::Dawdles;
                let deadline = if short { DEADLINE } else { LONG };
                let stage = Stage {
                    mode: Mode::Process,
                    host,
                    steady,
                    fault,
                    deadline,
                    grace,
                };
                for entry in Entry::OF_CALLS.into_iter().filter(|entry| entry.knows(fault)) {
                    let mut stuck = Vec::new();
                    seen.note(Mode::Process, entry, fault, stage.play(entry, &mut stuck));
                    assert!(stuck.is_empty(), "{}", fault.word);
                }
            });
        }
    });
    drop(steady);
    processes.add(&host);
    host.terminate();
    assert!(host.wait().success(), "{}", host.log.text());
    processes.are_gone();
}

/// Every fault of a call but those that only come late.
pub(super) fn faults_of_calls(seen: &Sightings) {
    calls(seen, |fault| fault.what != What::Dawdles, GRACE);
}

/// Calls that return after their deadline, which their processes survive.
pub(super) fn late_calls(seen: &Sightings) {
    calls(seen, |fault| fault.what == What::Dawdles, LONG);
}

/// The number of the copy that misbehaves while it is opened or created.
fn number(entry: Entry, fault: Fault) -> usize {
    match entry {
        Entry::Constructor => 100 + fault.number(),
        Entry::Create => 200 + fault.number(),
        _ => 300 + fault.number(),
    }
}

/// Adds the copy that misbehaves while it is opened or created, or while it is shut down.
fn with(builder: HostBuilder, entry: Entry, fault: Fault, more: Value) -> HostBuilder {
    let (number, order) = (number(entry, fault), fault.order(more));
    let builder = confined(builder, fault, number);
    let key = |key| format!("drivers.{}.config.{key}", wild_name(number));
    match entry {
        Entry::Constructor => builder.wild(number, Some(&order)),
        Entry::Create => builder.wild(number, None).set(&key("create"), toml(&order)),
        _ => builder.wild(number, None).set(&key("shut_down"), toml(&order)),
    }
}

const BEFORE_CALLS: [Entry; 2] = [Entry::Constructor, Entry::Create];

/// Drivers that begin to misbehave when their processes are started again.
fn restarts(seen: &Sightings, which: impl Fn(Fault) -> bool, create_timeout: Duration) {
    // A death is remembered for longer than another attempt takes: so there are pauses between them, in which calls are refused.
    let mut builder = builder(GRACE)
        .set("isolation.create_timeout_ms", ms(create_timeout))
        .set("isolation.window_s", 3600);
    let armed = builder.folder().join("armed");
    let all: Vec<(Entry, Fault)> = BEFORE_CALLS
        .into_iter()
        .flat_map(|entry| faults(&which).into_iter().map(move |fault| (entry, fault)))
        .filter(|(entry, fault)| entry.knows(*fault))
        .collect();
    for (entry, fault) in &all {
        builder = with(builder, *entry, *fault, json!({ "only_if": armed }));
    }
    let mut host = builder.start();
    let steady = Steady::start(&host, PATIENCE);
    let mut processes = Processes::of(&host);
    std::fs::write(&armed, "").expect("a file in a folder of this test");
    std::thread::scope(|scope| {
        for (entry, fault) in all {
            let (host, steady) = (&host, &steady);
            scope.spawn(move || {
                let sight = restart(host, steady, number(entry, fault));
                seen.note(Mode::Process, entry, fault, sight);
            });
        }
    });
    drop(steady);
    processes.add(&host);
    host.terminate();
    assert!(host.wait().success(), "{}", host.log.text());
    processes.are_gone();
}

/// Has the process of a driver killed, and calls the driver when that has been of no use, or has.
fn restart(host: &HostProcess, steady: &Steady, number: usize) -> Seen {
    let name = wild_name(number);
    create_node(host, number, &name, &json!({}));
    let target = method(&name, "call");
    let kill = json!({ "run": { "way": "kill" } });
    host.post(&target, kill).refused(500, "SIGKILL");
    let begun = Instant::now();
    let reply = eventually("the driver has been started again, or not", PATIENCE, || {
        let deaths =
            host.get(&format!("/v1/drivers/{name}")).expect(200).json()["isolation"]["deaths"].as_u64();
        let reply = host.post(&target, json!({}));
        let settled =
            reply.status == 200 || deaths > Some(1) && !reply.text().contains("still being started");
        settled.then_some(reply)
    });
    eventually("the node is free", PATIENCE, || {
        host.node_field(&name, "reservation").is_null().then_some(())
    });
    steady.goes_on();
    let lost = steady.lost_since(Some(begun));
    Seen {
        client: told(&reply, host),
        record: "none".to_owned(),
        lock: "freed at once".to_owned(),
        others: if lost.is_empty() {
            "none".to_owned()
        } else {
            format!("{lost:?}")
        },
    }
}

pub(super) fn restarts_that_fail(seen: &Sightings) {
    restarts(seen, |fault| !hangs(fault), LONG);
}

pub(super) fn restarts_that_hang(seen: &Sightings) {
    restarts(seen, hangs, CREATE_TIMEOUT);
}

/// The line of a start that fails for each driver that is the reason.
fn starts(seen: &Sightings, entry: Entry, which: impl Fn(Fault) -> bool, create_timeout: Duration) {
    let mut builder = builder(GRACE).set("isolation.create_timeout_ms", ms(create_timeout));
    let folder = builder.folder().to_owned();
    let all = faults(|fault| which(fault) && entry.knows(fault));
    for fault in &all {
        builder = with(builder, entry, *fault, json!({}));
    }
    let output = builder.serve_to_end();
    assert_eq!(output.code, 4, "{}", output.everything());
    for fault in all {
        let line = line_of(&output.stderr, number(entry, fault), &folder);
        seen.note(Mode::ProcessAtStart, entry, fault, Seen::of_no_call(line, "none"));
    }
}

fn line_of(stderr: &str, number: usize, folder: &Path) -> String {
    let name = wild_name(number);
    let mut lines = stderr
        .lines()
        .filter(|line| line.starts_with("error: ") && line.contains(&name));
    let line = lines.next().map(|line| plain(line, folder));
    assert_eq!(lines.next(), None, "one line for each driver");
    line.unwrap_or_else(|| "no objection".to_owned())
}

/// Of drivers that are opened or created when the host starts, and do not come back or worse.
pub(super) fn failing_starts(seen: &Sightings) -> Vec<Job<'_>> {
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for entry in BEFORE_CALLS {
        jobs.push(Job::new(
            format!("starts that hang in {}", entry.title()),
            move || {
                starts(seen, entry, hangs, Duration::from_secs(1));
            },
        ));
        jobs.push(Job::new(
            format!("starts that fail in {}", entry.title()),
            move || {
                starts(seen, entry, |fault| !hangs(fault), LONG);
            },
        ));
    }
    jobs
}

/// Every fault while drivers are shut down, beside one that behaves.
pub(super) fn shut_downs(seen: &Sightings) {
    let all = faults(|fault| Entry::ShutDown.knows(fault));
    let mut builder = builder(GRACE);
    let diary = builder.folder().join("neighbour");
    for fault in &all {
        builder = with(builder, Entry::ShutDown, *fault, json!({}));
    }
    let good = json!({ "way": "no-reply", "diary": diary });
    builder = builder
        .wild(900, None)
        .set("drivers.wild-900.config.shut_down", toml(&good));
    let mut host = builder.start();
    let processes = Processes::of(&host);
    host.terminate();
    let status = host.wait();
    assert_eq!(status.code(), Some(0), "{}", host.log.text());
    let others = if diary.exists() { "none" } else { "not shut down" };
    for fault in all {
        let lines = shut_down_lines(&host, &wild_name(number(Entry::ShutDown, fault)));
        let client = format!("the host ends with code 0; its log: {lines}");
        seen.note(
            Mode::Process,
            Entry::ShutDown,
            fault,
            Seen::of_no_call(client, others),
        );
    }
    processes.are_gone();
}
