//! A panic anywhere in a driver costs that call and nothing else. Every way in goes through the objects of the boundary.

// Functions beside the tests are part of them.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::panic::panic_any;
use std::sync::Arc;
use std::time::Duration;

use driver_sdk::prelude::*;
use driver_sdk::{FaultKind, Level, TestBench};

/// What is to panic.
#[derive(Deserialize, Default, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Where {
    #[default]
    Nowhere,
    Create,
    ShutDown,
    Drop,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    panics: Where,
}

#[derive(Properties)]
struct Device {
    /// Panics when it is validated.
    explosive: Option<bool>,
}

#[derive(Deserialize)]
struct What {
    what: String,
}

/// An answer that cannot be written.
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: driver_sdk::serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("cannot be written")
    }
}

/// A payload that panics when it is dropped, with a payload that panics when it is dropped.
struct Bomb(u32);

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0 > 0 {
            panic_any(Bomb(self.0 - 1));
        }
    }
}

struct Explosive {
    panics: Where,
}

impl Drop for Explosive {
    fn drop(&mut self) {
        if self.panics == Where::Drop {
            panic!("in the drop");
        }
    }
}

fn explode(what: &str) {
    match what {
        "str" => panic!("plain"),
        "string" => panic!("{} {}", "made", "up"),
        "lines" => panic!("first\nsecond"),
        "number" => panic_any(7),
        "bomb" => panic_any(Bomb(3)),
        _ => {}
    }
}

/// Panics.
#[driver(name = "explosive", properties = Device)]
impl Explosive {
    #[create]
    fn new(config: Config) -> Result<Self, Fault> {
        if config.panics == Where::Create {
            panic!("in the creation");
        }
        Ok(Explosive {
            panics: config.panics,
        })
    }

    #[validate_node]
    fn check_node(&self, node: &Node) -> Result<(), Fault> {
        let device: Device = node.driver_info()?;
        if device.explosive.is_some() {
            panic!("in the node");
        }
        Ok(())
    }

    /// Panics in a blocking method.
    #[driver_method]
    fn blocking(&self, args: What) -> Result<String, Fault> {
        explode(&args.what);
        Ok(args.what)
    }

    #[validate_call(blocking)]
    fn check_call(&self, args: &What) -> Result<(), Fault> {
        if args.what == "validation" {
            panic!("in the validation");
        }
        Ok(())
    }

    /// Does nothing with a node.
    #[node_method(async = false)]
    fn nothing(&self) -> Result<(), Fault> {
        Ok(())
    }

    /// Answers what cannot be written.
    #[driver_method]
    fn unwritable(&self) -> Result<Unwritable, Fault> {
        Ok(Unwritable)
    }

    /// Panics while it is started, with the completion in its hands.
    #[driver_method]
    fn starting(&self, args: What, completion: Completion<String>) {
        explode(&args.what);
        completion.complete(Ok(args.what));
    }

    /// Completes with what cannot be written, from another thread.
    #[driver_method]
    fn completing(&self, completion: Completion<Unwritable>) {
        let thread = std::thread::Builder::new().name("completing".to_owned());
        thread.spawn(move || completion.complete(Ok(Unwritable))).unwrap();
    }

    /// Forgets to answer.
    #[driver_method]
    fn forgetting(&self, completion: Completion<()>) {
        drop(completion);
    }

    /// Panics in a future.
    #[driver_method]
    async fn future(&self, args: What) -> Result<String, Fault> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        explode(&args.what);
        Ok(args.what)
    }

    /// Panics in the drop of a future that has its answer.
    #[driver_method]
    async fn future_dropped(&self) -> Result<usize, Fault> {
        let bomb = Arc::new(Bomb(2));
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(Arc::strong_count(&bomb))
    }

    #[shut_down]
    fn end(&self) {
        if self.panics == Where::ShutDown {
            panic!("in the end");
        }
    }
}

fn bench() -> TestBench {
    TestBench::new::<Explosive>(json!({})).unwrap()
}

#[track_caller]
fn assert_panicked(fault: &Fault, message: &str) {
    assert_eq!(fault.kind(), FaultKind::Panicked, "{fault}");
    assert_eq!(fault.message(), message);
}

#[track_caller]
fn assert_logged(bench: &TestBench, begin: &str, end: &str) {
    let log = bench.log();
    let line = log.last().unwrap();
    assert_eq!(line.level, Level::Error);
    assert!(line.message.starts_with(begin), "{}", line.message);
    assert!(line.message.contains("tests/guards.rs:"), "{}", line.message);
    assert!(line.message.ends_with(end), "{}", line.message);
}

