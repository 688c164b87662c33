//! Whatever ends, and however: nothing that a worker process has started stays behind, and no worker stays behind its host.

use std::fs;
use std::time::Duration;

use serde_json::json;
use suite::{FAKE, HostBuilder, HostProcess, Signal, UNRULY, eventually};

const SOON: Duration = Duration::from_secs(30);

fn builder() -> HostBuilder {
    HostProcess::builder()
        .driver(UNRULY)
        .set("drivers.unruly.isolation", "process")
}

fn answer(host: &HostProcess, order: &str) -> suite::Reply {
    host.post("/v1/drivers/unruly/vendor_passthru/answer", json!(order))
}

/// A worker process, and all that comes from it.
struct Family {
    process: u64,
    mark: String,
}

impl Family {
    fn of(host: &HostProcess) -> Self {
        let shown = host.get("/v1/drivers/unruly").expect(200).json();
        let process = shown["isolation"]["processes"][0].as_u64().expect("a process");
        let environment = fs::read_to_string(format!("/proc/{process}/environ")).expect("a running process");
        let mark = environment
            .split('\0')
            .find(|variable| variable.starts_with("HOST_WORKER="));
        let mark = mark.expect("its mark").to_owned();
        Family { process, mark }
    }

    /// With one child in the worker's group and one that has left it and its parent.
    fn with_children(host: &HostProcess) -> Self {
        let family = Family::of(host);
        answer(host, "children").expect(200);
        eventually("both children run", SOON, || {
            (family.programs("sleep") == 2).then_some(())
        });
        family
    }

    /// The names of its living members.
    fn members(&self) -> Vec<String> {
        let listed = fs::read_dir("/proc").expect("the processes");
        let folders = listed.filter_map(|entry| Some(entry.ok()?.path()));
        let members = folders.filter(|folder| {
            let environment = fs::read(folder.join("environ")).unwrap_or_default();
            environment
                .split(|byte| *byte == 0)
                .any(|variable| variable == self.mark.as_bytes())
        });
        let names = members.map(|folder| fs::read_to_string(folder.join("comm")).unwrap_or_default());
        names.map(|name| name.trim_end().to_owned()).collect()
    }

    fn programs(&self, name: &str) -> usize {
        self.members().iter().filter(|member| *member == name).count()
    }

    fn is_extinct(&self) {
        eventually("nothing is left", SOON, || {
            self.members().is_empty().then_some(())
        });
    }

    fn send(&self, signal: Signal) {
        let process = i32::try_from(self.process).expect("an id");
        let process = rustix::process::Pid::from_raw(process).expect("an id");
        rustix::process::kill_process(process, signal).expect("a running process");
    }

    fn is_stopped(&self) {
        eventually("it stands still", SOON, || {
            let stat = fs::read_to_string(format!("/proc/{}/stat", self.process)).expect("a process");
            let (_, rest) = stat.rsplit_once(')').expect("a name in parentheses");
            rest.trim_start().starts_with('T').then_some(())
        });
    }
}

#[test]
fn the_children_of_a_worker_die_with_it_also_those_that_have_left_its_group() {
    let host = builder().start();
    let family = Family::with_children(&host);
    family.send(Signal::KILL);
    family.is_extinct();
    eventually("it answers again", SOON, || {
        (answer(&host, "fine").status == 200).then_some(())
    });
}

#[test]
fn the_children_of_a_worker_that_ends_by_itself_die_with_it() {
    let host = builder().start();
    let family = Family::with_children(&host);
    answer(&host, "abort").refused(500, "was killed by signal 6 (SIGABRT)");
    family.is_extinct();
}

#[test]
fn a_worker_that_is_killed_at_a_deadline_takes_its_children_along() {
    let host = builder()
        .set("isolation.kill_grace_ms", 200)
        .set("drivers.unruly.call_timeout_ms", 1000)
        .start();
    let family = Family::with_children(&host);
    answer(&host, "spin").refused(504, "did not answer answer within 1000 ms");
    family.is_extinct();
    host.logged(&["was killed: its call of 'answer' had not returned 200 ms after its deadline"]);
}

#[test]
fn nothing_is_left_when_the_host_has_stopped_in_good_order() {
    let mut host = builder().start();
    let family = Family::with_children(&host);
    host.terminate();
    assert!(host.wait().success());
    assert_eq!(family.members(), Vec::<String>::new(), "the host waits for that");
}

#[test]
fn nothing_is_left_of_an_idle_worker_when_the_host_is_killed() {
    let host = builder().start();
    let family = Family::with_children(&host);
    let _next = host.crash_and_restart();
    family.is_extinct();
}

#[test]
fn nothing_is_left_of_a_worker_in_an_endless_loop_when_the_host_is_killed() {
    let host = builder().start();
    let family = Family::with_children(&host);
    let call = host
        .request("POST", "/v1/drivers/unruly/vendor_passthru/answer")
        .json(&json!("spin"))
        .start();
    let calls = "driver_host_calls_in_flight";
    eventually("the call is in flight", SOON, || {
        let metrics = host.get("/metrics").text();
        let mut lines = metrics.lines().filter(|line| line.starts_with(calls));
        lines.any(|line| line.ends_with(" 1")).then_some(())
    });
    let _next = host.crash_and_restart();
    family.is_extinct();
    call.go_away();
}

#[test]
fn nothing_is_left_of_a_worker_that_stands_still_when_the_host_is_killed() {
    let host = builder().start();
    let family = Family::with_children(&host);
    family.send(Signal::STOP);
    family.is_stopped();
    let _next = host.crash_and_restart();
    family.is_extinct();
}

#[test]
fn a_worker_that_stands_still_is_killed_when_the_host_stops() {
    let mut host = builder().start();
    let family = Family::with_children(&host);
    family.send(Signal::STOP);
    family.is_stopped();
    host.terminate();
    assert!(host.wait().success());
    family.is_extinct();
    let line = host
        .log
        .lines_with(&["the driver did not shut down in time", "unruly"]);
    assert_eq!(line.len(), 1, "{}", host.log.text());
}

#[test]
fn the_child_of_a_driver_in_the_hosts_own_process_is_left_to_that_driver() {
    let host = HostProcess::builder()
        .driver(UNRULY)
        .driver(FAKE)
        .set("drivers.fake.isolation", "process")
        .start();
    answer(&host, "children").expect(200);
    let children = || {
        let listed = fs::read_dir("/proc").expect("the processes");
        let stats = listed.filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("stat")).ok());
        let parent = host.pid().to_string();
        stats
            .filter(|stat| {
                let (name, rest) = stat.rsplit_once(')').unwrap_or_default();
                name.ends_with("(sleep") && rest.split_whitespace().nth(1) == Some(&parent)
            })
            .count()
    };
    assert_eq!(children(), 1);
    let shown = host.get("/v1/drivers/fake").expect(200).json();
    let process = shown["isolation"]["processes"][0].as_u64().expect("a process");
    let pid = i32::try_from(process)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .expect("an id");
    rustix::process::kill_process(pid, Signal::KILL).expect("a running process");
    eventually("the worker is another one", SOON, || {
        let shown = host.get("/v1/drivers/fake").expect(200).json();
        let now = shown["isolation"]["processes"][0].as_u64();
        now.is_some_and(|now| now != process).then_some(())
    });
    assert_eq!(children(), 1, "what is no worker's is not touched");
}
