//! The driver `snmp`, against snmpsim's PDU: what it did is asked of the PDU, with Debian's snmpget.

use std::time::Duration;

use serde_json::{Value, json};
use suite::{HostBuilder, HostProcess, Reply, SNMP, Snmpsim, eventually};

mod failures;
mod families;
mod outlets;
mod reading;
mod standard;
mod version3;

const SOON: Duration = Duration::from_secs(30);

/// sPDUOutletCtl of APC's outlet 1.
const APC_1: &str = "1.3.6.1.4.1.318.1.1.4.4.2.1.3.1";
const APC_2: &str = "1.3.6.1.4.1.318.1.1.4.4.2.1.3.2";

/// A PDU of APC's with two outlets: 1 is on, 2 is off.
fn apc() -> Snmpsim {
    Snmpsim::start(&[Snmpsim::writable(APC_1, 1), Snmpsim::writable(APC_2, 2)])
}

/// A host whose driver waits long for a PDU that is there, because the machine may be busy.
fn patient() -> HostBuilder {
    HostProcess::builder()
        .driver(SNMP)
        .set("drivers.snmp.config.timeout_ms", 20_000)
        .set("drivers.snmp.config.power_timeout_ms", 60_000)
        .set("drivers.snmp.config.poll_interval_ms", 20)
}

/// A host whose driver soon gives up.
fn impatient() -> HostBuilder {
    HostProcess::builder()
        .driver(SNMP)
        .set("drivers.snmp.config.timeout_ms", 200)
        .set("drivers.snmp.config.retries", 2)
        .set("drivers.snmp.config.power_timeout_ms", 200)
        .set("drivers.snmp.config.poll_interval_ms", 20)
}

/// The node `n1` with outlet 1 of the APC PDU at this port, and what `more` says beside or instead.
fn node(host: &HostProcess, port: u16, more: Value) {
    let mut info = json!({
        "snmp_driver": "apc_masterswitch",
        "snmp_address": "127.0.0.1",
        "snmp_port": port,
        "snmp_outlet": "1",
        "snmp_version": "2c",
        "snmp_community": Snmpsim::COMMUNITY,
    });
    let (info_map, more) = (info.as_object_mut().unwrap(), more.as_object().unwrap());
    info_map.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())));
    host.post(
        "/v1/nodes",
        json!({"driver": "snmp", "name": "n1", "driver_info": info}),
    )
    .expect(201);
}

/// The `driver_info` of the simulator's user of version 3, encrypted.
fn version_3() -> Value {
    json!({
        "snmp_version": "3",
        "snmp_community": null,
        "snmp_user": Snmpsim::USER,
        "snmp_auth_protocol": "sha256",
        "snmp_auth_key": Snmpsim::AUTH_KEY,
        "snmp_priv_protocol": "aes",
        "snmp_priv_key": Snmpsim::PRIV_KEY,
        "snmp_context_name": Snmpsim::COMMUNITY,
    })
}

fn call(host: &HostProcess, verb: &str, method: &str, body: Value) -> Reply {
    host.request(verb, &format!("/v1/nodes/n1/vendor_passthru/{method}"))
        .json(&body)
        .send()
}

fn outlet_state(host: &HostProcess) -> Reply {
    call(host, "GET", "outlet_state", json!({}))
}

/// The record of an async call, when it has ended.
fn ended(host: &HostProcess, method: &str, body: Value) -> Value {
    let reply = call(host, "POST", method, body).expect(202);
    let record = reply.must_have("Location").to_owned();
    eventually(&format!("{method} ends"), SOON * 2, || {
        let record = host.get(&record).expect(200).json();
        (record["state"] != "running").then_some(record)
    })
}

/// Checks that an async call fails with this kind and text.
#[track_caller]
fn fails(host: &HostProcess, method: &str, body: Value, kind: &str, text: &str) -> String {
    let record = ended(host, method, body);
    assert_eq!(record["state"], "failed", "{record}");
    assert_eq!(record["error"]["kind"], kind, "{record}");
    let message = record["error"]["message"].as_str().expect("a message");
    assert!(message.contains(text), "{message:?} lacks {text:?}");
    message.to_owned()
}

#[track_caller]
fn succeeds(host: &HostProcess, method: &str, body: Value) -> Value {
    let record = ended(host, method, body);
    assert_eq!(record["state"], "succeeded", "{record}");
    record["result"].clone()
}
