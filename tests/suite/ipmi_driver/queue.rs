//! One command at a time for each BMC, and so many ipmitool at most.

use serde_json::json;
use suite::{HostBuilder, HostProcess, IpmiSim, Pending, eventually};

use super::children::ipmitools;
use super::{PATIENCE, builder, node};

fn start(builder: HostBuilder) -> HostProcess {
    builder
        .set("drivers.ipmi.config.retry_window_ms", 60_000)
        .set("drivers.ipmi.config.answer_timeout_s", 600)
        .start()
}

fn look(host: &HostProcess, node: &str) -> Pending {
    host.request("GET", &format!("{node}/vendor_passthru/get_sel"))
        .start()
}

/// A read that its machine holds up.
fn power_status(host: &HostProcess, node: &str) -> Pending {
    host.request("POST", &format!("{node}/vendor_passthru/raw"))
        .json(&json!({"raw_bytes": "0x00 0x01"}))
        .start()
}

#[test]
fn commands_to_one_bmc_wait_for_each_other_and_hold_no_other_bmc_up() {
    let (slow, other) = (IpmiSim::start(), IpmiSim::start());
    let host = start(builder());
    let [one, same] = ["one", "same"].map(|name| node(&host, name, slow.driver_info()));
    let other_node = node(&host, "other", other.driver_info());
    slow.hold();
    let mut waiting = vec![power_status(&host, &one)];
    slow.wait_until_asked("get power");
    waiting.extend([look(&host, &one), look(&host, &same), power_status(&host, &same)]);
    // Another BMC is reached meanwhile, several times.
    for _ in 0..3 {
        power_status(&host, &other_node).wait().expect(200);
    }
    assert_eq!(ipmitools(&host).len(), 1, "one ipmitool for the slow BMC");
    assert!(waiting.iter().all(|call| !call.is_answered()));
    slow.release();
    for call in waiting {
        call.wait().expect(200);
    }
}

#[test]
fn no_more_ipmitool_run_than_are_allowed() {
    let bmcs = [IpmiSim::start(), IpmiSim::start(), IpmiSim::start()];
    let host = start(builder().set("drivers.ipmi.config.max_children", 2));
    let nodes: Vec<String> = bmcs
        .iter()
        .enumerate()
        .map(|(number, bmc)| node(&host, &format!("n{number}"), bmc.driver_info()))
        .collect();
    bmcs.iter().for_each(IpmiSim::hold);
    let waiting: Vec<Pending> = nodes.iter().map(|node| power_status(&host, node)).collect();
    let held = || bmcs.iter().filter(|bmc| !bmc.asked().is_empty()).count();
    eventually("two are at work", PATIENCE, || (held() == 2).then_some(()));
    assert_eq!(ipmitools(&host).len(), 2);
    let asked = bmcs.iter().find(|bmc| !bmc.asked().is_empty()).unwrap();
    asked.release();
    eventually("the third has its turn", PATIENCE, || (held() == 3).then_some(()));
    bmcs.iter().for_each(IpmiSim::release);
    for call in waiting {
        call.wait().expect(200);
    }
}

#[test]
fn a_bmc_has_its_pause_between_two_commands() {
    let bmc = IpmiSim::start();
    let host = start(builder().set("drivers.ipmi.config.min_command_interval_ms", 1_500));
    let node = node(&host, "n1", bmc.driver_info());
    let started = std::time::Instant::now();
    for _ in 0..3 {
        power_status(&host, &node).wait().expect(200);
    }
    assert!(
        started.elapsed().as_millis() >= 3_000,
        "two pauses between three commands"
    );
}

#[test]
fn calls_that_wait_for_a_bmc_hold_no_worker() {
    let bmc = IpmiSim::start();
    let host = start(builder().set("workers.max", 2).set("locks.max_waiters", 1_000));
    let node = node(&host, "n1", bmc.driver_info());
    bmc.hold();
    let held = power_status(&host, &node);
    bmc.wait_until_asked("get power");
    let waiting: Vec<Pending> = (0..50).map(|_| look(&host, &node)).collect();
    for _ in 0..10 {
        host.get("/v1/drivers").expect(200);
    }
    assert!(waiting.iter().all(|call| !call.is_answered()), "none was refused");
    bmc.release();
    held.wait().expect(200);
    for call in waiting {
        call.wait().expect(200);
    }
}
