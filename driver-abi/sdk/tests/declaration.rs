//! What a declaration says is what the manifest has and what the boundary's objects do.

// Functions beside the tests are part of them.
#![allow(clippy::unwrap_used)]

use std::sync::Mutex;
use std::time::Duration;

use driver_abi::types::{RArc, RResult, RStr, TD_Opaque};
use driver_abi::{CallContext_TO, Completion_TO, Host_TO};
use driver_sdk::prelude::*;
use driver_sdk::{FaultKind, Level, TestBench};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Light {
    brightness: u8,
}

struct Lamp {
    host: Host,
    seen: Mutex<Vec<String>>,
}

/// The "lamps",
/// with	a tab.
///
/// And a second paragraph.
#[driver(name = "lamp.v2-x_1")]
impl Lamp {
    #[create]
    fn new(host: Host) -> Result<Self, Fault> {
        host.debug("created");
        Ok(Lamp {
            host,
            seen: Mutex::default(),
        })
    }

    #[validate_node]
    fn check_node(&self, node: &Node) -> Result<(), Fault> {
        self.see("node");
        match node.driver_info_json() {
            "{}" => Ok(()),
            _ => Err(Fault::invalid_parameter("driver_info must be empty")),
        }
    }

    /// Lights.
    #[node_method(
        http_methods = [PUT, POST],
        async = false,
        time_limit_ms = 1_500,
        body_schema = "tests/light.json"
    )]
    fn light(&self, args: Light, node: &Node, call: &Call) -> Result<Value, Fault> {
        self.see("light");
        Ok(json!([
            args.brightness,
            node.name(),
            call.method(),
            call.http_method(),
            node.driver()
        ]))
    }

    #[validate_call(light)]
    fn check_light(&self, call: &Call, args: &Light, node: &Node) -> Result<(), Fault> {
        self.see(&format!(
            "check of {} on {}",
            call.method(),
            node.name().unwrap_or_default()
        ));
        match args.brightness {
            0..=100 => Ok(()),
            _ => Err(Fault::conflict("too bright").with_details(json!({"most": 100}))),
        }
    }

    /// The same name on the driver, with everything by default.
    #[driver_method(name = "light")]
    fn light_all(&self, call: &Call) -> Result<u64, Fault> {
        self.host.warn("all lamps");
        Ok(u64::try_from(call.remaining().as_millis())?)
    }

    /// Everything by default.
    #[node_method]
    async fn r#async(&self, node: &Node, call: &Call, args: Light) -> Result<Value, std::io::Error> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        match args.brightness {
            0 => Err(std::io::Error::other("burnt out")),
            _ => Ok(json!([
                std::thread::current().name(),
                node.name(),
                call.cancelled()
            ])),
        }
    }

    /// Answers an image, later.
    #[node_method(name = "image.png", http_methods = [GET], async = false, attach, require_exclusive_lock = false)]
    fn image(&self, completion: Completion<Attachment>) {
        completion.call().info("drawing");
        completion.complete(Ok(Attachment {
            content_type: "image/png".to_owned(),
            bytes: vec![0, 255],
        }));
    }

    #[shut_down]
    fn end(&self) {
        self.see("end");
        let seen = self.seen.lock().map(|seen| seen.join(", ")).unwrap_or_default();
        self.host.info(seen);
    }

    fn see(&self, what: &str) {
        self.seen.lock().unwrap().push(what.to_owned());
    }
}

fn bench() -> TestBench {
    TestBench::new::<Lamp>(json!({})).unwrap()
}

#[test]
fn the_manifest_says_what_was_declared() {
    let bench = bench();
    let manifest = bench.manifest();
    assert_eq!(manifest["name"], "lamp.v2-x_1");
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        manifest["description"],
        "The \"lamps\", with a tab. And a second paragraph."
    );
    assert_eq!(manifest["properties"], json!({}));
    let expected = json!([
        {"name": "light", "on": "node", "http_methods": ["PUT", "POST"], "async": false, "require_exclusive_lock": true,
         "attach": false, "description": "Lights.", "run": "blocking", "time_limit_ms": 1500,
         "body_schema": {"type": "object", "required": ["brightness"]}},
        {"name": "light", "on": "driver", "http_methods": ["POST"], "async": false, "require_exclusive_lock": false,
         "attach": false, "description": "The same name on the driver, with everything by default.", "run": "blocking"},
        {"name": "async", "on": "node", "http_methods": ["POST"], "async": true, "require_exclusive_lock": true,
         "attach": false, "description": "Everything by default.", "run": "deferred"},
        {"name": "image.png", "on": "node", "http_methods": ["GET"], "async": false, "require_exclusive_lock": false,
         "attach": true, "description": "Answers an image, later.", "run": "deferred"},
    ]);
    assert_eq!(manifest["methods"], expected);
}

#[test]
fn a_call_is_validated_in_order_and_then_run() {
    let bench = bench();
    let answer = bench
        .node_method("light", json!({}))
        .args(json!({"brightness": 7}))
        .run()
        .unwrap();
    assert_eq!(answer, json!([7, "bench-node", "light", "PUT", "lamp.v2-x_1"]));
    let log = bench.shut_down();
    assert_eq!(log[0].message, "created");
    assert_eq!(log[1].message, "node, check of light on bench-node, light, end");
}

