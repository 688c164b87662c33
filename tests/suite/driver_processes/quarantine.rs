//! Processes that die too often: what is refused, who says so, and how it ends.

use rustix::process::{Pid, kill_process};
use serde_json::{Value, json};
use suite::{CommandOutput, FAKE, HostProcess, Signal, eventually, host_command};

use super::{ECHO, SLOW, SOON, isolation, kill, processes, sample, slow};
use crate::metrics::Page;

/// How the death by `kill` reads.
const DEATH: &str = "the process of driver 'slow' was killed by signal 9 (SIGKILL)";

/// Kills the only process, whose death is one too many, and waits until the host has seen it.
fn quarantine(host: &HostProcess) {
    kill(processes(host)[0]);
    eventually("the driver is quarantined", SOON, || {
        isolation(host)["quarantined"].is_string().then_some(())
    });
}

fn reset(host: &HostProcess, driver: &str) -> CommandOutput {
    host_command(&["driver-reset", "--url", &host.url(), driver])
}

fn works_again(host: &HostProcess) {
    eventually("the driver answers again", SOON, || {
        (host.post(ECHO, json!({})).status == 200).then_some(())
    });
}

#[test]
fn calls_of_a_quarantined_driver_are_refused_with_the_reason_and_nothing_is_begun() {
    let host = slow().driver(FAKE).set("isolation.max_deaths", 1).start();
    let node = host.create_node_of(SLOW, "n1");
    host.create_node("n2");
    quarantine(&host);

    let text = format!(
        "the driver 'slow' is quarantined: {DEATH}, too often; an operator can release it with `host driver-reset slow`"
    );
    for target in [
        ECHO,
        "/v1/drivers/slow/vendor_passthru/defer",
        "/v1/drivers/slow/vendor_passthru/block_async",
        "/v1/nodes/n1/vendor_passthru/hold",
        "/v1/nodes/n1/vendor_passthru/hold_async",
        "/v1/nodes/n1/vendor_passthru/defer_async",
    ] {
        let reply = host.post(target, json!({}));
        assert_eq!(reply.refused(503, ""), text, "{target}");
        assert_eq!(reply.must_have("Retry-After"), "60", "{target}");
    }
    host.get("/v1/nodes/n1/validate").refused(503, &text);
    let power = host
        .request("PUT", "/v1/nodes/n1/states/power")
        .json(&json!({"target": "power off"}))
        .send();
    power.refused(503, &text);
    assert_eq!(host.get("/v1/calls").expect(200).json(), json!({"calls": []}));
    for field in ["reservation", "last_error", "target_power_state"] {
        assert_eq!(host.node_field(&node, field), Value::Null, "{field}");
    }
    host.logged(&["ERROR", "the driver is quarantined", DEATH]);

    let counted = |method, on| {
        format!("driver_host_calls_total{{driver=\"slow\",on=\"{on}\",method=\"{method}\",outcome=\"busy\"}}")
    };
    let page = Page::of(&host);
    assert_eq!(page.value(&counted("echo", "driver")), 1.0);
    assert_eq!(page.value(&counted("hold_async", "node")), 1.0);
    let values = [
        "processes",
        "processes_wanted",
        "process_deaths_total",
        "quarantined",
    ];
    assert_eq!(values.map(|name| page.value(&sample(name))), [0.0, 1.0, 1.0, 1.0]);

    // Everybody else goes on, and so does everything that asks no driver.
    host.post("/v1/drivers/fake/vendor_passthru/echo", json!({}))
        .expect(200);
    host.post("/v1/nodes/n2/vendor_passthru/echo_sync", json!({}))
        .expect(200);
    for target in [
        "/v1/drivers",
        "/v1/drivers/slow/properties",
        "/v1/drivers/slow/vendor_passthru/methods",
        "/v1/nodes/n1",
        "/v1/nodes/n1/calls",
    ] {
        host.get(target).expect(200);
    }
}

#[test]
fn a_host_is_ready_as_long_as_one_of_its_drivers_is_not_quarantined() {
    let host = slow().driver(FAKE).set("isolation.max_deaths", 1).start();
    let ready = host.get("/readyz").expect(200).json();
    assert_eq!(
        ready,
        json!({"status": "ok", "drivers": ["fake", "slow"], "quarantined": {}})
    );
    quarantine(&host);
    let ready = host.get("/readyz").expect(200).json();
    assert_eq!(
        ready,
        json!({"status": "ok", "drivers": ["fake", "slow"], "quarantined": {"slow": DEATH}})
    );

    let host = slow().set("isolation.max_deaths", 1).start();
    quarantine(&host);
    let reply = host.get("/readyz");
    let text = reply.refused(
        503,
        "every driver is quarantined; `host driver-reset` releases one",
    );
    assert!(text.contains(DEATH), "{text}");
    reply.must_have("Retry-After");
    host.get("/healthz").expect(200);
    reset(&host, "slow").succeeded();
    eventually("the host is ready again", SOON, || {
        (host.get("/readyz").status == 200).then_some(())
    });
}

