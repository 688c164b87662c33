//! One driver misbehaves in every way and every place, in a process of its own and in the host's: what it costs, and whom.

mod calls;
mod client;
mod inside;
mod isolated;
mod leftovers;
mod matrix;
mod table;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use serde_json::json;
use suite::{FAKE, HostProcess, eventually, repository_root};

use calls::{create_node, method};
use client::{PATIENCE, Steady};
use isolated::toml;
use matrix::{Entry, FAULTS, Mode, Sightings};

/// Hosts that run at the same time: they wait more than they compute.
const AT_ONCE: usize = 6;

/// Something to try, with a name for those who look for it in a failure.
struct Job<'a> {
    name: String,
    run: Box<dyn FnOnce() + Send + 'a>,
}

impl<'a> Job<'a> {
    fn new(name: impl Into<String>, run: impl FnOnce() + Send + 'a) -> Self {
        Job {
            name: name.into(),
            run: Box::new(run),
        }
    }
}

/// Does all jobs, a few at a time, in order; then names those that have failed.
fn do_all(jobs: Vec<Job<'_>>) {
    let queue = Mutex::new(VecDeque::from(jobs));
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(job) = next() {
                    if catch_unwind(AssertUnwindSafe(job.run)).is_err() {
                        failed
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(job.name);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(failed, Vec::<String>::new());
}

#[test]
fn what_every_fault_costs_in_every_place_is_what_the_docs_say() {
    let sightings = Sightings::default();
    let seen = &sightings;
    // Those that wait longest first.
    let mut jobs = vec![
        Job::new("calls", || isolated::faults_of_calls(seen)),
        Job::new("restarts that hang", || isolated::restarts_that_hang(seen)),
        Job::new("calls in the host", || inside::survived_calls(seen)),
        Job::new("restarts that fail", || isolated::restarts_that_fail(seen)),
        Job::new("late calls", || isolated::late_calls(seen)),
        Job::new("shut-downs", || isolated::shut_downs(seen)),
        Job::new("shut-downs in the host", || inside::survived_shut_downs(seen)),
    ];
    jobs.extend(isolated::failing_starts(seen));
    jobs.extend(inside::fatal_calls(seen));
    jobs.extend(inside::starts(seen));
    jobs.extend(inside::fatal_shut_downs(seen));
    do_all(jobs);

    let all = sightings.all();
    for entry in Entry::ALL {
        for fault in FAULTS.into_iter().filter(|fault| entry.knows(*fault)) {
            for mode in [Mode::Process, Mode::InProcess] {
                let seen = all.get(&(mode, entry, fault.number()));
                let seen = seen.unwrap_or_else(|| panic!("{mode:?} {entry:?} {}: not tried", fault.word));
                if mode == Mode::Process {
                    assert_eq!(seen.others, "none", "{entry:?} {}", fault.word);
                }
            }
        }
    }
    compare(&table::table(&all));
}

/// Holds what was seen against the file, or writes it.
fn compare(seen: &str) {
    let path = repository_root().join("host/FAULTS.md");
    if std::env::var_os("RENEW_FAULTS").is_some() {
        std::fs::write(&path, seen).expect("host/FAULTS.md");
        return;
    }
    let written = std::fs::read_to_string(&path).expect("host/FAULTS.md");
    let gone = written
        .lines()
        .filter(|line| !seen.lines().any(|other| other == *line));
    let new = seen
        .lines()
        .filter(|line| !written.lines().any(|other| other == *line));
    let differences: Vec<String> = gone
        .map(|line| format!("- {line}"))
        .chain(new.map(|line| format!("+ {line}")))
        .collect();
    assert!(
        written == seen,
        "host/FAULTS.md is not what was seen; if what was seen is right, `RENEW_FAULTS=1 tests/run faults` writes it:\n{}",
        differences.join("\n")
    );
}

/// A host with a driver whose process cannot be started again once the file is there, and a client of another driver.
fn a_driver_that_never_comes_back(entry: Entry) {
    let builder = HostProcess::builder()
        .driver(FAKE)
        .set("isolation.default", "process")
        .set("isolation.max_deaths", 4);
    let armed = builder.folder().join("armed");
    let order = json!({ "way": "segfault", "only_if": armed });
    let builder = match entry {
        Entry::Constructor => builder.wild(1, Some(&order)),
        _ => builder
            .wild(1, None)
            .set("drivers.wild-001.config.create", toml(&order)),
    };
    let host = builder.start();
    create_node(&host, 1, "n1", &json!({}));
    let steady = Steady::start(&host, PATIENCE);
    let call = || host.post(&method("n1", "call"), json!({}));
    call().expect(200);
    std::fs::write(&armed, "").expect("a file in a folder of this test");
    let kill = json!({ "run": { "way": "kill" } });
    host.post(&method("n1", "call"), kill).refused(500, "SIGKILL");

    // The pauses grow, and then it is over.
    let reply = eventually("the driver is quarantined", PATIENCE, || {
        let reply = call();
        assert_eq!(reply.status, 503, "{}", reply.text());
        reply.text().contains("quarantined").then_some(reply)
    });
    let text = reply.refused(503, "before the driver was created");
    assert!(
        text.contains("SIGSEGV") && text.contains("host driver-reset wild-001"),
        "{text}"
    );
    reply.must_have("Retry-After");
    let standing = host.get("/v1/drivers/wild-001").expect(200).json()["isolation"].clone();
    assert_eq!(standing["deaths"], 4, "{standing}");
    assert_eq!(standing["processes"], json!([]), "{standing}");
    steady.goes_on();
    assert_eq!(steady.lost_since(None), []);

    // Released too early it is back in quarantine, later it serves.
    let reset = "/v1/drivers/wild-001/reset";
    host.post(reset, json!({})).expect(200);
    eventually("the driver is quarantined again", PATIENCE, || {
        let standing = host.get("/v1/drivers/wild-001").expect(200).json()["isolation"].clone();
        (standing["deaths"] == 8 && !standing["quarantined"].is_null()).then_some(())
    });
    std::fs::remove_file(&armed).expect("the file");
    host.post(reset, json!({})).expect(200);
    eventually("the driver serves", PATIENCE, || {
        (call().status == 200).then_some(())
    });
    assert_eq!(steady.lost_since(None), []);
}

#[test]
fn a_driver_that_crashes_in_its_constructor_whenever_it_is_started_again_is_quarantined() {
    a_driver_that_never_comes_back(Entry::Constructor);
}

#[test]
fn a_driver_that_crashes_in_create_whenever_it_is_started_again_is_quarantined() {
    a_driver_that_never_comes_back(Entry::Create);
}

/// The one line of a start that such a driver stops.
fn refused_start(entry: Entry, way: &str) -> String {
    let order = json!({ "way": way });
    let builder = HostProcess::builder()
        .driver(FAKE)
        .set("isolation.default", "process")
        .set("isolation.create_timeout_ms", 3000);
    let builder = match entry {
        Entry::Constructor => builder.wild(1, Some(&order)),
        _ => builder
            .wild(1, None)
            .set("drivers.wild-001.config.create", toml(&order)),
    };
    let output = builder.serve_to_end().failed(4, "wild-001");
    let lines: Vec<&str> = output
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert_eq!(lines.len(), 1, "{}", output.stderr);
    lines[0].to_owned()
}

#[test]
fn a_driver_that_crashes_or_hangs_before_it_is_created_stops_the_start_with_one_line_that_says_how_and_what_to_do()
 {
    for entry in [Entry::Constructor, Entry::Create] {
        for (way, how) in [
            ("segfault", "was killed by signal 11 (SIGSEGV)"),
            ("exit", "exited with code 0"),
            ("sleep", "isolation.create_timeout_ms = 3000"),
        ] {
            let line = refused_start(entry, way);
            assert!(line.contains(how), "{line}");
            assert!(line.contains("; "), "what to do: {line}");
        }
    }
}