#[test]
fn a_refused_call_keeps_kind_message_and_details_and_never_runs() {
    let bench = bench();
    let fault = bench
        .node_method("light", json!({}))
        .args(json!({"brightness": 101}))
        .run()
        .unwrap_err();
    assert_eq!(
        (fault.kind(), fault.message()),
        (FaultKind::Conflict, "too bright")
    );
    assert_eq!(fault.details(), Some(&json!({"most": 100})));
    let fault = bench
        .node_method("light", json!({"a": 1}))
        .args(json!({"brightness": 1}))
        .run()
        .unwrap_err();
    assert_eq!(fault.message(), "driver_info must be empty");
    assert!(!bench.shut_down()[1].message.contains(", light"));
}

#[test]
fn one_name_on_node_and_driver_is_two_methods() {
    let bench = bench();
    let left = bench
        .driver_method("light")
        .deadline(Duration::from_secs(60))
        .run()
        .unwrap();
    assert!(left.as_u64().unwrap() > 30_000, "{left}");
    assert_eq!(bench.log()[1].level, Level::Warn);
    let fault = bench
        .driver_method("light")
        .args(json!({"a": 1}))
        .run()
        .unwrap_err();
    assert_eq!(
        fault.message(),
        "method 'light' takes no argument 'a'; it takes none"
    );
}

#[test]
fn an_async_fn_runs_on_the_one_thread_of_the_driver() {
    let bench = bench();
    let call = |brightness| {
        bench
            .node_method("async", json!({}))
            .args(json!({"brightness": brightness}))
            .run()
    };
    // Linux keeps 15 bytes of a thread's name, std all of it.
    assert_eq!(
        call(1).unwrap(),
        json!(["lamp.v2-x_1-tokio", "bench-node", false])
    );
    let fault = call(0).unwrap_err();
    assert_eq!(
        (fault.kind(), fault.message()),
        (FaultKind::Internal, "burnt out")
    );
    assert_eq!(
        call(256).unwrap_err().message(),
        "argument 'brightness' of method 'async': invalid value: integer `256`, expected an integer from 0 to 255"
    );
}

#[test]
fn an_attachment_may_come_later() {
    let bench = bench();
    let image = bench.node_method("image.png", json!({})).attachment().unwrap();
    assert_eq!(
        image,
        Attachment {
            content_type: "image/png".to_owned(),
            bytes: vec![0, 255]
        }
    );
    assert_eq!(bench.log()[1].message, "drawing");
}

#[test]
fn a_driver_without_a_configuration_takes_none() {
    let fault = TestBench::new::<Lamp>(json!({"colour": "red"})).err().unwrap();
    assert_eq!(
        fault.message(),
        "drivers.lamp.v2-x_1.config: unknown key 'colour'; it takes none"
    );
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

struct Answered(std::sync::mpsc::SyncSender<driver_abi::Fault>);

impl driver_abi::Completion for Answered {
    fn complete(&self, result: RResult<driver_abi::Reply, driver_abi::Fault>) {
        self.0.send(result.unwrap_err()).unwrap();
    }
}

/// A host that does not keep the contract gets faults, not panics.
#[test]
fn a_host_that_asks_for_what_is_not_declared_gets_a_fault() {
    let host = Host_TO::from_value(Silent, TD_Opaque);
    let driver = driver_sdk::__private::create::<Lamp>(b"{}".as_slice().into(), host).unwrap();
    let context = || CallContext_TO::from_ptr(RArc::new(Silent), TD_Opaque);
    let node =
        br#"{"uuid": "u", "name": null, "driver": "lamp", "driver_info": {}, "properties": {}, "extra": {}}"#;
    let call = |method: &'static str, verb: &'static str| driver_abi::Call {
        method: method.into(),
        http_method: verb.into(),
        body: br#"{"brightness": 1}"#.as_slice().into(),
        node: Some(node.as_slice().into()).into(),
    };
    let refused = |method, verb| {
        driver
            .call(call(method, verb), &context())
            .unwrap_err()
            .message
            .to_string()
    };
    assert_eq!(
        refused("nosuch", "POST"),
        "driver 'lamp.v2-x_1' has no method 'nosuch'"
    );
    assert_eq!(
        refused("light", "BREW"),
        "method 'light' does not support HTTP BREW"
    );
    assert_eq!(
        refused("async", "POST"),
        "method 'async' is deferred: it is started, not called"
    );
    let broken = driver
        .validate_node(b"[]".as_slice().into(), &context())
        .unwrap_err();
    assert!(
        broken
            .message
            .starts_with("the host sent a node that cannot be read: "),
        "{}",
        broken.message
    );

    let (answer, answered) = std::sync::mpsc::sync_channel(1);
    let completion = || Completion_TO::from_value(Answered(answer.clone()), TD_Opaque);
    driver.start(call("light", "PUT"), context(), completion());
    assert_eq!(
        answered.recv().unwrap().message,
        "method 'light' is blocking: it is called, not started"
    );
    driver.start(call("nosuch", "PUT"), context(), completion());
    assert_eq!(
        answered.recv().unwrap().message,
        "driver 'lamp.v2-x_1' has no method 'nosuch'"
    );
}