#[test]
fn the_command_releases_a_quarantined_driver() {
    let host = slow().set("isolation.max_deaths", 1).start();
    quarantine(&host);
    let table = host_command(&["driver-list", "--url", &host.url()]).succeeded();
    let row = table.stdout.lines().find(|line| line.starts_with("slow"));
    assert!(row.is_some_and(|row| row.contains("quarantined")), "{table:?}");
    let said = reset(&host, "slow").succeeded();
    assert_eq!(said.stdout, "slow: released; its processes are started again");
    host.logged(&["the driver is released", "slow"]);
    works_again(&host);
    let shown = isolation(&host);
    assert_eq!(
        [&shown["quarantined"], &shown["deaths"]],
        [&Value::Null, &json!(1)],
        "what was is still counted"
    );
    let said = reset(&host, "slow").succeeded();
    assert_eq!(said.stdout, "slow: was not quarantined; its deaths are forgotten");
}

#[test]
fn the_endpoint_releases_a_quarantined_driver_again_and_again() {
    let host = slow().set("isolation.max_deaths", 1).start();
    let reset = || host.post("/v1/drivers/slow/reset", json!({})).expect(200).json();
    assert_eq!(reset(), json!({"was_quarantined": false}));
    for _ in 0..3 {
        quarantine(&host);
        assert_eq!(reset(), json!({"was_quarantined": true}));
        works_again(&host);
    }
    assert_eq!(isolation(&host)["deaths"], 3);
}

#[test]
fn what_cannot_be_reset_is_refused_by_endpoint_and_command() {
    let host = slow().driver(FAKE).start();
    for (driver, status, text) in [
        (
            "fake",
            400,
            "The driver 'fake' runs in the host's own process; there is nothing to reset.",
        ),
        ("none", 404, "The driver 'none' is unknown."),
        ("a b", 404, "The driver 'a b' is unknown."),
        ("../slow", 404, "The driver '../slow' is unknown."),
    ] {
        let escaped = driver.replace(' ', "%20").replace('/', "%2F");
        let said = host
            .post(&format!("/v1/drivers/{escaped}/reset"), json!({}))
            .refused(status, "");
        assert_eq!(said, text);
        let said = reset(&host, driver).failed(1, text);
        assert_eq!(said.stderr.lines().count(), 1, "{said:?}");
        assert!(said.stdout.is_empty(), "{said:?}");
    }
    host.post("/v1/drivers/slow/reset?force=yes", json!({}))
        .refused(400, "Unexpected arguments: force");
    let read = host.get("/v1/drivers/slow/reset");
    read.refused(405, "The method is not allowed for this resource");
    assert_eq!(read.must_have("Allow"), "POST");
    let nobody = host_command(&["driver-reset", "--url", "http://127.0.0.1:1", "slow"]);
    let nobody = nobody.failed(1, "no host answers at http://127.0.0.1:1");
    assert_eq!(nobody.stderr.lines().count(), 1, "{nobody:?}");
}

#[test]
fn calls_between_a_death_and_the_next_start_are_refused_for_the_time_that_it_takes() {
    let host = slow().set("isolation.max_deaths", 1000).start();
    let reply = eventually("a call comes in a pause", SOON, || {
        if let Some(process) = processes(&host).first().copied().and_then(Pid::from_raw) {
            let _ended_meanwhile = kill_process(process, Signal::KILL);
        }
        let reply = host.post(ECHO, json!({}));
        // One that was on its way to the process when that died says something else.
        let in_a_pause = reply.status == 503 && reply.fault().text.ends_with("it is started again");
        in_a_pause.then_some(reply)
    });
    reply.refused(503, &format!("{DEATH}; it is started again"));
    let seconds: u32 = reply.must_have("Retry-After").parse().expect("seconds");
    assert!((1..=30).contains(&seconds), "{seconds}");
    assert_eq!(isolation(&host)["quarantined"], Value::Null);
    works_again(&host);
}
