//! The database cannot be written for a while: what needs it is refused before anything is begun, everything else goes on, and the host finds
//! back by itself.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use suite::{Built, FAKE, Gate, HostBuilder, HostProcess, SmallDisk, Witness, eventually};

const SOON: Duration = Duration::from_secs(30);

fn mark(host: &HostProcess, method: &str, token: &str) -> suite::Reply {
    host.post(
        &format!("/v1/nodes/n1/vendor_passthru/{method}"),
        Witness::arguments(token),
    )
}

/// Checks what must go on, and what must not begin.
fn serves_all_but_changes(host: &HostProcess, witness: &Witness, why: &str) {
    eventually("the host says that it is not ready", SOON, || {
        (host.get("/readyz").status == 503).then_some(())
    });
    // What is small may still have found a place.
    let mut accepted = 0;
    for method in ["mark", "mark_later"] {
        let refused = eventually("async calls are refused", SOON, || {
            let reply = mark(host, method, "refused-or-not");
            accepted += usize::from(reply.status == 202);
            (reply.status == 503).then_some(reply)
        });
        refused.refused(
            503,
            "The call could not be recorded, so it was not begun; the host's log says why",
        );
        let seconds: u32 = refused.must_have("Retry-After").parse().expect("seconds");
        assert!((1..=60).contains(&seconds), "{seconds}");
    }
    for number in 0..10 {
        mark(host, "mark", &format!("never-{number}")).expect(503);
        mark(host, "mark_later", &format!("never-{number}")).expect(503);
    }
    let text = host.get("/readyz").refused(503, why);
    assert!(text.starts_with("the database cannot be "), "{text}");
    host.post("/v1/nodes", json!({"driver": "witness", "name": "n2"}))
        .refused(503, "The change could not be stored, nothing was changed");

    let before = witness.tokens();
    assert!(
        !before.iter().any(|token| token.starts_with("never")),
        "{before:?}"
    );
    let marked = before.iter().filter(|token| *token == "refused-or-not");
    assert_eq!(marked.count(), accepted, "one line for each that was accepted");
    mark(host, "mark_sync", "meanwhile").expect(200);
    assert_eq!(witness.tokens().len(), before.len() + 1);
    let echo = host.post("/v1/drivers/fake/vendor_passthru/echo", json!({"a": 1}));
    assert_eq!(echo.expect(200).json()["args"]["a"], 1);
    let records = host.get("/v1/calls").expect(200).json();
    let newest = records["calls"][0]["id"]
        .as_str()
        .expect("there is one")
        .to_owned();
    for target in [
        "/healthz",
        "/v1/drivers",
        "/v1/nodes",
        "/v1/nodes/n1",
        "/v1/nodes/n1/calls",
        "/v1/nodes/n1/vendor_passthru/methods",
        &format!("/v1/calls/{newest}"),
    ] {
        host.get(target).expect(200);
    }
}

/// Checks that it has found back.
fn serves_again(host: &HostProcess) {
    eventually("the host is ready again", SOON, || {
        (host.get("/readyz").status == 200).then_some(())
    });
    for method in ["mark", "mark_later"] {
        succeeds(
            host,
            mark(host, method, "again").expect(202).must_have("Location"),
        );
    }
    host.post("/v1/nodes", json!({"driver": "witness", "name": "n2"}))
        .expect(201);
}

fn succeeds(host: &HostProcess, record: &str) -> Value {
    eventually("the record says that the call has succeeded", SOON, || {
        let record = host.get(record).expect(200).json();
        assert!(
            ["running", "succeeded"]
                .iter()
                .any(|word| record["state"] == *word),
            "{record}"
        );
        (record["state"] == "succeeded").then_some(record)
    })
}

/// A call that has begun and ends when the gate opens, and where its record is.
fn begun(host: &HostProcess, gate: &Gate, method: &str) -> String {
    host.create_node_of(suite::WITNESS, &format!("held-{method}"));
    let mut arguments = gate.arguments();
    arguments["token"] = "held".into();
    let reply = host.post(
        &format!("/v1/nodes/held-{method}/vendor_passthru/{method}"),
        arguments,
    );
    reply.expect(202).must_have("Location").to_owned()
}

/// Spoils the host's disk, checks what it says and does, mends the disk, and checks that it goes on.
fn outage(builder: HostBuilder, spoil: impl FnOnce(&Path), why: &str, mend: impl FnOnce(&Path)) {
    let (witness, gate) = (Witness::new(), Gate::closed());
    let host = witness.watch(builder).driver(FAKE).start();
    host.create_node_of(suite::WITNESS, "n1");
    let held = ["mark", "mark_later"].map(|method| begun(&host, &gate, method));
    spoil(host.folder());
    serves_all_but_changes(&host, &witness, why);
    gate.open();
    eventually("the ends cannot be recorded", SOON, || {
        (host
            .log
            .lines_with(&["the end of a call could not be recorded"])
            .len()
            >= 2)
            .then_some(())
    });
    for record in &held {
        assert_eq!(host.get(record).expect(200).json()["state"], "running");
    }
    mend(host.folder());
    for record in &held {
        assert_eq!(succeeds(&host, record)["result"], "held");
    }
    serves_again(&host);
    let host = host.restart(|builder| builder);
    for record in &held {
        assert_eq!(host.get(record).expect(200).json()["state"], "succeeded");
    }
    host.get("/v1/nodes/n2").expect(200);
}

