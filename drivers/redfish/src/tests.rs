use driver_sdk::{FaultKind, TestBench, json};

use super::*;

fn bench() -> TestBench {
    TestBench::new::<Redfish>(json!({})).unwrap()
}

#[test]
fn the_configuration_is_checked() {
    for (config, text) in [
        (
            json!({"connection_attempts": 0}),
            "connection_attempts: expected 1 to 100, found 0",
        ),
        (
            json!({"poll_interval_ms": 0}),
            "poll_interval_ms: expected 1 to 86400000, found 0",
        ),
        (
            json!({"connect_timeout_ms": 90_000_000}),
            "connect_timeout_ms: expected 1 to 86400000, found 90000000",
        ),
    ] {
        let fault = TestBench::new::<Redfish>(config).err().unwrap();
        assert_eq!(fault.message(), format!("drivers.redfish.config.{text}"));
    }
}

#[test]
fn a_node_is_checked_without_asking_its_device() {
    bench()
        .validate_node(json!({"redfish_address": "192.0.2.1", "redfish_verify_ca": false}))
        .unwrap();
    let fault = bench()
        .validate_node(json!({"redfish_address": "https://u:hunter2@192.0.2.1"}))
        .unwrap_err();
    assert_eq!(fault.kind(), FaultKind::InvalidParameter);
    assert!(!fault.message().contains("hunter2"), "{fault}");
}

#[test]
fn the_verb_of_a_request_is_the_calls_own_or_the_one_named_in_a_post() {
    let node = json!({"redfish_address": "192.0.2.1", "redfish_verify_ca": false});
    let bench = bench();
    let checked = |verb: &str, method: &str| {
        let call = bench.node_method("request", node.clone()).http_method(verb);
        call.args(json!({"path": "/redfish/v1/Systems", "method": method}))
            .validate()
    };
    checked("POST", "GET").unwrap();
    checked("DELETE", "DELETE").unwrap();
    let fault = checked("GET", "DELETE").unwrap_err();
    assert_eq!(
        fault.message(),
        "argument 'method' of method 'request': it differs from the request's own, GET"
    );
}
