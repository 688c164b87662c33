//! When arguments are read: before anything of the method, and no more often than somebody needs it.

// Functions beside the tests are part of them.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use driver_abi::types::{RArc, RStr, TD_Opaque};
use driver_abi::{CallContext_TO, Context, DriverObject, Host_TO};
use driver_sdk::prelude::*;
use driver_sdk::serde::Deserializer;
use driver_sdk::{FaultKind, TestBench};

/// A number that says how often it was read.
struct Speed(u8);

static READ: AtomicUsize = AtomicUsize::new(0);

impl<'de> Deserialize<'de> for Speed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        READ.fetch_add(1, Relaxed);
        u8::deserialize(deserializer).map(Speed)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fan {
    speed: u8,
}

#[derive(Default)]
struct Fans {
    effects: AtomicUsize,
}

/// Fans.
#[driver(name = "fans")]
impl Fans {
    #[create]
    fn new() -> Result<Self, Fault> {
        Ok(Fans::default())
    }

    /// Nobody waits for its validation.
    #[driver_method]
    fn sync(&self, args: Fan) -> Result<u8, Fault> {
        self.turn(args.speed)
    }

    /// The client waits, but no thread.
    #[driver_method]
    fn deferred(&self, args: Fan, completion: Completion<u8>) {
        completion.complete(self.turn(args.speed));
    }

    /// The client is answered before it runs.
    #[driver_method(async = true)]
    fn accepted(&self, args: Fan) -> Result<u8, Fault> {
        self.turn(args.speed)
    }

    /// Is accepted, and waits.
    #[driver_method(async = true)]
    async fn future(&self, args: Fan) -> Result<u8, Fault> {
        self.turn(args.speed)
    }

    /// The author looks first.
    #[driver_method]
    fn checked(&self, args: Fan) -> Result<u8, Fault> {
        self.turn(args.speed)
    }

    #[validate_call(checked)]
    fn not_too_fast(&self, args: &Fan) -> Result<(), Fault> {
        match args.speed {
            0..=100 => Ok(()),
            _ => Err(Fault::invalid_parameter("too fast")),
        }
    }

    /// Takes nothing.
    #[driver_method]
    fn stop(&self) -> Result<u8, Fault> {
        self.turn(0)
    }

    /// Counts in a sync call.
    #[driver_method]
    fn once(&self, args: Speed) -> Result<u8, Fault> {
        Ok(args.0)
    }

    /// Counts in an async call.
    #[driver_method(async = true)]
    fn twice(&self, args: Speed) -> Result<u8, Fault> {
        Ok(args.0)
    }

    /// Moves JSON.
    #[driver_method]
    fn pass(&self, args: RawJson) -> Result<RawJson, Fault> {
        Ok(args)
    }

    /// Looks at JSON before it is moved.
    #[driver_method(async = true)]
    fn pass_later(&self, args: RawJson, completion: Completion<RawJson>) {
        completion.complete(Ok(args));
    }

    #[validate_call(pass_later)]
    fn short(&self, args: &RawJson) -> Result<(), Fault> {
        match args.as_bytes().len() {
            0..=99 => Ok(()),
            _ => Err(Fault::invalid_parameter("too long")),
        }
    }

    /// How often a method had an effect.
    #[driver_method(http_methods = [GET])]
    fn effects(&self) -> Result<usize, Fault> {
        Ok(self.effects.load(Relaxed))
    }

    fn turn(&self, speed: u8) -> Result<u8, Fault> {
        self.effects.fetch_add(1, Relaxed);
        Ok(speed)
    }
}

fn bench() -> TestBench {
    TestBench::new::<Fans>(json!({})).unwrap()
}

const READERS: [&str; 5] = ["sync", "deferred", "accepted", "future", "checked"];

