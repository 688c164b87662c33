use driver_sdk::prelude::*;
use driver_sdk::{FaultKind, TestBench};

use crate::Ipmi;

/// The driver; it needs ipmitool on the machine, as it does elsewhere.
pub(crate) fn bench(config: Value) -> TestBench {
    TestBench::new::<Ipmi>(config).unwrap()
}

fn node() -> Value {
    json!({"ipmi_address": "127.0.0.1", "ipmi_port": 9, "ipmi_password": "secret12"})
}

#[test]
fn a_driver_without_its_program_is_not_created() {
    let config = json!({"ipmitool": "/no/such/ipmitool"});
    let fault = TestBench::new::<Ipmi>(config).err().unwrap();
    assert!(fault.message().contains("install ipmitool"), "{fault}");
}

#[test]
fn creating_the_driver_tells_the_version_of_ipmitool() {
    let log = bench(json!({})).log();
    assert!(
        log.iter()
            .any(|line| line.message.starts_with("ipmitool version ")),
        "{log:?}"
    );
}

#[test]
fn every_method_waits_without_a_thread() {
    let bench = bench(json!({}));
    for method in bench.manifest()["methods"].as_array().unwrap() {
        assert_eq!(method["run"], "deferred", "{method}");
    }
}

#[test]
fn the_methods_of_ironic_are_called_as_there() {
    let bench = bench(json!({}));
    for name in ["send_raw", "bmc_reset"] {
        let methods = bench.manifest()["methods"].as_array().unwrap();
        let method = methods.iter().find(|method| method["name"] == name).unwrap();
        assert_eq!(method["http_methods"], json!(["POST"]), "{name}");
        assert_eq!(method["async"], true, "{name}");
        assert_eq!(method["require_exclusive_lock"], true, "{name}");
    }
}

#[test]
fn a_node_is_validated_before_anything_runs() {
    let bench = bench(json!({}));
    bench.validate_node(node()).unwrap();
    let fault = bench.validate_node(json!({})).unwrap_err();
    assert_eq!(fault.kind(), FaultKind::MissingParameter);
    assert_eq!(
        fault.message(),
        "Missing the following driver_info properties: ipmi_address"
    );
    let fault = bench
        .validate_node(json!({"ipmi_address": "127.0.0.1", "ipmi_password": ["secret12"]}))
        .unwrap_err();
    assert!(!fault.message().contains("secret12"), "{fault}");
}

#[test]
fn what_the_client_writes_as_a_number_is_text_where_text_is_meant() {
    let bench = bench(json!({}));
    let info = json!({"ipmi_address": "127.0.0.1", "ipmi_port": "9", "ipmi_password": 1234, "ipmi_protocol_version": 2.0,
        "ipmi_cipher_suite": "17", "ipmi_bridging": "single", "ipmi_target_channel": 7, "ipmi_target_address": "0x72",
        "ipmi_force_boot_device": "True"});
    bench.validate_node(info).unwrap();
}

#[test]
fn raw_bytes_are_refused_with_the_argument_and_the_reason() {
    let bench = bench(json!({}));
    let refused = |args: Value| {
        bench
            .node_method("send_raw", node())
            .args(args)
            .validate()
            .unwrap_err()
    };
    assert_eq!(
        refused(json!({})).message(),
        "Parameter 'raw_bytes' not passed to method 'send_raw'."
    );
    assert_eq!(
        refused(json!({"raw_bytes": "0x06 0x01 -V"})).message(),
        "argument 'raw_bytes' of method 'send_raw': must be numbers from 0 to 255, such as 0x06 0x01, found \"-V\""
    );
}
