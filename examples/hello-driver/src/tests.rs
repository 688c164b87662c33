//! The driver on the SDK's test bench: no host, no device.

use driver_sdk::{json, FaultKind, TestBench};

use crate::Hello;

#[test]
fn greets_from_the_address_of_the_node() {
    let bench = TestBench::new::<Hello>(json!({})).unwrap();
    let answer = bench
        .node_method("greet", json!({"hello_address": "192.0.2.7"}))
        .args(json!({"name": "Ada"}))
        .run();
    assert_eq!(
        answer.unwrap(),
        json!({"greeting": "Hello, Ada!", "from": "192.0.2.7:623"})
    );
    assert_eq!(bench.log()[0].message, "the device is greeted without a password");
}

#[test]
fn greets_with_the_word_of_the_operator() {
    let bench = TestBench::new::<Hello>(json!({"word": "Moin"})).unwrap();
    let node = json!({"hello_address": "192.0.2.7", "hello_port": 8000, "hello_password": "secret"});
    let answer = bench
        .node_method("greet", node)
        .args(json!({"name": "Ada"}))
        .run();
    assert_eq!(
        answer.unwrap(),
        json!({"greeting": "Moin, Ada!", "from": "192.0.2.7:8000"})
    );
    assert_eq!(bench.log(), []);
}

#[test]
fn a_node_without_an_address_is_refused() {
    let bench = TestBench::new::<Hello>(json!({})).unwrap();
    let fault = bench.validate_node(json!({})).unwrap_err();
    assert_eq!(fault.kind(), FaultKind::MissingParameter);
    assert_eq!(
        fault.message(),
        "Missing the following driver_info properties: hello_address"
    );
}

#[test]
fn a_greeting_without_a_name_is_refused() {
    let bench = TestBench::new::<Hello>(json!({})).unwrap();
    let fault = bench
        .node_method("greet", json!({"hello_address": "192.0.2.7"}))
        .run()
        .unwrap_err();
    assert_eq!(fault.message(), "Parameter 'name' not passed to method 'greet'.");
}