#[test]
fn arguments_that_cannot_be_read_are_one_fault_in_every_kind_of_method_and_have_no_effect() {
    let bench = bench();
    for method in READERS {
        for (args, kind, text) in [
            (
                json!({}),
                FaultKind::MissingParameter,
                format!("Parameter 'speed' not passed to method '{method}'."),
            ),
            (
                json!({"speed": "fast"}),
                FaultKind::InvalidParameter,
                format!("argument 'speed' of method '{method}': invalid type: string, expected an integer from 0 to 255"),
            ),
            (
                json!({"speed": 1, "zz": 2}),
                FaultKind::InvalidParameter,
                format!("method '{method}' takes no argument 'zz'; known: 'speed'"),
            ),
        ] {
            let fault = bench.driver_method(method).args(args).run().unwrap_err();
            assert_eq!((fault.kind(), fault.message()), (kind, text.as_str()));
        }
    }
    let fault = bench
        .driver_method("stop")
        .args(json!({"now": 1}))
        .run()
        .unwrap_err();
    assert_eq!(
        (fault.kind(), fault.message()),
        (
            FaultKind::InvalidParameter,
            "method 'stop' takes no argument 'now'; it takes none"
        )
    );
    assert_eq!(bench.driver_method("effects").run().unwrap(), json!(0));
    for method in READERS {
        let answer = bench.driver_method(method).args(json!({"speed": 7})).run();
        assert_eq!(answer.unwrap(), json!(7), "{method}");
    }
    assert_eq!(
        bench.driver_method("effects").run().unwrap(),
        json!(READERS.len())
    );
}

#[test]
fn a_validation_reads_the_arguments_for_the_authors_check_and_for_a_client_that_is_answered_first() {
    let bench = bench();
    let validated = |method| {
        bench
            .driver_method(method)
            .args(json!({"speed": "fast"}))
            .validate()
    };
    for method in ["accepted", "future", "checked"] {
        let text = format!(
            "argument 'speed' of method '{method}': invalid type: string, expected an integer from 0 to 255"
        );
        assert_eq!(validated(method).unwrap_err().message(), text);
    }
    for method in ["sync", "deferred"] {
        validated(method).unwrap();
    }
    let fault = bench.driver_method("checked").args(json!({"speed": 101})).run();
    assert_eq!(fault.unwrap_err().message(), "too fast");
    assert_eq!(bench.driver_method("effects").run().unwrap(), json!(0));
}

#[test]
fn the_arguments_of_a_sync_call_are_read_once() {
    let bench = bench();
    let reads = |method| {
        let before = READ.load(Relaxed);
        assert_eq!(
            bench.driver_method(method).args(json!(3)).run().unwrap(),
            json!(3)
        );
        READ.load(Relaxed) - before
    };
    assert_eq!((reads("once"), reads("twice")), (1, 2));
}

#[test]
fn raw_json_is_any_json_and_can_be_checked() {
    let bench = bench();
    for args in [json!({"a": [1, {}]}), json!("text"), json!(null), json!(1.5)] {
        for method in ["pass", "pass_later"] {
            let answer = bench.driver_method(method).args(args.clone()).run();
            assert_eq!(answer.unwrap(), args, "{method}");
        }
    }
    let fault = bench
        .driver_method("pass_later")
        .args(json!("x".repeat(100)))
        .run();
    assert_eq!(fault.unwrap_err().message(), "too long");
}

struct Silent;

impl driver_abi::Host for Silent {
    fn log(&self, _: u8, _: RStr<'_>) {}
}

impl driver_abi::CallContext for Silent {
    fn remaining_ms(&self) -> u64 {
        1_000
    }

    fn cancelled(&self) -> bool {
        false
    }

    fn log(&self, _: u8, _: RStr<'_>) {}
}

#[test]
fn raw_json_keeps_every_byte() {
    let host = Host_TO::from_value(Silent, TD_Opaque);
    let driver: DriverObject = driver_sdk::__private::create::<Fans>(b"{}".as_slice().into(), host).unwrap();
    let context: Context = CallContext_TO::from_ptr(RArc::new(Silent), TD_Opaque);
    let body = " {\"a\" :\t1e400, \"a\": \"\\u00e9 é\",\n\"b\": 0.10000000000000000000000001} ";
    let call = driver_abi::Call {
        method: "pass".into(),
        http_method: "POST".into(),
        body: body.as_bytes().into(),
        node: None.into(),
    };
    assert_eq!(
        driver.call(call, &context).unwrap().body.as_slice(),
        body.as_bytes()
    );
}

#[test]
fn raw_json_shows_no_content() {
    let json = RawJson::from(r#"{"password": "hunter2"}"#.to_owned());
    assert_eq!(format!("{json:?}"), "RawJson(23 bytes)");
    assert_eq!(json.clone().into_vec(), json.as_bytes());
}
