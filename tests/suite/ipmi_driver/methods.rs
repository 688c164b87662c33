//! Every vendor method, and what it does to a BMC.

use serde_json::{Value, json};
use suite::{IpmiSim, Pyghmi, openstack};

use super::{call, ended, failure, node, patient, raw};

/// Chassis Control: power up.
const POWER_UP: &str = "0x00 0x02 0x01";
/// Add SEL Entry: a fan that has failed, on sensor 0x30.
const ADD_SEL: &str =
    "0x0a 0x44 0x00 0x00 0x02 0x00 0x00 0x00 0x00 0x20 0x00 0x04 0x04 0x30 0x01 0x50 0x00 0x00";

#[test]
fn send_raw_reaches_the_machine_and_its_answer_stands_in_the_record() {
    let (bmc, host) = (IpmiSim::start(), patient());
    let node = node(&host, "n1", bmc.driver_info());
    assert!(!bmc.is_on());
    let accepted = call(&host, "POST", &node, "send_raw", json!({"raw_bytes": POWER_UP}));
    let record = ended(&host, accepted);
    assert_eq!(record["state"], "succeeded", "{record}");
    assert_eq!(
        record["result"],
        json!({"completion_code": 0, "meaning": "done", "raw_bytes": ""})
    );
    assert!(bmc.is_on());
    assert_eq!(bmc.done(), ["set power 1"], "once");
}

#[test]
fn send_raw_fails_with_a_completion_code_that_is_no_success() {
    let (bmc, host) = (IpmiSim::start(), patient());
    let node = node(&host, "n1", bmc.driver_info());
    // Warm Reset, which this BMC does not know.
    let record = ended(
        &host,
        call(
            &host,
            "POST",
            &node,
            "send_raw",
            json!({"raw_bytes": "0x06 0x03"}),
        ),
    );
    let text = failure(&record);
    assert!(
        text.contains("does not know this command (completion code 0xc1)"),
        "{text}"
    );
    assert_eq!(record["error"]["details"]["completion_code"], 0xc1, "{record}");
    let last_error = host.node_field("n1", "last_error");
    assert_eq!(
        last_error,
        format!("Async execution of send_raw failed with error: {text}")
    );
}

#[test]
fn raw_answers_bytes_and_completion_code_at_once() {
    let (bmc, host) = (IpmiSim::start(), patient());
    let node = node(&host, "n1", bmc.driver_info());
    let reply = raw(&host, &node, "6 1").expect(200).json();
    assert_eq!(reply["completion_code"], 0, "{reply}");
    let bytes = reply["raw_bytes"].as_str().unwrap();
    assert!(
        bytes.contains("0x91 0x12 0x00 0x02 0x0f"),
        "manufacturer and product: {bytes}"
    );
    let reply = raw(&host, &node, "0x06 0x03").expect(200).json();
    assert_eq!(
        reply,
        json!({"completion_code": 0xc1, "meaning": "the BMC does not know this command", "raw_bytes": ""})
    );
    raw(&host, &node, POWER_UP).expect(200);
    assert!(bmc.is_on());
}

#[test]
fn a_cold_reset_resets_the_bmc() {
    let (mut bmc, host) = (Pyghmi::start(), patient());
    let node = node(&host, "n1", bmc.driver_info());
    let record = ended(
        &host,
        call(&host, "POST", &node, "bmc_reset", json!({"warm": "False"})),
    );
    assert_eq!(record["state"], "succeeded", "{record}");
    bmc.wait_until_reset();
    assert_eq!(bmc.done(), ["cold reset"]);
}

#[test]
fn a_reset_that_the_bmc_refuses_has_failed() {
    let (bmc, host) = (IpmiSim::start(), patient());
    let node = node(&host, "n1", bmc.driver_info());
    // Warm without a word about it; ipmitool's own cold reset would report success here.
    for body in [json!({}), json!({"warm": true}), json!({"warm": "off"})] {
        let record = ended(&host, call(&host, "POST", &node, "bmc_reset", body.clone()));
        assert!(
            failure(&record).contains("does not know this command"),
            "{body}: {record}"
        );
    }
    call(&host, "POST", &node, "bmc_reset", json!({"warm": "perhaps"})).refused(400, "'warm'");
}