#[test]
fn a_blocking_method_that_panics_fails_that_call_and_the_next_one_works() {
    let bench = bench();
    for (what, text) in [("str", "plain"), ("string", "made up"), ("lines", "first")] {
        let fault = bench
            .driver_method("blocking")
            .args(json!({ "what": what }))
            .run()
            .unwrap_err();
        assert_panicked(
            &fault,
            &format!("driver 'explosive' panicked in method 'blocking': {text}"),
        );
    }
    assert_logged(
        &bench,
        "driver 'explosive' panicked in method 'blocking' at ",
        ": first second",
    );
    let answer = bench
        .driver_method("blocking")
        .args(json!({"what": "calm"}))
        .run();
    assert_eq!(answer.unwrap(), json!("calm"));
}

#[test]
fn a_payload_that_is_no_text_or_panics_when_it_is_dropped_is_caught_too() {
    let bench = bench();
    for what in ["number", "bomb"] {
        for method in ["blocking", "starting", "future"] {
            let fault = bench
                .driver_method(method)
                .args(json!({ "what": what }))
                .run()
                .unwrap_err();
            let text = format!("driver 'explosive' panicked in method '{method}': a value that is not text");
            assert_panicked(&fault, &text);
        }
    }
}

#[test]
fn a_validation_that_panics_refuses_the_node_or_the_call() {
    let bench = bench();
    let text = "driver 'explosive' panicked in its validation of a node: in the node";
    assert_panicked(
        &bench.validate_node(json!({"explosive": true})).unwrap_err(),
        text,
    );
    let call = bench.node_method("nothing", json!({"explosive": true}));
    assert_panicked(&call.run().unwrap_err(), text);
    bench.validate_node(json!({})).unwrap();

    let fault = bench
        .driver_method("blocking")
        .args(json!({"what": "validation"}))
        .validate()
        .unwrap_err();
    let text =
        "driver 'explosive' panicked in its validation of a call of method 'blocking': in the validation";
    assert_panicked(&fault, text);
}

#[test]
fn a_creation_that_panics_is_a_fault() {
    let fault = TestBench::new::<Explosive>(json!({"panics": "create"}))
        .err()
        .unwrap();
    assert_panicked(
        &fault,
        "driver 'explosive' panicked while it was created: in the creation",
    );
}

#[test]
fn a_shut_down_that_panics_is_logged() {
    let bench = TestBench::new::<Explosive>(json!({"panics": "shut_down"})).unwrap();
    let log = bench.shut_down();
    assert!(
        log[0]
            .message
            .starts_with("driver 'explosive' panicked while it was shut down at "),
        "{log:?}"
    );
}

#[test]
fn a_drop_that_panics_is_logged() {
    let bench = TestBench::new::<Explosive>(json!({"panics": "drop"})).unwrap();
    let log = bench.shut_down();
    assert!(
        log[0]
            .message
            .starts_with("driver 'explosive' panicked while it was dropped at "),
        "{log:?}"
    );
    assert!(log[0].message.ends_with(": in the drop"), "{log:?}");
}

#[test]
fn an_answer_that_panics_when_it_is_written_fails_the_call() {
    let bench = bench();
    for method in ["unwritable", "completing"] {
        let fault = bench.driver_method(method).run().unwrap_err();
        assert_panicked(
            &fault,
            &format!("driver 'explosive' panicked in method '{method}': cannot be written"),
        );
    }
}

#[test]
fn a_deferred_method_that_panics_while_it_is_started_answers_the_panic() {
    let bench = bench();
    let fault = bench
        .driver_method("starting")
        .args(json!({"what": "str"}))
        .run()
        .unwrap_err();
    assert_panicked(&fault, "driver 'explosive' panicked in method 'starting': plain");
    assert_logged(
        &bench,
        "driver 'explosive' panicked in method 'starting' at ",
        ": plain",
    );
    assert_eq!(
        bench
            .driver_method("starting")
            .args(json!({"what": "calm"}))
            .run()
            .unwrap(),
        json!("calm")
    );
}

#[test]
fn a_completion_that_is_dropped_fails_the_call() {
    let fault = bench().driver_method("forgetting").run().unwrap_err();
    assert_eq!(fault.message(), "the completion was dropped without an answer");
}

#[test]
fn a_future_that_panics_fails_its_call_and_the_runtime_goes_on() {
    let bench = bench();
    let fault = bench
        .driver_method("future")
        .args(json!({"what": "str"}))
        .run()
        .unwrap_err();
    assert_panicked(&fault, "driver 'explosive' panicked in method 'future': plain");
    assert_logged(
        &bench,
        "driver 'explosive' panicked in method 'future' at ",
        ": plain",
    );
    let fault = bench.driver_method("future_dropped").run().unwrap_err();
    assert_panicked(
        &fault,
        "driver 'explosive' panicked in method 'future_dropped': a value that is not text",
    );
    assert_eq!(
        bench
            .driver_method("future")
            .args(json!({"what": "calm"}))
            .run()
            .unwrap(),
        json!("calm")
    );
}