#[test]
fn on_a_full_disk_async_calls_are_refused_before_they_begin_until_there_is_room_again() {
    let disk = SmallDisk::new();
    let database = disk.path().join("host.db");
    let builder = HostProcess::builder().set("database.path", database.to_str().expect("UTF-8"));
    outage(
        builder,
        |_| disk.fill(),
        "database or disk is full",
        |_| disk.free(),
    );
}

/// A host on a disk that fails when a file lies in a folder, which is beside the database.
fn on_a_failing_disk(fault: &'static str, why: &str) {
    let switch = tempfile::tempdir().expect("a folder");
    let shim = Built::fixtures().library("disk");
    let builder = HostProcess::builder()
        .env("LD_PRELOAD", shim.to_str().expect("UTF-8"))
        .env("SUITE_DISK", switch.path().to_str().expect("UTF-8"));
    let fault = switch.path().join(fault);
    outage(
        builder,
        |_| fs::write(&fault, "").expect("a file"),
        why,
        |_| fs::remove_file(&fault).expect("the file"),
    );
}

#[test]
fn on_a_disk_that_has_become_read_only_the_same_holds() {
    on_a_failing_disk("read-only", "disk I/O error");
}

#[test]
fn on_a_disk_that_fails_when_it_is_waited_for_the_same_holds() {
    on_a_failing_disk("broken", "disk I/O error");
}

#[test]
fn when_the_database_is_taken_away_nothing_is_written_into_the_void_until_it_is_back() {
    for name in ["host.db", "host.db-wal"] {
        outage(
            HostProcess::builder(),
            |folder| fs::rename(folder.join(name), folder.join("aside")).expect("the database"),
            &format!("{name} was removed or replaced while the host had it open (No such file"),
            |folder| fs::rename(folder.join("aside"), folder.join(name)).expect("the database"),
        );
    }
}

#[test]
fn a_database_that_was_replaced_is_refused_and_taken_over_by_the_next_start() {
    let witness = Witness::new();
    let host = witness.watch(HostProcess::builder()).driver(FAKE).start();
    host.create_node_of(suite::WITNESS, "n1");
    let record = mark(&host, "mark", "before")
        .expect(202)
        .must_have("Location")
        .to_owned();
    assert_eq!(succeeds(&host, &record)["result"], "before");
    let other = HostProcess::with_fake();
    other.create_node("of-another-copy");
    let target = "/v1/nodes/of-another-copy/vendor_passthru/first_method";
    let reply = other.post(target, json!({"bar": "baz"})).expect(202);
    // The first record there as well.
    succeeds(&other, reply.must_have("Location"));
    let file = host.folder().join("host.db");
    let copy = host.folder().join("copy");
    let taken = other.folder().join("host.db");
    let other = other.restart(|builder| builder);
    fs::copy(&taken, &copy).expect("a copy");
    drop(other);
    fs::rename(&copy, &file).expect("the copy takes its place");
    mark(&host, "mark", "refused").refused(503, "it was not begun");
    // What it answered was in the database; what another call answered is not shown for it.
    host.get(&record)
        .refused(500, "The host failed; its log says why");
    // What it said before holds for a second.
    let unready = eventually("the host says that it is not ready", SOON, || {
        let reply = host.get("/readyz");
        (reply.status == 503).then_some(reply)
    });
    let why = unready.refused(503, "(another file is there)");
    assert!(why.contains("or restart the host"), "{why}");
    assert_eq!(witness.tokens(), ["before"]);
    host.get("/v1/nodes/n1").expect(200);
    let host = host.restart(|builder| builder);
    host.get("/v1/nodes/n1").expect(404);
    host.get("/v1/nodes/of-another-copy").expect(200);
}

#[test]
fn a_host_is_not_started_on_a_read_only_disk_and_says_so_in_one_line() {
    let disk = SmallDisk::new();
    let database = disk.path().join("host.db");
    let builder = || {
        HostProcess::builder()
            .set("database.path", database.to_str().expect("UTF-8"))
            .driver(FAKE)
    };
    drop(builder().start());
    disk.set_read_only(true);
    let refused = builder().serve_to_end();
    let line = format!("cannot open the database {}", database.display());
    let refused = refused.failed(1, &line);
    assert!(
        refused.stderr.contains("Read-only file system"),
        "{}",
        refused.stderr
    );
    disk.set_read_only(false);
    drop(builder().start());
}
