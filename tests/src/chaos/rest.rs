//! What must be so when everybody rests: nothing is held, nothing is left over, everything can be called.

use std::fmt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::drivers::Places;
use super::trouble::{release, standing};
use crate::{HostProcess, Kind, Load, Process, Target, Witness, attempt, eventually};

/// How long a host may take to come to rest. Generous: the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often one looks whether it has.
const LOOK: Duration = Duration::from_millis(20);
/// The gauges that are 0 when no call is made.
const GAUGES: [&str; 5] = [
    "driver_host_calls_in_flight",
    "driver_host_limit_in_use",
    "driver_host_share_in_use",
    "driver_host_locks_held",
    "driver_host_lock_waiters",
];
/// What an allocator may keep to itself, in bytes.
const ALLOCATOR: u64 = 8 << 20;
/// What a record takes in memory at most, in bytes.
const RECORD: u64 = 1024;
/// A call that takes the lock of its node.
const CALL: Kind = Kind {
    method: "mark_sync",
    of_node: true,
    status: 200,
};

/// How large the process of a host is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) descriptors: usize,
    pub(super) threads: usize,
    pub(super) own_bytes: u64,
}

/// The process of a host.
pub(super) fn process(host: &HostProcess) -> Process {
    Process::find(host.pid()).expect("the host runs")
}

/// Waits until all calls have ended and all processes are there.
pub(super) fn comes(host: &HostProcess, places: &Places) {
    for (driver, wanted) in places.isolated() {
        eventually(&format!("all processes of {driver} are up"), PATIENCE, || {
            release(&host.address, driver);
            let standing = standing(&host.address, driver);
            let up = standing["processes"].as_array().map_or(0, Vec::len);
            (up == usize::try_from(wanted).expect("small")).then_some(())
        });
    }
    eventually("no call runs", PATIENCE, || {
        let running = host.get("/v1/calls?state=running&limit=1").expect(200).json();
        running["calls"]
            .as_array()
            .expect("a list")
            .is_empty()
            .then_some(())
    });
    eventually("calls past their deadline have ended", PATIENCE, || {
        // The newest thousand: what ran before the last rest had ended then.
        let late = host
            .get("/v1/calls?state=timed_out&limit=1000")
            .expect(200)
            .json();
        let mut late = late["calls"].as_array().expect("a list").iter();
        late.all(|record| !record["late_outcome"].is_null()).then_some(())
    });
}

/// Checks that no permit and no lock is held.
pub(super) fn holds_nothing(host: &HostProcess) {
    nothing("taken", || {
        let page = host.get("/metrics").expect(200).text();
        let gauges = page.lines().filter(|line| {
            let name = line.split(['{', ' ']).next().unwrap_or_default();
            GAUGES.contains(&name)
        });
        let gauges: Vec<String> = gauges.map(str::to_owned).collect();
        assert!(
            gauges.len() > GAUGES.len(),
            "the metrics have changed: {gauges:?}"
        );
        gauges.into_iter().filter(|line| !line.ends_with(" 0")).collect()
    });
    let nodes = host.get("/v1/nodes?fields=uuid,reservation").expect(200).json();
    for node in nodes["nodes"].as_array().expect("a list") {
        assert_eq!(node["reservation"], Value::Null, "{node}");
    }
}

/// Checks that every node takes a call, and nobody holds it.
pub(super) fn takes_calls(host: &HostProcess, targets: &[Target], load: &Load, may_be_late: bool) {
    for target in targets {
        for node in &target.nodes {
            eventually(&format!("the call of node {node} is made"), PATIENCE, || {
                let (index, path, body) = load.write_down(&target.driver, CALL, Some(node), 0, false);
                let answer = attempt(&host.address, &path, &body).expect("the host answers");
                let (status, text) = (answer.status, answer.text.clone());
                load.answered(index, Some(answer));
                // Where deadlines are short, a busy machine may exceed them.
                assert!(
                    status == 200 || may_be_late && status == 504,
                    "node {node} of {} is stuck: {text}",
                    target.driver
                );
                (status == 200).then_some(())
            });
        }
    }
}

/// Checks that of all that the drivers and what they have started is, nothing runs that does not belong to `host`.
pub(super) fn has_no_orphans(host: Option<Process>, folder: &str, witness: &Witness) {
    let (own, file) = (std::process::id(), witness.path());
    nothing("left over", || {
        let mut processes = Process::all();
        processes.retain(|process| {
            u32::try_from(process.pid) != Ok(own)
                && Some(*process) != host
                && host.is_none_or(|host| !process.descends_from(host))
                && (process.was_given("SUITE_WITNESS", &file) || !process.mapped(folder).is_empty())
        });
        processes.into_iter().map(Process::shown).collect()
    });
}

/// Checks that the host has buried all its dead.
pub(super) fn has_no_zombies(host: Process) {
    nothing("unburied", || {
        let mut children = host.children();
        children.retain(|child| !child.runs());
        children.into_iter().map(Process::shown).collect()
    });
}

/// How large the host is while nobody is connected.
pub(super) fn size(host: &HostProcess) -> Size {
    let host = process(host);
    Size {
        descriptors: host.descriptors(),
        threads: host.threads(),
        own_bytes: host.own_bytes(),
    }
}

/// Checks that a host has not grown since it was `warm`, but for the `records` that it has kept since.
pub(super) fn is_no_larger_than(warm: Size, host: &HostProcess, records: u64) -> Size {
    let most = warm.own_bytes + ALLOCATOR + records * RECORD;
    nothing(&format!("larger than {warm}, {records} records ago"), || {
        let now = size(host);
        let is_larger =
            now.descriptors > warm.descriptors || now.threads > warm.threads || now.own_bytes > most;
        is_larger.then(|| now.to_string()).into_iter().collect()
    });
    size(host)
}

/// Waits until there is nothing of a kind; when the time is over, says what there is.
fn nothing(kind: &str, mut found: impl FnMut() -> Vec<String>) {
    let started = Instant::now();
    loop {
        let found = found();
        if found.is_empty() {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "still {kind}: {}", found.join(", "));
        sleep(LOOK);
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Size {
            descriptors,
            threads,
            own_bytes,
        } = self;
        write!(
            f,
            "{descriptors} descriptors, {threads} threads, {} KiB",
            own_bytes / 1024
        )
    }
}