#[test]
fn a_device_id_is_read_by_the_standard() {
    let (bmc, host) = (IpmiSim::start(), patient());
    let node = node(&host, "n1", bmc.driver_info());
    let id = call(&host, "GET", &node, "get_device_id", json!({}))
        .expect(200)
        .json();
    assert_eq!(id["manufacturer_id"], 0x1291, "{id}");
    assert_eq!(id["product_id"], 0xf02, "{id}");
    assert_eq!(id["firmware_version"], "9.08", "{id}");
    assert_eq!(id["ipmi_version"], "2.0", "{id}");
    let supports: Vec<&str> = id["supports"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(supports.contains(&"sel_device"), "{id}");
}

#[test]
fn the_event_log_is_listed_and_cleared() {
    let (bmc, host) = (IpmiSim::start(), patient());
    let node = node(&host, "n1", bmc.driver_info());
    let list = |body: Value| call(&host, "GET", &node, "get_sel", body).expect(200).json();
    assert_eq!(list(json!({})), json!({"entries": []}));
    for _ in 0..3 {
        let added = raw(&host, &node, ADD_SEL).expect(200).json();
        assert_eq!(added["completion_code"], 0, "{added}");
    }
    let log = list(json!({}));
    assert_eq!(log["entries"].as_array().unwrap().len(), 3, "{log}");
    let first = &log["entries"][0];
    assert_eq!(first["sensor_type"], "Fan", "{log}");
    assert_eq!(first["sensor_number"], "30", "{log}");
    assert_eq!(first["event_direction"], "Assertion Event", "{log}");
    let last = list(json!({"last": "1"}));
    assert_eq!(last["entries"], json!([log["entries"][2]]));
    assert_eq!(
        bmc.ipmitool(&["sel", "list"]).lines().count(),
        3,
        "asked without the driver"
    );

    call(&host, "POST", &node, "clear_sel", json!({})).expect(200);
    assert_eq!(
        bmc.ipmitool(&["sel", "list"]).lines().count(),
        0,
        "asked without the driver"
    );
    assert_eq!(list(json!({})), json!({"entries": []}));
}

#[test]
fn arguments_that_cannot_be_meant_are_refused_before_anything_is_sent() {
    let (bmc, host) = (IpmiSim::start(), patient());
    let node = node(&host, "n1", bmc.driver_info());
    for method in ["send_raw", "raw"] {
        for (body, text) in [
            (
                json!({}),
                format!("Parameter 'raw_bytes' not passed to method '{method}'."),
            ),
            (json!({"raw_bytes": ""}), "must be 2 to 256 bytes".to_owned()),
            (json!({"raw_bytes": "0x06"}), "must be 2 to 256 bytes".to_owned()),
            (
                json!({"raw_bytes": "0x06 0x100"}),
                "must be numbers from 0 to 255".to_owned(),
            ),
            (
                json!({"raw_bytes": "0x07 0x01"}),
                "must begin with a network function".to_owned(),
            ),
            (json!({"raw_bytes": [6, 1]}), "a string of bytes".to_owned()),
            (
                json!({"raw_bytes": "6 1", "zz": 1}),
                "takes no argument 'zz'".to_owned(),
            ),
        ] {
            call(&host, "POST", &node, method, body).refused(400, &text);
        }
    }
    call(&host, "GET", &node, "get_sel", json!({"last": 0})).refused(400, "'last'");
    call(&host, "POST", &node, "get_sel", json!({})).refused(400, "does not support HTTP POST");
    assert_eq!(bmc.asked(), [] as [&str; 0]);
}

#[test]
fn no_option_of_ipmitool_gets_through_any_argument_or_property() {
    let (bmc, host) = (IpmiSim::start(), patient());
    let made = node(&host, "n1", bmc.driver_info());
    for bytes in [
        "0x06 0x01 -V",
        "-V 0x06",
        "0x06 0x01 --help",
        "0x06 0x01 -P x",
        "-h -h",
    ] {
        raw(&host, &made, bytes).refused(400, "must be numbers from 0 to 255");
    }
    call(&host, "GET", &made, "get_sel", json!({"last": "-V"})).refused(400, "'last'");
    for (key, value) in [
        ("ipmi_address", "-V"),
        ("ipmi_priv_level", "-V"),
        ("ipmi_protocol_version", "-V"),
        ("ipmi_bridging", "-V"),
    ] {
        let info = super::with(bmc.driver_info(), key, value);
        let made = node(&host, &format!("bad-{}", key.replace('_', "-")), info);
        raw(&host, &made, "6 1").refused(400, key);
    }
    // A user may be called like an option, and is still a user.
    let info = super::with(bmc.driver_info(), "ipmi_username", "-V");
    let made = node(&host, "dash", info);
    raw(&host, &made, "6 1").refused(502, "knows no user '-V'");
}

#[test]
fn ironics_client_calls_the_methods() {
    let (bmc, host) = (IpmiSim::start(), patient());
    node(&host, "n1", bmc.driver_info());
    let passthru = |words: &[&str]| {
        let all = [&["node", "passthru", "call"], words].concat();
        openstack(&host, &all).succeeded()
    };
    passthru(&["n1", "send_raw", "--arg", &format!("raw_bytes={POWER_UP}")]);
    bmc.wait_until_asked("set power 1");
    let id = passthru(&["n1", "get_device_id", "--http-method", "GET"]);
    assert!(id.stdout.contains("manufacturer_id"), "{}", id.stdout);
    let list = openstack(&host, &["node", "passthru", "list", "n1", "-f", "json"]).succeeded();
    for method in [
        "send_raw",
        "raw",
        "bmc_reset",
        "get_device_id",
        "get_sel",
        "clear_sel",
    ] {
        assert!(list.stdout.contains(method), "{method}: {}", list.stdout);
    }
    let properties = openstack(&host, &["driver", "property", "list", "ipmi", "-f", "json"]).succeeded();
    assert!(
        properties.stdout.contains("ipmi_address"),
        "{}",
        properties.stdout
    );
}
