//! The driver on the SDK's test bench.

use std::time::{Duration, Instant};

use driver_sdk::{json, FaultKind, TestBench};

use crate::Deferred;

const CALLS: usize = 5_000;

fn five_thousand_wait_at_once(method: &str) {
    let bench = TestBench::new::<Deferred>(json!({})).unwrap();
    let call = || {
        bench
            .node_method(method, json!({}))
            .args(json!({"seconds": 1}))
            .deadline(Duration::from_secs(120))
    };
    let begun = Instant::now();
    // One after the other they would take 5,000 seconds, and miss their deadline.
    let started: Vec<_> = (0..CALLS).map(|_| call().start().unwrap()).collect();
    for call in started {
        assert_eq!(call.wait().unwrap(), json!({"worked_for": 1}));
    }
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[test]
fn five_thousand_calls_wait_at_once_for_their_completions() {
    five_thousand_wait_at_once("with_completion");
}

#[test]
fn five_thousand_calls_wait_at_once_in_an_async_fn() {
    five_thousand_wait_at_once("with_async_fn");
}

#[test]
fn both_methods_are_declared_as_deferred() {
    let bench = TestBench::new::<Deferred>(json!({})).unwrap();
    for method in bench.manifest()["methods"].as_array().unwrap() {
        assert_eq!(method["run"], "deferred", "{method}");
    }
}

#[test]
fn a_cancelled_call_stops_early() {
    let bench = TestBench::new::<Deferred>(json!({})).unwrap();
    let started = bench
        .node_method("with_async_fn", json!({}))
        .args(json!({"seconds": 3600}))
        .deadline(Duration::from_secs(60))
        .start()
        .unwrap();
    started.cancel();
    let fault = started.wait().unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Timeout);
    assert_eq!(fault.message(), "stopped: nobody waits for the answer any more");
}

#[test]
fn a_driver_that_ends_fails_the_calls_that_still_wait() {
    let bench = TestBench::new::<Deferred>(json!({})).unwrap();
    let start = |method| {
        bench
            .node_method(method, json!({}))
            .args(json!({"seconds": 3600}))
            .deadline(Duration::from_secs(60))
            .start()
            .unwrap()
    };
    let waiting = [start("with_completion"), start("with_async_fn")];
    bench.shut_down();
    for call in waiting {
        assert_eq!(
            call.wait().unwrap_err().message(),
            "the completion was dropped without an answer"
        );
    }
}
