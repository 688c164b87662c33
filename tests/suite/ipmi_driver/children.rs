//! No ipmitool outlives what it was started for: the deadline, the client's wish, the host.

use std::fs;

use serde_json::json;
use suite::{HostProcess, IpmiSim, Signal, eventually};

use super::{PATIENCE, builder, node};

/// The ipmitool processes that the host has started and that still run.
pub(super) fn ipmitools(host: &HostProcess) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{}/task", host.pid())).expect("a running host");
    tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|children| children.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|pid| pid.parse().ok())
        .filter(|pid| is_ipmitool(*pid))
        .collect()
}

fn is_ipmitool(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim_end() == "ipmitool")
}

/// A host with one ipmitool at work, which would wait for an hour.
fn at_work(bmc: &IpmiSim, deadline_ms: i64) -> (HostProcess, u32) {
    let host = builder()
        .set("drivers.ipmi.config.answer_timeout_s", 3_600)
        .set("drivers.ipmi.call_timeout_ms", deadline_ms)
        .start();
    let node = node(&host, "n1", bmc.driver_info());
    bmc.hold();
    host.post(
        &format!("{node}/vendor_passthru/send_raw"),
        json!({"raw_bytes": "0x00 0x02 0x01"}),
    )
    .expect(202);
    bmc.wait_until_asked("set power 1");
    let running = ipmitools(&host);
    assert_eq!(running.len(), 1, "{running:?}");
    (host, running[0])
}

fn gone(pid: u32) {
    eventually("ipmitool is gone", PATIENCE, || (!is_ipmitool(pid)).then_some(()));
}

#[test]
fn a_host_that_is_killed_leaves_no_ipmitool_behind() {
    let bmc = IpmiSim::start();
    let (mut host, ipmitool) = at_work(&bmc, 3_600_000);
    host.send(Signal::KILL);
    host.wait();
    gone(ipmitool);
}

#[test]
fn a_host_that_is_stopped_leaves_no_ipmitool_behind() {
    let bmc = IpmiSim::start();
    let (mut host, ipmitool) = at_work(&bmc, 3_600_000);
    host.terminate();
    assert!(host.wait().success());
    gone(ipmitool);
}

#[test]
fn the_deadline_ends_ipmitool() {
    let bmc = IpmiSim::start();
    let (host, ipmitool) = at_work(&bmc, 15_000);
    gone(ipmitool);
    let record = eventually("the call ends", PATIENCE, || {
        let calls = host.get("/v1/calls").expect(200).json()["calls"].clone();
        (calls[0]["state"] != "running").then(|| calls[0].clone())
    });
    assert_eq!(record["state"], "failed", "{record}");
    let text = record["error"]["message"].as_str().unwrap();
    assert!(
        text.contains("did not answer before the call's deadline"),
        "{text}"
    );
    assert!(ipmitools(&host).is_empty());
}

#[test]
fn a_client_that_cancels_ends_ipmitool() {
    let bmc = IpmiSim::start();
    let (host, ipmitool) = at_work(&bmc, 3_600_000);
    let id = host.get("/v1/calls").expect(200).json()["calls"][0]["id"].clone();
    host.request("DELETE", &format!("/v1/calls/{}", id.as_str().unwrap()))
        .send()
        .expect(202);
    gone(ipmitool);
}
